"""`TokenizeConfig`: the tokenizing of a corpus as a value."""

from __future__ import annotations

from dataclasses import dataclass

from siatl_keras.data.write_token_shards import TEXTS_PER_SHARD
from siatl_keras.setting import check_given, check_settings, setting


@dataclass(frozen=True, kw_only=True)
class TokenizeConfig:
    """What `tokenize_corpus` does.

    The help text of each field says what it does; it is also that of the flag of the
    same name.

    Raises:
        ValueError: if a value is out of range, or missing.
    """

    corpus: tuple[str, ...] = setting(
        None, "Text file: .txt, .tsv, .csv, .jsonl, …, also .gz. May be repeated."
    )
    vocabulary: str = setting(None, "File that recipes.build_vocabulary wrote.")
    output: str = setting(None, "Folder of the run, which gets the tokens.")
    texts_per_shard: int = setting(
        TEXTS_PER_SHARD,
        "Texts of a file of tokens: what a stopped run does again, and what is read "
        "at once. Fewer where texts are books.",
        lower_bound=1,
    )
    text_column: str | None = setting(
        None,
        "Column (or JSON key) with the text. By default the one called text, or that "
        "the file's beginning tells from the others.",
    )
    encoding: str = setting("utf-8", "Of text files, such as cp1252.")

    def __post_init__(self) -> None:
        check_settings(self)
        check_given(self, "corpus", "vocabulary", "output")
