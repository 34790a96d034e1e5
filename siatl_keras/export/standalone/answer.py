"""`Classifier`: texts in, labels out, with numpy and a runtime alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .read_texts import Reader, check_texts
from .runtimes import load_model

FOLDER = Path(__file__).parent.parent


class Classifier:
    """Answers texts as the model did that was exported.

    Args:
        folder: of the export; the one that this stands in if not given.
        threads: of the processor; the runtime chooses if not given.

    Example:
    >>> Classifier().answer(["what a day"])  # doctest: +SKIP
    [{'label': 'positive', 'probabilities': {'negative': 0.08, 'positive': 0.92}}]
    """

    def __init__(self, folder: str | Path = FOLDER, threads: int | None = None) -> None:
        folder = Path(folder)
        self.reader = Reader.from_file(folder / "tokenizer.json")
        served = json.loads((folder / "served.json").read_text("utf-8"))
        self.labels: list[str] = served["labels"]
        self.model = load_model(folder, threads)

    def answer(self, texts: list[Any]) -> list[dict[str, Any]]:
        """Answers texts.

        Args:
            texts: list of str; of tuples of two for a model of pairs.

        Returns:
            a dict for each text: of `label`, `None` where the model abstains, and
            `probabilities` by name; of `labels` and `probabilities` where texts have
            several labels; of `value` of a regression.

        Raises:
            ValueError: if a row is not what the model takes.
        """
        check_texts(texts, self.reader.settings["pairs"])
        # Texts of one length together, since the longest of a batch sets its price.
        order = sorted(range(len(texts)), key=lambda row: len("".join(texts[row])))
        rows: list[dict[str, Any]] = [{} for _ in texts]
        start = 0
        while start < len(order):
            part = order[start : start + self.model.batch_size(len(order) - start)]
            start += len(part)
            numbers = self.model(self.reader.read([texts[row] for row in part]))
            for at, row in enumerate(part):
                rows[row] = self._row({k: value[at] for k, value in numbers.items()})
        return rows

    def _row(self, numbers: dict[str, np.ndarray]) -> dict[str, Any]:
        if "value" in numbers:
            return {"value": float(numbers["value"])}
        shares = map(float, numbers["probabilities"])
        probabilities = dict(zip(self.labels, shares, strict=True))
        if "is_label" in numbers:
            labels = [self.labels[i] for i in np.flatnonzero(numbers["is_label"])]
            return {"labels": labels, "probabilities": probabilities}
        number = int(numbers["label_id"])
        label = self.labels[number] if number >= 0 else None
        return {"label": label, "probabilities": probabilities}
