"""`TextNormalizer`: raw social text to words separated by spaces, inside the graph.

The paper's preprocessing (ekphrasis), rebuilt on RE2 and tensorflow_text operations so
that training, tf.data and a served SavedModel see the same words.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf
import tensorflow_text as tf_text

from siatl_keras.text import normalizer_rules as rules

SWITCHES = {
    "html_entities": True,
    "nfkc": True,
    "urls": True,
    "emails": True,
    "users": True,
    "hashtags": True,
    "money": True,
    "percentages": True,
    "phones": True,
    "dates": True,
    "times": True,
    "numbers": True,
    "elongated": True,
    "repeated": True,
    "allcaps": True,
    "emoticons": True,
    "emoji": True,
    "split_contractions": False,
    "lowercase": True,
}


@keras.saving.register_keras_serializable(package="siatl_keras")
class TextNormalizer:
    """Rewrites raw texts as words, tags and symbols separated by spaces.

    Every rule has a switch. What a rule recognises becomes a tag (`<url>`, `<email>`,
    `<user>`, `<money>`, `<percent>`, `<phone>`, `<date>`, `<time>`, `<number>`), is
    surrounded by tags (`<hashtag> not funny </hashtag>`, `<allcaps> so sad </allcaps>`)
    or followed by one (`so <elongated>`, `! <repeated>`). Text that looks like a tag is
    never taken for one: a typed `<url>` or `</s>` becomes `<`, `url`, `>`. Invalid
    UTF-8 is replaced by U+FFFD.

    Args:
        html_entities: decode `&amp;`, `&quot;`, `&#128514;`, ….
        nfkc: Unicode normal form NFKC (`…` → `...`, `ｆｕｌｌ` → `full`).
        urls: `https://…`, `www.…`, `bit.ly/…`, a lone `http` → `<url>`.
        emails: → `<email>`.
        users: `@name` → `<user>`.
        hashtags: `#NotFunny` → `<hashtag> not funny </hashtag>`, split on case, digits
            and underscores.
        money: `$5`, `20 euros` → `<money>`.
        percentages: `3.5%` → `<percent>`.
        phones: `555-123-4567` → `<phone>`.
        dates: `8/21/82`, `May 4th, 2019` → `<date>`.
        times: `9:30`, `5 pm` → `<time>`.
        numbers: what digits are left, if they are a word of their own → `<number>`.
        elongated: three or more of an ASCII letter: `soooo` → `so <elongated>`.
        repeated: `!!!` → `! <repeated>`.
        allcaps: runs of words in ASCII capitals, `SO SAD` → `<allcaps> so sad
            </allcaps>`.
        emoticons: keep `:-)`, `<3`, `^_^`, … as single tokens.
        emoji: drop skin tones and presentation selectors, keep joined emoji and flags
            as single tokens. Other emoji always are.
        split_contractions: `don't` → `do n't`; off, `don't` stays one word.
        lowercase: lower-case by Unicode, after all rules that look at case.

    Example:
    >>> normalizer = TextNormalizer()
    >>> normalizer("@bob SOOO #Sad!!!").numpy().decode()
    '<user> <allcaps> so </allcaps> <elongated> <hashtag> sad </hashtag> ! <repeated>'
    """

    def __init__(self, **switches: bool) -> None:
        for name, value in switches.items():
            if name not in SWITCHES:
                raise ValueError(
                    f"`TextNormalizer` has no switch `{name}`. "
                    f"Known switches: {', '.join(SWITCHES)}."
                )
            if not isinstance(value, bool):
                raise ValueError(
                    f"`{name}` must be True or False. Received: {name}={value!r}"
                )
        self.switches = {**SWITCHES, **switches}
        self._token_pattern = self._build_token_pattern()

    def __call__(self, texts: Any) -> tf.Tensor | tf.RaggedTensor:
        """Normalises texts.

        Args:
            texts: string tensor of any shape, ragged string tensor, string, bytes or
                (nested) list of them.

        Returns:
            String tensor of the same shape: words separated by single spaces.
        """
        if isinstance(texts, tf.RaggedTensor):
            return tf.ragged.map_flat_values(self, texts)
        texts = tf.convert_to_tensor(texts, dtype=tf.string)
        with tf.device("cpu"):
            normalized = self._normalize(tf.reshape(texts, [-1]))
            normalized = tf.strings.regex_replace(normalized, "  +", " ")
            return tf.reshape(tf.strings.strip(normalized), tf.shape(texts))

    def split(self, texts: Any) -> tf.Tensor | tf.RaggedTensor:
        """Normalises and splits at the spaces, faster than one after the other.

        Args:
            texts: str, list of str or string tensor `[batch]`.

        Returns:
            ragged string `[batch, None]`; string `[words]` for a single text.
        """
        texts = tf.convert_to_tensor(texts, dtype=tf.string)
        with tf.device("cpu"):
            words = tf.strings.split(self._normalize(tf.reshape(texts, [-1])))
            return words if texts.shape.rank else words.flat_values

    def get_config(self) -> dict[str, bool]:
        """Returns the state of all switches."""
        return dict(self.switches)

    @classmethod
    def from_config(cls, config: dict[str, bool]) -> "TextNormalizer":
        """Makes the normaliser that `get_config` described."""
        return cls(**config)

    def _normalize(self, texts: tf.Tensor) -> tf.Tensor:
        """Applies all stages to strings of shape `[batch]`."""
        if self.switches["html_entities"]:
            texts = _where(texts, r"(?s).*&.*", self._decode_entities)
        # No rule below adds what is not ASCII, so these stay the only ones.
        beyond_ascii = _indices(texts, _ASCII, negate=True)
        texts = _at(texts, beyond_ascii, self._clean_unicode)
        texts = self._apply([rules.SPACES], texts)
        texts = self._apply(rules.SOCIAL, texts)
        if self.switches["hashtags"]:
            texts = _where(texts, r"(?s).*#.*", self._split_hashtags)
        texts = self._apply(rules.NUMBERS, texts)
        texts = self._apply(rules.ELONGATIONS, texts)
        texts = self._apply(rules.STYLE, texts)
        texts = tf.strings.regex_replace(texts, self._token_pattern, r" \0 ")
        texts = self._apply(rules.RESTORE, texts)
        if self.switches["lowercase"]:
            texts = _at(tf.strings.lower(texts), beyond_ascii, _lower_unicode)
        return texts

    def _apply(self, table: Sequence[rules.Rule], texts: tf.Tensor) -> tf.Tensor:
        """Applies the rows that are switched on, neighbours with one need at once."""
        active = [row for row in table if not row.switch or self.switches[row.switch]]
        while active:
            needs = active[0].needs
            count = next(
                (i for i, row in enumerate(active) if row.needs != needs), len(active)
            )
            group, active = active[:count], active[count:]
            if needs is None:
                texts = _replace_all(group, texts)
            else:
                replace = functools.partial(_replace_all, group)
                texts = _where(texts, f"(?s).*(?:{needs}).*", replace)
        return texts

    def _decode_entities(self, texts: tf.Tensor) -> tf.Tensor:
        """Decodes the table's entities, then decimal ones by number."""
        texts = _replace_all(rules.ENTITIES, texts)
        return _where(texts, r"(?s).*&#\d.*", _decode_decimal_entities)

    def _clean_unicode(self, texts: tf.Tensor) -> tf.Tensor:
        """Repairs and unifies what is not ASCII."""
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        texts = self._apply(rules.UNICODE, texts)
        if self.switches["nfkc"]:
            texts = tf_text.normalize_utf8(texts, "NFKC")
        return texts

    def _split_hashtags(self, texts: tf.Tensor) -> tf.Tensor:
        """Replaces each hashtag by its words between two tags."""
        texts = _replace_all([rules.HASHTAGS], texts)
        # The mark stands on both sides, so every second piece is a hashtag's body.
        pieces = tf.strings.split(texts, rules.HASHTAG)
        index = tf.ragged.range(pieces.row_lengths()).flat_values
        bodies = tf.where(index % 2 == 1)
        words = _replace_all(
            rules.HASHTAG_WORDS, tf.gather_nd(pieces.flat_values, bodies)
        )
        if self.switches["lowercase"]:  # its case has been used: no <allcaps> inside
            words = tf.strings.lower(words)  # ASCII, and three times as fast
            words = _at(words, _indices(words, _ASCII, negate=True), _lower_unicode)
        words = rules.tag("hashtag") + words + rules.end_tag("hashtag")
        flat = tf.tensor_scatter_nd_update(pieces.flat_values, bodies, words)
        return tf.strings.reduce_join(pieces.with_flat_values(flat), axis=1)

    def _build_token_pattern(self) -> str:
        alternatives = list(rules.TOKENS)
        if self.switches["emoticons"]:
            alternatives = list(rules.EMOTICONS) + alternatives
        if self.switches["emoji"]:
            alternatives += rules.EMOJI
        return "|".join([*alternatives, rules.SYMBOL])


_ASCII = r"[\x00-\x7f]*"


def _replace_all(table: Sequence[rules.Rule], texts: tf.Tensor) -> tf.Tensor:
    for row in table:
        texts = tf.strings.regex_replace(texts, row.pattern, row.replacement)
    return texts


def _where(
    texts: tf.Tensor,
    pattern: str,
    function: Callable[[tf.Tensor], tf.Tensor],
) -> tf.Tensor:
    """Applies `function` to those of `texts` `[batch]` that `pattern` matches whole."""
    return _at(texts, _indices(texts, pattern), function)


def _indices(texts: tf.Tensor, pattern: str, negate: bool = False) -> tf.Tensor:
    matches = tf.strings.regex_full_match(texts, pattern)
    return tf.where(tf.logical_not(matches) if negate else matches)


def _at(
    texts: tf.Tensor, indices: tf.Tensor, function: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    changed = function(tf.gather_nd(texts, indices))
    return tf.tensor_scatter_nd_update(texts, indices, changed)


def _lower_unicode(texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.lower(texts, encoding="utf-8")


def _decode_decimal_entities(texts: tf.Tensor) -> tf.Tensor:
    """Replaces every `&#128514;` by its character."""
    # Raw text may hold the mark itself; a space is what it becomes later anyway.
    texts = tf.strings.regex_replace(texts, rules.HASHTAG, " ")
    marked = tf.strings.regex_replace(
        texts, r"&#(\d{1,7});", rf"{rules.HASHTAG}\1{rules.HASHTAG}"
    )
    pieces = tf.strings.split(marked, rules.HASHTAG)
    index = tf.ragged.range(pieces.row_lengths()).flat_values
    codes = tf.where(index % 2 == 1)
    numbers = tf.strings.to_number(tf.gather_nd(pieces.flat_values, codes), tf.int32)
    # What is no code point becomes U+FFFD.
    characters = tf.strings.unicode_encode(
        numbers[:, tf.newaxis], "UTF-8", errors="replace"
    )
    flat = tf.tensor_scatter_nd_update(pieces.flat_values, codes, characters)
    return tf.strings.reduce_join(pieces.with_flat_values(flat), axis=1)
