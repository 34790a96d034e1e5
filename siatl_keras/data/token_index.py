"""`TokenIndex`: what a folder of token shards holds, and what its ids depend on.

It is written last: a folder without one is not whole.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siatl_keras.atomic import write_json

INDEX = "index.json"
FORMAT = 1
DTYPES = ("uint16", "int32")
REMEDY = "Write the folder again with `recipes.tokenize_corpus --overwrite`."


@dataclass(frozen=True)
class Shard:
    """One file of token ids.

    Attributes:
        name: of the file, in the folder.
        rows: texts.
        tokens: ids, without start and end tokens.
        records: TFRecord records.
        bytes: size of the file.
        sha256: of the file.
        texts_sha256: of the texts, each followed by a line break.
    """

    name: str
    rows: int
    tokens: int
    records: int
    bytes: int
    sha256: str
    texts_sha256: str


@dataclass(frozen=True)
class TokenIndex:
    """What `index.json` says.

    Attributes:
        tokenizer: what the ids depend on, see `WordTokenizer.fingerprint`.
        dtype: of the ids, one of `DTYPES`.
        texts_per_shard: texts of each shard but the last.
        shards: the files, in the order of the texts.
        package_version: of the package that wrote it; nothing depends on it.
    """

    tokenizer: dict[str, Any]
    dtype: str
    texts_per_shard: int
    shards: tuple[Shard, ...]
    package_version: str

    def write(self, path: Path) -> None:
        """Writes a JSON file, all or nothing."""
        write_json(path, {"format": FORMAT, **dataclasses.asdict(self)})

    def refuse_another_tokenizer(self, folder: Path, expected: dict[str, Any]) -> None:
        """Raises if the ids are not those that a tokenizer gives.

        Args:
            folder: for the message.
            expected: the tokenizer's fingerprint.

        Raises:
            ValueError: if so; it says what differs.
        """
        for name in {**expected, **self.tokenizer}:
            found, wanted = self.tokenizer.get(name), expected.get(name)
            if found != wanted:
                raise ValueError(
                    f"{folder}: its ids are of another tokenizer than the run's. "
                    f"`{name}` was {_short(found)}, is {_short(wanted)}. Use the "
                    "vocabulary and settings that the folder was made with, or "
                    "tokenize the corpus again with `recipes.tokenize_corpus`."
                )


def read_index(path: Path) -> TokenIndex:
    """Reads an index.

    Args:
        path: the JSON file.

    Raises:
        ValueError: if it is damaged, or of a format that is not known here.
    """
    damaged = f"{path}: damaged, it is no index of tokens. {REMEDY}"
    try:
        read = json.loads(path.read_text("utf-8"))
        found = read.pop("format")
        if found == FORMAT:
            shards = tuple(Shard(**shard) for shard in read.pop("shards"))
            index = TokenIndex(**read, shards=shards)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(damaged) from error
    if found != FORMAT:
        raise ValueError(
            f"{path}: format {found!r} is not known, {FORMAT} is. {REMEDY}"
        )
    if not _is_sound(index):
        raise ValueError(damaged)
    return index


def _is_sound(index: TokenIndex) -> bool:
    kinds = {"int": int, "str": str}
    return (
        index.dtype in DTYPES
        and isinstance(index.tokenizer, dict)
        and all(
            isinstance(getattr(shard, field.name), kinds[str(field.type)])
            for shard in index.shards
            for field in dataclasses.fields(shard)
        )
        and all(Path(shard.name).name == shard.name for shard in index.shards)
    )


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"
