"""`check_assets`: the files of tokenizers, which KerasHub believes as they are."""

from __future__ import annotations

from pathlib import Path

from siatl_keras.presets.check_config import read_json

VOCABULARY = "assets/tokenizer/vocabulary.json"
MERGES = "assets/tokenizer/merges.txt"
WORDS = "assets/tokenizer/vocabulary.txt"


def check_words(path: Path, source: str, size: int | None) -> None:
    """Checks that each word of a list has a row of the embedding.

    Args:
        path: of the text file.
        source: its name in errors.
        size: rows of the embedding; `None` if not known.

    Raises:
        ValueError: that names the file, if there are more words than rows.
    """
    words = sum(1 for _ in path.open("rb"))
    if size is not None and words > size:
        raise ValueError(
            f"{source}: {words} words, but the embedding has {size} rows. Vocabulary "
            "and model do not belong together: save or download the preset again."
        )


def check_vocabulary(path: Path, source: str, size: int | None) -> dict[str, int]:
    """Reads the tokens and their ids.

    Args:
        path: of the JSON file.
        source: its name in errors.
        size: rows of the embedding; `None` if not known.

    Returns:
        the ids by token.

    Raises:
        ValueError: that names the file and the token: it is no JSON object of tokens
            and distinct ids, or an id is outside of the embedding.
    """
    vocabulary = read_json(path, source)
    seen: dict[int, str] = {}
    for token, number in vocabulary.items():
        if type(number) is not int or not 0 <= number < (
            1 << 31 if size is None else size
        ):
            raise ValueError(
                f"{source}, `{token[:20]}`: an id from 0 to "
                f"{'2**31' if size is None else size} (exclusive) expected, since the "
                f"embedding has no more rows. Found: {str(number)[:20]}."
            )
        if number in seen:
            raise ValueError(
                f"{source}, `{token[:20]}`: its id {number} is also that of "
                f"`{seen[number][:20]}`."
            )
        seen[number] = token
    return vocabulary


def check_merges(path: Path, source: str, vocabulary: dict[str, int]) -> None:
    """Checks the merges.

    Args:
        path: of the text file.
        source: its name in errors.
        vocabulary: the known tokens.

    Raises:
        ValueError: that names the file and the line: it is no UTF-8, or no pair of
            tokens whose union is a token.
    """
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            text = line.decode("utf-8").rstrip()
        except UnicodeDecodeError as error:
            raise ValueError(f"{source}, line {number}: not UTF-8.") from error
        if not text or "#version:" in text:
            continue
        pair = text.split(" ")
        if len(pair) != 2 or not {*pair, "".join(pair)} <= vocabulary.keys():
            raise ValueError(
                f"{source}, line {number}: two tokens of the vocabulary expected, "
                f"which together are a third. Found: {text[:20]!r}."
            )
