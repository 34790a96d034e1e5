"""The authors' `Vocab` as our `WordTokenizer`'s words, and back; ids stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from siatl_keras.importers.torch.torch_objects import shown
from siatl_keras.text.word_tokenizer import SPECIAL_TOKENS

# The attributes of their `Vocab` that name its first four words, in that order.
SPECIAL_ATTRIBUTES = {"PAD": "<pad>", "SOS": "<sos>", "EOS": "<eos>", "UNK": "<unk>"}


def words_of_vocabulary(
    vocabulary: dict[str, Any], size: int, source: str
) -> list[str]:
    """Returns the words in the order of their ids, special tokens under our names.

    A word that `WordTokenizer` cannot hold (repeated, with white space, or one of our
    special tokens in another place) becomes `<unused-17>`, 17 its id: ids and logits
    stay, and no text can contain it.

    Args:
        vocabulary: attributes of their `Vocab`.
        size: int, rows of the embedding.
        source: the file, for errors.

    Raises:
        ValueError: if there is not one word for each row, or the first four are not
            the special tokens.
    """
    by_id = vocabulary.get("id2tok")
    if not isinstance(by_id, dict) or set(by_id) != set(range(size)):
        found = len(by_id) if isinstance(by_id, dict) else "no dict"
        raise ValueError(
            f"{source}: `vocab.id2tok` must have a word for each of the {size} rows of "
            f"the embedding. Received: {found}."
        )
    for index, name in enumerate(SPECIAL_ATTRIBUTES):
        word, theirs = by_id.get(index), vocabulary.get(name)
        if not isinstance(word, str) or not isinstance(theirs, str) or word != theirs:
            raise ValueError(
                f"{source}: word {index} must be the special token `vocab.{name}`, "
                f"{shown(theirs)}. Received: {shown(word)}."
            )
    words = list(SPECIAL_TOKENS)
    seen = set(words)
    for index in range(4, size):
        word = by_id[index]
        if not isinstance(word, str):
            raise ValueError(
                f"{source}: `vocab.id2tok[{index}]` is {shown(word)}, no word."
            )
        if word.split() != [word] or word in seen:
            word = f"<unused-{index}>"
        seen.add(word)
        words.append(word)
    return words


def vocabulary_of_words(words: Sequence[str]) -> dict[str, Any]:
    """Returns the attributes of their `Vocab` for our words.

    Its `Counter` is left empty: how often each word occurred is not known any more.
    """
    theirs = [*SPECIAL_ATTRIBUTES.values(), *words[len(SPECIAL_ATTRIBUTES) :]]
    return {
        **SPECIAL_ATTRIBUTES,
        "tok2id": {word: index for index, word in enumerate(theirs)},
        "id2tok": dict(enumerate(theirs)),
        "size": len(theirs),
    }
