"""`predict_stream`: labels and probabilities for texts as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from siatl_keras.models import SiATLClassifier
from siatl_keras.models.class_answers import class_answers


def predict_stream(
    model: SiATLClassifier, batches: Iterable[Sequence[str]]
) -> Iterator[list[dict[str, Any]]]:
    """Classifies texts in constant memory.

    Args:
        model: the classifier.
        batches: any iterable of lists of texts, such as `in_batches` or
            `arriving_batches` make; also one that does not end.

    Yields:
        for each batch, before the next is asked for, a list with a dict of `text`,
        `label` and `probabilities` by label for each text.
    """

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def classify(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        answers = class_answers(model.classify_texts(batch), model.label_names)
        return answers.label_id, answers.probabilities

    for batch in batches:
        label_ids, rows = classify(tf.constant(batch, tf.string))
        yield [
            {
                "text": text,
                "label": model.label_names[label_id],
                "probabilities": {
                    name: round(float(value), 6)
                    for name, value in zip(model.label_names, row, strict=True)
                },
            }
            for text, label_id, row in zip(
                batch, label_ids.numpy(), rows.numpy(), strict=True
            )
        ]


def format_header(label_names: Iterable[str]) -> str:
    """Writes the column names of `format_prediction`'s lines.

    Args:
        label_names: names of the classes.

    Returns:
        the line, without its end.
    """
    return "\t".join(["text", "label", *map(_one_field, label_names)])


def format_prediction(prediction: dict[str, Any], as_json: bool) -> str:
    """Writes a prediction as a line.

    Args:
        prediction: one that `predict_stream` yields.
        as_json: a JSON object; otherwise `text<TAB>label<TAB>p1<TAB>p2…`, white space
            in text and label made plain spaces.

    Returns:
        the line, without its end.
    """
    if as_json:
        return json.dumps(prediction, ensure_ascii=False)
    values = prediction["probabilities"].values()
    return "\t".join(
        [
            _one_field(prediction["text"]),
            _one_field(prediction["label"]),
            *(f"{value:.6f}" for value in values),
        ]
    )


def _one_field(text: str) -> str:
    return " ".join(text.split())
