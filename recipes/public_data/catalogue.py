"""`DATA_SETS`: the data sets by name, as data_sets.toml describes them."""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import (
    clinc150_10shot,
    goemotions_small,
    imdb,
    msrp_pairs,
    scv2,
    sent17,
    sentences,
    snips,
)

Rows = Mapping[str, Sequence[Sequence[str]]]
ROWS = {
    "scv2": scv2.rows,
    "sent17": sent17.rows,
    "snips": snips.rows,
    "goemotions_small": goemotions_small.rows,
    "msrp_pairs": msrp_pairs.rows,
    "imdb_small": imdb.small,
    "imdb_stars": imdb.stars,
    "cr": sentences.cr,
    "subj": sentences.subj,
    "clinc150_10shot": clinc150_10shot.rows,
}


@dataclass(frozen=True)
class DataSet:
    """A data set, its sources and its files.

    Attributes:
        name: of its folder.
        what: in one line.
        licence: of the texts.
        cite: author, year and title.
        url: what the sources' paths are added to.
        columns: names of the columns.
        sources: sha256 by path.
        files: sha256 by name, of what is in them; those in .gz are packed.
        rows: function that makes the rows of each file, given one that reads sources.
    """

    name: str
    what: str
    licence: str
    cite: str
    url: str
    columns: Sequence[str]
    sources: Mapping[str, str]
    files: Mapping[str, str]
    rows: Callable[[Callable[[str], bytes]], Rows]


def _described() -> dict[str, DataSet]:
    text = Path(__file__).with_name("data_sets.toml").read_text("utf-8")
    return {
        name: DataSet(name, rows=ROWS[name], **described)
        for name, described in tomllib.loads(text).items()
    }


DATA_SETS = _described()


def check_fetched(path: str) -> None:
    """Raises if a file is one of a data set that has not been fetched.

    Args:
        path: such as `data/scv2/train.tsv`.

    Raises:
        ValueError: if there is no such folder, and it has a data set's name.
    """
    folder = Path(path).parent
    if folder.name in DATA_SETS and not folder.exists():
        output = "" if folder.parent == Path("data") else f" --output={folder.parent}"
        raise ValueError(
            f"{path}: no such file. {folder.name} is a public data set; "
            f"python -m recipes.fetch_data --name={folder.name}{output} gets it."
        )
