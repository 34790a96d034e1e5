"""`predict_stream`: answers to texts as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from siatl_keras.data.one_line import one_line
from siatl_keras.inputs import as_text_tensor
from siatl_keras.models import SiATLClassifier
from siatl_keras.tasks import Task

# The columns, and JSON keys, of a pair.
TEXTS = ("text", "text_pair")


def predict_stream(
    model: SiATLClassifier, batches: Iterable[Sequence[Any]]
) -> Iterator[list[dict[str, Any]]]:
    """Classifies texts in constant memory.

    Args:
        model: the classifier.
        batches: any iterable of lists of texts, or of pairs of texts, such as
            `in_batches` or `arriving_batches` make; also one that does not end.

    Yields:
        for each batch, before the next is asked for, a list with a dict for each text:
        `text`, `text_pair` where the model takes pairs, and what `Task.answer_rows` of
        the model's task gives, such as `label` and `probabilities` by label.
    """
    pairs = model.takes_pairs
    spec = tf.TensorSpec([None, 2] if pairs else [None], tf.string)

    @tf.function(input_signature=[spec])
    def classify(batch: tf.Tensor) -> tf.Tensor:
        return model.classify_texts(batch)

    for batch in batches:
        outputs = classify(as_text_tensor(list(batch), pairs)).numpy()
        yield [
            {
                **(dict(zip(TEXTS, text, strict=True)) if pairs else {"text": text}),
                **row,
            }
            for text, row in zip(batch, model.task.answer_rows(outputs), strict=True)
        ]


def format_header(task: Task, pairs: bool = False) -> str:
    """Writes the column names of `format_prediction`'s lines.

    Args:
        task: what the answers are of.
        pairs: whether texts come in pairs.

    Returns:
        the line, without its end.
    """
    texts = TEXTS if pairs else TEXTS[:1]
    return "\t".join([*texts, *map(one_line, task.answer_columns)])


def format_prediction(prediction: dict[str, Any], as_json: bool) -> str:
    """Writes a prediction as a line.

    Args:
        prediction: one that `predict_stream` yields.
        as_json: a JSON object; otherwise `text<TAB>label<TAB>p1<TAB>p2…`, both texts
            of a pair before the label, several labels with commas between, a number in
            place of label and probabilities where the model gives one; white space in
            text and label made plain spaces.

    Returns:
        the line, without its end.
    """
    if as_json:
        return json.dumps(prediction, ensure_ascii=False)
    return "\t".join(field for value in prediction.values() for field in _fields(value))


def _fields(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{probability:.6f}" for probability in value.values()]
    if value is None:  # No answer.
        return [""]
    if isinstance(value, list):
        return [one_line(",".join(value))]
    return [one_line(value) if isinstance(value, str) else f"{value:g}"]
