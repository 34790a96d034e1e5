"""`explain`: what several classifiers look at in the same texts, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from siatl_keras.atomic import write_text
from siatl_keras.evaluation import (
    AttentionMap,
    attention_page,
    plot_attention,
    short_names,
)
from siatl_keras.extras import is_installed
from siatl_keras.models import SiATLClassifier
from siatl_keras.runs.evaluate import Evaluation

TEXTS_AT_A_TIME = 64
# A picture of more could be too high to be drawn or looked at.
TEXTS_IN_PICTURE = 20


def explain(
    models: Sequence[str],
    texts: Sequence[Any],
    output: str | Path,
    overwrite: bool = False,
    truths: Sequence[str] = (),
    wrong_only: bool = False,
) -> None:
    """Writes `attention.html`, and `attention.png` of the first 20 texts.

    Args:
        models: presets of `SiATLClassifier`s.
        texts: the texts; tuples of two for models of pairs.
        output: folder.
        overwrite: whether the two files are replaced if they are there.
        truths: the true answers, "" where nobody knows; none by default.
        wrong_only: whether to show those texts alone that a model answers otherwise.

    Raises:
        ValueError: if there are no models or texts, a model cannot be read, a text has
            no UTF-8, a file is there and `overwrite` is false, or nothing is wrong
            where that alone is to be shown.
    """
    if not models or not texts:
        raise ValueError(
            "There must be at least one model and one text. Received: "
            f"{len(models)} and {len(texts)}."
        )
    page, picture = (Path(output) / f"attention.{end}" for end in ("html", "png"))
    for path in (page, picture):
        if path.exists() and not overwrite:
            raise ValueError(
                f"{path} exists already. Choose another folder, or pass `--overwrite`."
            )
    for number, text in enumerate(texts, start=1):
        for side in text if isinstance(text, tuple) else (text,):
            _check_utf8(side, number)
    truths = list(truths) or [""] * len(texts)
    columns = [
        list(_maps(path, name, texts, truths))
        for path, name in zip(models, short_names(models), strict=True)
    ]
    rows = list(zip(*columns, strict=True))
    if wrong_only:
        kept = [
            number
            for number, maps in enumerate(rows)
            if any(found.is_wrong for found in maps)
        ]
        if not kept:
            raise ValueError(
                f"`wrong_only`: no text of {len(texts)} is answered otherwise than is "
                "true. Texts need their true labels: name `label_column`."
            )
        texts, rows = ([values[number] for number in kept] for values in (texts, rows))
    write_text(page, attention_page(texts, rows))
    if is_installed("matplotlib"):
        plot_attention(rows[:TEXTS_IN_PICTURE], picture)


def _check_utf8(text: str, number: int) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"Text {number} is not UTF-8 (character {error.start + 1}). Convert it."
        ) from error


def _maps(
    path: str, name: str, texts: Sequence[Any], truths: Sequence[str]
) -> Iterator[AttentionMap]:
    """Yields a classifier's map of each text."""
    model = SiATLClassifier.from_preset(path)
    for start in range(0, len(texts), TEXTS_AT_A_TIME):
        batch = list(texts[start : start + TEXTS_AT_A_TIME])
        rows = model.task.answer_rows(model.predict(batch, verbose=0))
        known = truths[start : start + TEXTS_AT_A_TIME]
        for tokens, weights, row, truth in zip(
            *model.attention(batch), rows, known, strict=True
        ):
            yield AttentionMap(name, *_answer(row), tokens, weights, truth)


def attention_in(model: SiATLClassifier, evaluation: Evaluation) -> list[AttentionMap]:
    """Shows what a classifier looked at where it was wrong.

    Args:
        model: the classifier.
        evaluation: of it.

    Returns:
        a map for each mistake of the evaluation; none where the model shows none.
    """
    mistakes = evaluation.mistakes
    if not mistakes or not model.task_head.has_weights:
        return []
    texts = [evaluation.examples.texts[mistake.row] for mistake in mistakes]
    tokens, weights = model.attention(texts)
    return [
        AttentionMap("", mistake.answer, None, *found, mistake.label)
        for mistake, found in zip(
            mistakes, zip(tokens, weights, strict=True), strict=True
        )
    ]


def _answer(row: dict[str, Any]) -> tuple[str, float | None]:
    """Returns what is shown of an answer: in words, and how probable it is."""
    if "label" in row:
        return row["label"], row["probabilities"][row["label"]]
    if "labels" in row:
        return ",".join(row["labels"]) or "(no label)", None
    return f"{row['value']:g}", None
