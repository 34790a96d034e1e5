r"""`describe_tokenizer`: what a preprocessor does with texts, as data.

Exported models that take token ids, and no strings, come with this description and with
`standalone/read_texts.py`, which reads texts by it without TensorFlow.

The graph's patterns are RE2's. They are rewritten in the part of the syntax that means
the same in other engines: characters as they are, classes of single characters and
ranges, groups, quantifiers, `\b` and `\B` (between ASCII words), and look-around for
the ends of a text. There are no flags, no `\w`, no `\pL`: which characters a class
holds is asked of RE2 itself, so that the Unicode version is the graph's.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.compat import tokenizer_parts
from siatl_keras.models.byte_pair_merges import LONGEST_PIECE
from siatl_keras.text import normalizer_rules as rules
from siatl_keras.text.text_normalizer import TextNormalizer
from siatl_keras.text.word_tokenizer import WordTokenizer


def describe_tokenizer(preprocessor: Any) -> dict[str, Any]:
    """Describes all that a `SiATLPreprocessor` does with texts.

    Args:
        preprocessor: a `SiATLPreprocessor` whose tokenizer has its vocabulary.

    Returns:
        dict of strings, numbers, lists and dicts, as JSON takes them. How texts become
        ids, by `kind`:

        - "words": `vocabulary`, a list in the order of ids; `unknown`, the id of other
          words; `steps` and `word_steps`, the normalizer's (see `_describe_words`).
        - "byte_pairs": `vocabulary`, token to id; `merges`, the first one first;
          `most_bytes`, where longer texts are cut first; `add_prefix_space`; `marks`,
          `unsplittable`, `splits`, `mark` and `longest_piece`, how texts are split into
          words (see `_describe_byte_pairs`); `bytes`, the character of each of the 256
          bytes.

        And how ids become rows: `start`, `end` (ids or `None`), `pad`, `separator` (ids
        between the texts of a pair), `pairs`, `words` (whether the model takes them),
        `most_tokens`, `most_read`, and `length`, that of all rows, or `None`.

    Raises:
        ValueError: if the tokenizer is none that `read_texts.py` can stand in for.

    Example:
    >>> import siatl_keras
    >>> tokenizer = siatl_keras.text.WordTokenizer(
    ...     ["<pad>", "<s>", "</s>", "<unk>", "good", "day"])
    >>> preprocessor = siatl_keras.models.SiATLPreprocessor(tokenizer)
    >>> description = describe_tokenizer(preprocessor)
    >>> description["kind"], description["start"], description["most_tokens"]
    ('words', 1, 80)
    """
    tokenizer = preprocessor.tokenizer
    # Classes of their own may do anything.
    if (
        type(tokenizer) is WordTokenizer
        and type(tokenizer.normalizer) is TextNormalizer
    ):
        texts_to_ids = _describe_words(tokenizer)
    elif tokenizer_parts.has_plain_byte_pairs(tokenizer):
        texts_to_ids = _describe_byte_pairs(preprocessor)
    else:
        raise ValueError(
            "Without TensorFlow, texts are read for a WordTokenizer with a "
            "TextNormalizer, and for KerasHub's byte-pair tokenizers. Received: "
            f"{type(tokenizer).__name__}. Export a SavedModel, which takes strings."
        )
    return {**texts_to_ids, **_describe_rows(preprocessor)}


def _describe_rows(preprocessor: Any) -> dict[str, Any]:
    """Says what is put around ids, and where rows are cut and padded."""
    tokenizer = preprocessor.tokenizer
    start = getattr(tokenizer, "start_token_id", None)
    end = getattr(tokenizer, "end_token_id", None)
    is_fixed = preprocessor.pad_to_sequence_length
    return {
        "start": _whole(start) if preprocessor.add_start_token else None,
        "end": _whole(end) if preprocessor.add_end_token else None,
        "pad": _whole(getattr(tokenizer, "pad_token_id", None)) or 0,
        "separator": [int(token_id) for token_id in preprocessor.separator_ids],
        "pairs": preprocessor.pairs,
        "words": preprocessor.long_texts == "words",
        "most_tokens": preprocessor.most_tokens,
        "most_read": preprocessor.most_read,
        "length": preprocessor.sequence_length if is_fixed else None,
    }


def _whole(token_id: Any) -> int | None:
    return None if token_id is None else int(token_id)


def _describe_words(tokenizer: WordTokenizer) -> dict[str, Any]:
    """Says how words are made and looked up.

    `steps` are done in order with a text, then `word_steps` with each of its words
    between spaces, which may become several. Each step is told by `do`:

    - "replace": in texts where `where` is found (`None` for all), each of `rules`, a
      list of what to find and what to write;
    - "characters": what `find` finds becomes the character whose number is its group 1,
      U+FFFD where there is none;
    - "nfkc" and "lower", by Unicode;
    - "inside": what `find` finds becomes its group 1, changed by `steps`, between
      `before` and `after`.
    """
    return {
        "kind": "words",
        "vocabulary": tokenizer.get_vocabulary(),
        "unknown": tokenizer.token_to_id("<unk>"),
        "steps": _text_steps(tokenizer.normalizer.switches),
        "word_steps": _word_steps(tokenizer.normalizer.switches),
    }


def _describe_byte_pairs(preprocessor: Any) -> dict[str, Any]:
    """Says how byte pairs are made, in the order in which the reader takes the parts.

    A text loses its NULs, is cut at `most_bytes`, and gets its space in front; `marks`
    (what to find, what to write) are set; it is split at each of the `unsplittable`
    tokens, and a stand-in of letters that nothing splits is put for the token; it is
    split by each pattern of `splits`; the tokens are put back; words that are a `mark`
    are dropped; of words of more bytes than `longest_piece`, pieces of so many are
    merged.
    """
    tokenizer = preprocessor.tokenizer
    encoder = preprocessor.tables
    splitting = tokenizer_parts.byte_pair_splitting(tokenizer)
    return {
        "kind": "byte_pairs",
        "vocabulary": {word: int(i) for word, i in tokenizer.vocabulary.items()},
        "merges": [str(merge) for merge in tokenizer.merges],
        # As `BytePairEncoder.encode` cuts them.
        "most_bytes": (preprocessor.most_tokens + 1) * max(encoder.longest, 4),
        "add_prefix_space": bool(tokenizer.add_prefix_space),
        "marks": [_rule(find, write) for find, write in splitting.marks],
        "unsplittable": [list(pair) for pair in splitting.stand_ins],
        "splits": [python_pattern(pattern) for pattern in splitting.patterns],
        "mark": splitting.mark,
        "longest_piece": LONGEST_PIECE,
        "bytes": tokenizer_parts.byte_characters(),
    }


def _text_steps(switches: dict[str, bool]) -> list[dict[str, Any]]:
    """Lists what `TextNormalizer` does before it sets tokens apart."""
    replace = functools.partial(_replace_steps, switches)
    steps = []
    if switches["html_entities"]:
        steps += replace(rules.ENTITIES)
        steps += [{"do": "characters", "find": python_pattern(r"&#(\d{1,7});")}]
    steps += replace(rules.UNICODE, needs=r"[^\x00-\x7f]")
    steps += [{"do": "nfkc"}] if switches["nfkc"] else []
    steps += replace([rules.SPACES, *rules.SOCIAL])
    if switches["hashtags"]:
        hashtag = {
            "do": "inside",
            "find": python_pattern(rules.HASHTAGS.pattern),
            "before": rules.tag("hashtag"),
            "after": rules.end_tag("hashtag"),
            "steps": [*replace(rules.HASHTAG_WORDS), *_lower(switches)],
        }
        steps += [hashtag]
    return steps + replace([*rules.NUMBERS, *rules.ELONGATIONS, *rules.STYLE])


def _word_steps(switches: dict[str, bool]) -> list[dict[str, Any]]:
    """Lists the rest, for which no word matters to another one."""
    token = rules.Rule("token", _token_pattern(switches), r" \0 ", None)
    return _replace_steps(switches, [token, *rules.RESTORE]) + _lower(switches)


def _lower(switches: dict[str, bool]) -> list[dict[str, Any]]:
    return [{"do": "lower"}] if switches["lowercase"] else []


def _token_pattern(switches: dict[str, bool]) -> str:
    emoticons = rules.EMOTICONS if switches["emoticons"] else ()
    emoji = rules.EMOJI if switches["emoji"] else ()
    return "|".join([*emoticons, *rules.TOKENS, *emoji, rules.SYMBOL])


def _replace_steps(
    switches: dict[str, bool],
    table: Sequence[rules.Rule],
    needs: str | None = None,
) -> list[dict[str, Any]]:
    """Makes steps of the rows that are on, one of neighbours with the same need."""
    steps: list[dict[str, Any]] = []
    for row in table:
        if row.switch and not switches[row.switch]:
            continue
        needed = row.needs or needs
        where = python_pattern(needed) if needed else None
        if not steps or steps[-1]["where"] != where:
            steps.append({"do": "replace", "where": where, "rules": []})
        steps[-1]["rules"].append(_rule(row.pattern, row.replacement))
    return steps


def _rule(pattern: str, replacement: str) -> list[str]:
    return [python_pattern(pattern), re.sub(r"\\(\d)", r"\\g<\1>", replacement)]


# The parts of an RE2 pattern. What is in no other group is a character of itself.
_PARTS = re.compile(
    r"""
      (?P<fold>\(\?i\))
    | (?P<open>\((?:\?i?:)?)
    | (?P<close>\))
    | (?P<kept>\\[bB] | [|*+?] | \{\d+(?:,\d*)?\})
    | (?P<end>[$^])
    | (?P<set>\[\^?(?:\\[pPx]\{\w+\}|\\.|[^\]\\])+\]
        | \\[pP](?:\{\w+\}|\w) | \\x(?:\{\w+\}|\w\w) | \\[dDsSwWnrtfv] | \.)
    | \\?(?P<character>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ENDS = {"^": r"(?<![\s\S])", "$": r"(?![\s\S])"}


@functools.lru_cache(maxsize=256)
def python_pattern(pattern: str) -> str:
    r"""Rewrites an RE2 pattern so that it means the same elsewhere; see the module.

    Args:
        pattern: RE2 pattern, of the syntax that our rules use.

    Returns:
        The pattern, for Python's `re` with `re.ASCII`, which makes `\b` RE2's.

    Raises:
        ValueError: if it has flags or groups that are not known here.

    Example:
    >>> python_pattern(r"(?i)\bto[\s\d]+")
    '\\b[Tt][Oo][\t\n\x0c\r 0-9]+'
    """
    plain = re.sub(r"\\\W", "_", pattern)
    if re.search(r"\(\?(?!i?:|i\))|\[\^?\]|\[\^?\[:|\\[QEAzGCX]", plain):
        raise ValueError(f"The pattern {pattern!r} has what cannot be rewritten.")
    written = ""
    folds = [False]  # whether case is ignored, in each open group
    for part in _PARTS.finditer(pattern):
        text = part[0]
        if part["fold"]:
            folds[-1] = True
        elif part["open"]:
            folds.append(folds[-1] or "i" in text)
            written += text.replace("i", "")
        elif part["close"]:
            folds.pop()
            written += text
        elif part["kept"]:
            written += text
        elif part["end"]:
            written += _ENDS[text]
        elif part["set"] or (folds[-1] and part["character"].isalpha()):
            written += _character_set(f"(?i:{text})" if folds[-1] else text)
        else:
            character = part["character"]
            written += rf"\{character}" if character in r"\.^$*+?{}[]|()" else character
    return written


@functools.lru_cache(maxsize=256)
def _character_set(pattern: str) -> str:
    """Writes the characters that an RE2 pattern of one character matches as a class."""
    characters = _all_characters()
    others = tf.strings.regex_replace(characters, f"(?:{pattern})+", "").numpy()
    is_in = np.ones(0x110000, bool)
    is_in[np.frombuffer(others.decode().encode("utf-32-le"), np.uint32)] = False
    # Surrogates are no characters: as their neighbour is, so that no range ends there.
    is_in[0xD800:0xE000] = is_in[0xD7FF]
    if is_in.sum() == 1:
        return re.sub(r"([\\.^$*+?{}\[\]|()])", r"\\\1", chr(int(is_in.argmax())))
    inside, outside = _ranges(is_in), _ranges(~is_in)
    return f"[{inside}]" if len(inside) <= len(outside) + 1 else f"[^{outside}]"


@functools.cache
def _all_characters() -> tf.Tensor:
    with tf.init_scope():
        numbers = (*range(0xD800), *range(0xE000, 0x110000))
        return tf.constant("".join(map(chr, numbers)))


def _ranges(is_in: np.ndarray) -> str:
    edges = np.flatnonzero(np.diff(np.pad(is_in, 1).astype(np.int8)))
    written = ""
    for first, after in edges.reshape(-1, 2).tolist():
        between = "-" if after - first > 2 else ""
        last = _in_class(after - 1) if after - first > 1 else ""
        written += _in_class(first) + between + last
    return written


def _in_class(number: int) -> str:
    character = chr(number)
    return rf"\{character}" if character in r"\]^-[" else character
