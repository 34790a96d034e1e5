"""The data sets: what is learned from, and what is tested on."""

import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from siatl_keras.data import read_examples


@dataclass(frozen=True)
class DataSet:
    """A folder with train.tsv and test.tsv, each of them perhaps compressed.

    Attributes:
        folder: its name.
        per_class: training texts of each class; all if `None`.
        most: training texts, drawn from all of them; all if `None`.
    """

    folder: str
    per_class: int | None = None
    most: int | None = None

    def train(self, root: Path) -> tuple[list[str], list[str]]:
        """Returns the training texts and their labels, the same in each call."""
        texts, labels = self._read(root, "train")
        order = list(range(len(texts)))
        random.Random(0).shuffle(order)
        if self.per_class:
            rows = defaultdict(list)
            for row in order:
                rows[labels[row]].append(row)
            order = [row for each in rows.values() for row in each[: self.per_class]]
        order = sorted(order[: self.most])
        return [texts[row] for row in order], [labels[row] for row in order]

    def unlabelled(self, root: Path) -> list[str]:
        """Returns the other training texts, without their labels."""
        learned = set(self.train(root)[0])
        return [text for text in self._read(root, "train")[0] if text not in learned]

    def test(self, root: Path) -> tuple[list[str], list[str]]:
        """Returns the test texts and their labels.

        Those whose label no training text has are left out: a few lines of subj's test
        file are broken.
        """
        known = set(self._read(root, "train")[1])
        rows = zip(*self._read(root, "test"), strict=True)
        texts, labels = zip(*(row for row in rows if row[1] in known), strict=True)
        return list(texts), list(labels)

    def _read(self, root: Path, part: str) -> tuple[list[str], list[str]]:
        (path,) = (root / self.folder).glob(f"{part}.tsv*")
        examples = read_examples(str(path))
        return examples.texts, examples.labels


SETS = {
    "scv2": DataSet("scv2"),
    "cr": DataSet("cr"),
    "subj": DataSet("subj"),
    "sent17_1000": DataSet("sent17", most=1000),
    "clinc150_10shot": DataSet("clinc150_10shot"),
    "snips_10shot": DataSet("snips", per_class=10),
    "imdb_small": DataSet("imdb_small"),
}
