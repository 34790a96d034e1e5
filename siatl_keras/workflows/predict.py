"""`predict_stream`: labels and probabilities for texts as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import tensorflow as tf

from siatl_keras.inputs import as_text_tensor
from siatl_keras.models import SiATLClassifier
from siatl_keras.models.class_answers import class_answers

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
        for each batch, before the next is asked for, a list with a dict of `text`,
        `text_pair` where the model takes pairs, `label` and `probabilities` by label
        for each text.
    """
    pairs = model.takes_pairs
    spec = tf.TensorSpec([None, 2] if pairs else [None], tf.string)

    @tf.function(input_signature=[spec])
    def classify(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        answers = class_answers(model.classify_texts(batch), model.label_names)
        return answers.label_id, answers.probabilities

    for batch in batches:
        label_ids, rows = classify(as_text_tensor(list(batch), pairs))
        yield [
            {
                **(dict(zip(TEXTS, text, strict=True)) if pairs else {"text": text}),
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


def format_header(label_names: Iterable[str], pairs: bool = False) -> str:
    """Writes the column names of `format_prediction`'s lines.

    Args:
        label_names: names of the classes.
        pairs: whether texts come in pairs.

    Returns:
        the line, without its end.
    """
    texts = TEXTS if pairs else TEXTS[:1]
    return "\t".join([*texts, "label", *map(_one_field, label_names)])


def format_prediction(prediction: dict[str, Any], as_json: bool) -> str:
    """Writes a prediction as a line.

    Args:
        prediction: one that `predict_stream` yields.
        as_json: a JSON object; otherwise `text<TAB>label<TAB>p1<TAB>p2…`, both texts
            of a pair before the label, white space in text and label made plain spaces.

    Returns:
        the line, without its end.
    """
    if as_json:
        return json.dumps(prediction, ensure_ascii=False)
    values = prediction["probabilities"].values()
    return "\t".join(
        [
            *(_one_field(prediction[name]) for name in TEXTS if name in prediction),
            _one_field(prediction["label"]),
            *(f"{value:.6f}" for value in values),
        ]
    )


def _one_field(text: str) -> str:
    return " ".join(text.split())
