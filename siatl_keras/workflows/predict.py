"""`predict_stream`: labels and probabilities for texts as they come."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.models import SiATLClassifier


def predict_stream(
    model: SiATLClassifier, texts: Iterable[str], batch_size: int = 256
) -> Iterator[dict[str, Any]]:
    """Classifies texts in constant memory.

    Args:
        model: the classifier.
        texts: any iterable, also one that does not end.
        batch_size: int, texts classified at a time.

    Yields:
        for each text a dict of `text`, `label` and `probabilities` by label.
    """

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def probabilities(batch: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(model.classify_texts(batch))

    texts = iter(texts)
    while batch := list(itertools.islice(texts, batch_size)):
        for text, row in zip(
            batch, probabilities(tf.constant(batch)).numpy(), strict=True
        ):
            yield {
                "text": text,
                "label": model.label_names[int(np.argmax(row))],
                "probabilities": {
                    name: round(float(value), 6)
                    for name, value in zip(model.label_names, row, strict=True)
                },
            }


def format_prediction(prediction: dict[str, Any], as_json: bool) -> str:
    """Writes a prediction as a line.

    Args:
        prediction: what `predict_stream` yields.
        as_json: a JSON object; otherwise `text<TAB>label<TAB>p1<TAB>p2…`, white space
            in the text made plain spaces.

    Returns:
        the line, without its end.
    """
    if as_json:
        return json.dumps(prediction, ensure_ascii=False)
    values = prediction["probabilities"].values()
    return "\t".join(
        [
            " ".join(prediction["text"].split()),
            prediction["label"],
            *(f"{value:.6f}" for value in values),
        ]
    )
