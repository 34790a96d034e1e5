"""Predicting for texts of all lengths: sorted, in small batches, and put back in order.

Else all would be padded to the longest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.data.length_order import length_order
from siatl_keras.inputs import as_text_tensor, as_texts
from siatl_keras.models.token_names import token_names
from siatl_keras.workers import place

# Small enough for texts of like length to meet, large enough for matrix products to be
# fast (`benchmarks/serving/in_process.py`).
TEXTS_PER_PART = 64


def classify_texts(model: Any, texts: tf.Tensor) -> tf.Tensor:
    """Computes the task's outputs of one batch of texts, in the graph, part by part.

    Args:
        model: a `SiATLClassifier` with a preprocessor.
        texts: string `[batch]`; pairs, `[batch, 2]`.

    Returns:
        float32 `[batch, outputs]`, in the order of the texts.
    """
    token_ids = model.preprocessor.tokenize(texts)
    order, places = length_order(token_ids.row_lengths())
    token_ids = tf.gather(token_ids, order)
    # At least one, empty if need be: a TensorArray of no elements cannot be joined.
    parts = tf.maximum(1, -(-tf.size(order) // TEXTS_PER_PART))

    def classify(part: tf.Tensor, outputs: tf.TensorArray) -> Any:
        rows = token_ids[part * TEXTS_PER_PART : (part + 1) * TEXTS_PER_PART]
        x = model.preprocessor.pack(rows)
        return part + 1, outputs.write(part, model.classify(x)[0])

    outputs = tf.TensorArray(
        tf.float32,
        size=parts,
        element_shape=(None, model.task.num_outputs),
        infer_shape=False,
    )
    _, outputs = tf.while_loop(
        lambda part, _: part < parts,
        classify,
        (tf.constant(0), outputs),
        parallel_iterations=1,
    )
    return tf.gather(outputs.concat(), places)


def in_order_of_length(texts: list[Any]) -> tuple[list[Any], np.ndarray]:
    """Sorts texts by their characters, which are known before they are tokenized.

    Args:
        texts: list of str, or of pairs.

    Returns:
        the texts, and where each of the given ones is among them.
    """
    lengths = [sum(map(len, t)) if isinstance(t, tuple) else len(t) for t in texts]
    order, places = (rows.numpy() for rows in length_order(lengths))
    return [texts[row] for row in order], places


def predicts_here(model: Any) -> bool:
    """Tells whether a process predicts by itself, without others or other devices.

    Each worker does so all of it: the chief may predict what the others do not.

    Args:
        model: a `SiATLClassifier`.
    """
    strategy = model.distribute_strategy
    return strategy.num_replicas_in_sync == 1 or place(strategy)[1] > 1


def predict_here(
    model: Any,
    preprocessor: Any,
    texts: list[Any],
    batch_size: int,
    verbose: Any,
    callbacks: Any,
) -> np.ndarray:
    """Predicts without a tf.data pipeline, which takes longer than a short text.

    Args:
        model: a `SiATLClassifier`.
        preprocessor: its `SiATLPreprocessor`.
        texts: list of str, or of pairs; not empty.
        batch_size: int.
        verbose: as for `keras.Model.predict`.
        callbacks: likewise.

    Returns:
        float32 numpy `[texts, outputs]`, in the order of the texts.
    """
    with tf.device("cpu"):
        token_ids = preprocessor.tokenize(as_text_tensor(texts, preprocessor.pairs))
        order = length_order(token_ids.row_lengths())[0].numpy()
    starts = range(0, len(texts), batch_size)
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = keras.callbacks.CallbackList(
            callbacks,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=1,
            steps=len(starts),
            model=model,
        )
    predict = _predict_function(model)
    model.stop_predicting = False
    outputs = np.zeros((len(texts), model.task.num_outputs), "float32")
    callbacks.on_predict_begin()
    for step, start in enumerate(starts):
        callbacks.on_predict_batch_begin(step)
        rows = order[start : start + batch_size]
        with tf.device("cpu"):
            x = preprocessor.pack(tf.gather(token_ids, rows))
        outputs[rows] = found = predict([(x,)])
        callbacks.on_predict_batch_end(step, {"outputs": found})
        if model.stop_predicting:
            break
    callbacks.on_predict_end()
    return outputs


def _predict_function(model: Any) -> Callable[[Any], Any]:
    """Makes what computes the outputs `[batch, outputs]` of a list of a batch."""
    if place(model.distribute_strategy)[1] == 1:
        model.make_predict_function()
        return model.predict_function
    # Keras's would give a part of the batch, and each worker has all of the weights.
    return tf.function(lambda data: model.predict_step(data[0]), reduce_retracing=True)


def attention(
    model: Any, preprocessor: Any, texts: Any
) -> tuple[list[list[str]], list[list[float]]]:
    """Shows what a classifier looks at; see `RawTextTask.attention`."""
    if not model.task_head.has_weights:
        raise ValueError(
            f"`attention` needs a model that weighs its tokens. Received one with "
            f'pooling={model.task_head.pooling!r}. Train one with pooling="attention".'
        )
    rows = as_texts(texts, "texts", pairs=preprocessor.pairs)
    x = preprocessor(as_text_tensor(rows, preprocessor.pairs))
    _, weights = model.classify(x)
    vocabulary = np.array(token_names(preprocessor.tokenizer))
    lengths = x["padding_mask"].numpy().sum(-1)
    found = list(zip(x["token_ids"].numpy(), weights.numpy(), lengths, strict=True))
    return (
        [vocabulary[ids[:length]].tolist() for ids, _, length in found],
        [weights[:length].tolist() for _, weights, length in found],
    )
