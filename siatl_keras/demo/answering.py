"""`Answering`: what classifiers say of texts, as a page shows it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from siatl_keras.data import in_batches, read_texts
from siatl_keras.evaluation import AttentionMap
from siatl_keras.models import SiATLClassifier
from siatl_keras.runs import format_header, format_prediction, predict_stream

# Texts of one request, and characters of one text: what a person types, not a corpus.
MOST_TEXTS, MOST_CHARACTERS = 64, 20_000
TEXTS_AT_A_TIME = 64


class Answering:
    """Classifiers side by side.

    Args:
        models: dict of `SiATLClassifier` by the name to be shown.

    Raises:
        ValueError: if there are none, or some take pairs of texts and others do not.
    """

    def __init__(self, models: Mapping[str, SiATLClassifier]) -> None:
        self.models = dict(models)
        kinds = {model.takes_pairs for model in self.models.values()}
        if len(kinds) != 1:
            raise ValueError(
                "Models side by side must all take single texts, or all pairs. "
                f"Received: {list(self.models)}."
            )
        (self.takes_pairs,) = kinds
        # One request after the other: a page is for one person.
        self._lock = threading.Lock()

    def about(self) -> dict[str, Any]:
        """Returns what the page must know before it asks anything."""
        return {
            "models": list(self.models),
            "pairs": self.takes_pairs,
            "most_texts": MOST_TEXTS,
        }

    def answer(self, texts: Any) -> list[dict[str, Any]]:
        """Answers texts.

        Args:
            texts: list of str; of pairs, of lists of two.

        Returns:
            for each text a dict of `text` and `answers`, a dict for each model:
            `model`, what `Task.answer_rows` gives, and, where its pooling weighs
            tokens, `tokens`, `weights` and `shares` (see `AttentionMap`).

        Raises:
            ValueError: if they are something else, too many, or too long.
        """
        rows = self._checked(texts)
        with self._lock:
            columns = [
                list(self._of_model(name, model, rows))
                for name, model in self.models.items()
            ]
        return [
            {"text": text, "answers": list(answers)}
            for text, *answers in zip(texts, *columns, strict=True)
        ]

    def label_file(self, name: str, content: bytes, model: str = "") -> str:
        """Labels a file's texts.

        Args:
            name: str, the file's, whose ending tells its format.
            content: bytes of it.
            model: str, which one labels it; the first by default.

        Returns:
            the lines of a .tsv file: the texts, labels and probabilities.

        Raises:
            ValueError: if it cannot be read, or there is no such model.
        """
        classifier = self.models.get(model or next(iter(self.models)))
        if classifier is None:
            raise ValueError(f"There is no model {model!r}. There are: {self.models}.")
        # Never a path of the sender's.
        ending = "".join(Path(name).suffixes[-2:])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"uploaded{ending}"
            path.write_bytes(content)
            pair = "text_pair" if self.takes_pairs else ""
            try:
                texts = list(
                    read_texts(path, "text" if pair else None, True, None, pair)
                )
            except ValueError as error:
                raise ValueError(str(error).replace(str(path), name)) from error
        lines = [format_header(classifier.task, self.takes_pairs)]
        with self._lock:
            for rows in predict_stream(classifier, in_batches(texts, TEXTS_AT_A_TIME)):
                lines += [format_prediction(row, as_json=False) for row in rows]
        return "".join(f"{line}\n" for line in lines)

    def _of_model(
        self, name: str, model: SiATLClassifier, rows: Sequence[Any]
    ) -> Iterator[dict[str, Any]]:
        answers = model.task.answer_rows(model.predict(list(rows), verbose=0))
        shown = model.attention(rows) if model.task_head.has_weights else None
        for number, answer in enumerate(answers):
            found = {"model": name, **answer}
            if shown:
                tokens, weights = shown[0][number], shown[1][number]
                shares = AttentionMap(name, "", None, tokens, weights).shares
                found |= {"tokens": tokens, "weights": weights, "shares": shares}
            yield found

    def _checked(self, texts: Any) -> list[Any]:
        if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_TEXTS:
            raise ValueError(f"Send a list of 1 to {MOST_TEXTS} texts.")
        rows = []
        for text in texts:
            sides = text if self.takes_pairs and isinstance(text, list) else [text]
            if len(sides) != 1 + self.takes_pairs or not all(
                isinstance(side, str) for side in sides
            ):
                kind = "two strings" if self.takes_pairs else "a string"
                raise ValueError(f"Each text must be {kind}.")
            if any(len(side) > MOST_CHARACTERS for side in sides):
                raise ValueError(f"A text has {MOST_CHARACTERS:,} characters at most.")
            for side in sides:
                if any("\ud800" <= character <= "\udfff" for character in side):
                    raise ValueError("A text holds half of a character.")
            rows.append(tuple(sides) if self.takes_pairs else sides[0])
        return rows
