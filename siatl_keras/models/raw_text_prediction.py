"""`RawTextPrediction`: the task's outputs for texts, in their order.

A few texts need no tf.data pipeline, which takes longer to build than they to classify.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.data import classification_dataset as build_dataset
from siatl_keras.inputs import as_text_tensor, as_texts
from siatl_keras.inputs.refusals import errors_of_rows
from siatl_keras.models.raw_text_batches import (
    DATASETS,
    RawTextBatches,
    checked_batch_size,
    refuse_with_dataset,
)
from siatl_keras.models.token_names import token_names

# Small enough for texts of like length to meet, large enough for matrix products to be
# fast (`benchmarks/serving.py`).
TEXTS_PER_PART = 64


class RawTextPrediction(RawTextBatches):
    """Mixin for a `keras_hub.models.Task` with `preprocessor` and `task`."""

    def predict(
        self,
        x: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        callbacks: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Computes the task's outputs for texts: logits, or numbers of a regression.

        Args:
            x: texts, as for `fit`, or an iterator of texts; or a dataset of batches of
                texts or of packed batches, whose labels are left out.
            batch_size: int, 32 if not given.
            verbose: as for `keras.Model.predict`.
            callbacks: list of Keras callbacks.
            **kwargs: other arguments of `keras.Model.predict`, for datasets.

        Returns:
            float32 numpy `[texts, outputs]`, in the order of the texts.

        Raises:
            ValueError: if `x` is something else; the message names the row.
        """
        how = {"verbose": verbose, "callbacks": callbacks}
        if isinstance(x, DATASETS):
            refuse_with_dataset(batch_size=batch_size)
            with errors_of_rows():
                dataset = self._packed(x, "x", labelled=False)
                return keras.Model.predict(self, dataset, **how, **kwargs)
        if x is None:
            raise ValueError("`x` is missing. Pass a list of texts.")
        texts = as_texts(x, "x", iterators=True, pairs=self.takes_pairs)
        if not texts:
            return self._empty_outputs(0)
        if self.distribute_strategy.num_replicas_in_sync > 1 or kwargs:  # type: ignore[attr-defined]
            # Batches of similar length need little padding. Characters are known before
            # the texts are tokenized.
            order = np.argsort([_characters(text) for text in texts], kind="stable")
            dataset = build_dataset(
                [texts[i] for i in order],
                None,
                self._texts_preprocessor,
                checked_batch_size(batch_size),
            )
            outputs = keras.Model.predict(self, dataset, **how, **kwargs)
            return outputs[np.argsort(order)]
        return self._predict_here(texts, checked_batch_size(batch_size), **how)

    def predict_proba(self, x: Any = None, **kwargs: Any) -> np.ndarray:
        """Computes the probabilities of classes, levels or labels.

        Args:
            x: as for `predict`.
            **kwargs: as for `predict`.

        Returns:
            float32 numpy `[texts, label_names]`, in the order of the texts; each row
            sums to 1, but where a text may have several labels.

        Raises:
            ValueError: if the task is a regression.
        """
        return self.task.probabilities(self.predict(x, **kwargs))  # type: ignore[attr-defined]

    def predict_labels(self, x: Any = None, **kwargs: Any) -> list[Any]:
        """Answers for each text: its class, level, labels or number.

        Args:
            x: as for `predict`.
            **kwargs: as for `predict`.

        Returns:
            list in the order of the texts: of names as in `label_names`, of lists of
            these where a text may have several, of float for a regression.
        """
        return self.task.answers(self.predict(x, **kwargs))  # type: ignore[attr-defined]

    def predict_on_batch(self, x: Any) -> np.ndarray:
        """Computes the task's outputs for one batch.

        Args:
            x: texts, as for `fit`, or a packed batch.

        Returns:
            float32 numpy `[batch, outputs]`.
        """
        if not isinstance(x, dict):
            texts = as_texts(x, "x", pairs=self.takes_pairs)
            x = self._texts_preprocessor(as_text_tensor(texts, self.takes_pairs))
        return keras.Model.predict_on_batch(self, x)

    def attention(self, texts: Any) -> tuple[list[list[str]], list[list[float]]]:
        """Shows what the classifier looks at.

        Args:
            texts: list of str, or of pairs, which are one row of tokens each.

        Returns:
            `(tokens, weights)`: for each text its tokens, start and end included, and
            their attention weights, which sum to 1.

        Raises:
            ValueError: if the model's pooling has no such weights.
        """
        task_head: Any = self.task_head  # type: ignore[attr-defined]
        if not task_head.has_weights:
            raise ValueError(
                f"`attention` needs a model that weighs its tokens. Received one with "
                f"pooling={task_head.pooling!r}. Train one with "
                'pooling="attention".'
            )
        rows = as_texts(texts, "texts", pairs=self.takes_pairs)
        preprocessor = self._texts_preprocessor
        x = preprocessor(as_text_tensor(rows, self.takes_pairs))
        _, weights = self.classify(x)  # type: ignore[attr-defined]
        vocabulary = np.array(token_names(preprocessor.tokenizer))
        lengths = x["padding_mask"].numpy().sum(-1)
        found = list(zip(x["token_ids"].numpy(), weights.numpy(), lengths, strict=True))
        return (
            [vocabulary[ids[:length]].tolist() for ids, _, length in found],
            [weights[:length].tolist() for _, weights, length in found],
        )

    def classify_texts(self, texts: tf.Tensor) -> tf.Tensor:
        """Computes the task's outputs for one batch of texts, in the graph.

        Works through the batch in parts of similar length: else all would be padded to
        the longest.

        Args:
            texts: string `[batch]`; pairs, `[batch, 2]`.

        Returns:
            float32 `[batch, outputs]`, in the order of the texts.
        """
        preprocessor = self.preprocessor  # type: ignore[attr-defined]
        token_ids = preprocessor.tokenize(texts)
        order = tf.argsort(token_ids.row_lengths(), stable=True)
        token_ids = tf.gather(token_ids, order)
        # At least one, empty if need be: a TensorArray of no elements cannot be joined.
        parts = tf.maximum(1, -(-tf.size(order) // TEXTS_PER_PART))

        def classify(part: tf.Tensor, logits: tf.TensorArray) -> Any:
            rows = token_ids[part * TEXTS_PER_PART : (part + 1) * TEXTS_PER_PART]
            x = preprocessor.pack(rows)
            return part + 1, logits.write(part, self.classify(x)[0])  # type: ignore[attr-defined]

        shape = (None, self.task.num_outputs)  # type: ignore[attr-defined]
        logits = tf.TensorArray(
            tf.float32, size=parts, element_shape=shape, infer_shape=False
        )
        _, logits = tf.while_loop(
            lambda part, _: part < parts,
            classify,
            (tf.constant(0), logits),
            parallel_iterations=1,
        )
        return tf.gather(logits.concat(), tf.argsort(order))

    def _empty_outputs(self, texts: int) -> np.ndarray:
        size: int = self.task.num_outputs  # type: ignore[attr-defined]
        return np.zeros((texts, size), "float32")

    def _predict_here(
        self, texts: list[Any], batch_size: int, verbose: Any, callbacks: Any
    ) -> np.ndarray:
        """Predicts without a tf.data pipeline, which takes longer than a short text."""
        preprocessor = self._texts_preprocessor
        with tf.device("cpu"):
            tensor = as_text_tensor(texts, self.takes_pairs)
            token_ids = preprocessor.tokenize(tensor)
        order = np.argsort(token_ids.row_lengths(), kind="stable")
        starts = range(0, len(texts), batch_size)
        if not isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks = keras.callbacks.CallbackList(
                callbacks,
                add_progbar=verbose != 0,
                verbose=verbose,
                epochs=1,
                steps=len(starts),
                model=self,
            )
        self.make_predict_function()  # type: ignore[attr-defined]
        self.stop_predicting = False
        outputs = self._empty_outputs(len(texts))
        callbacks.on_predict_begin()
        for step, start in enumerate(starts):
            callbacks.on_predict_batch_begin(step)
            rows = order[start : start + batch_size]
            with tf.device("cpu"):
                x = preprocessor.pack(tf.gather(token_ids, rows))
            logits = self.predict_function([(x,)])  # type: ignore[attr-defined]
            outputs[rows] = logits
            callbacks.on_predict_batch_end(step, {"outputs": logits})
            if self.stop_predicting:
                break
        callbacks.on_predict_end()
        return outputs


def _characters(text: Any) -> int:
    return sum(map(len, text)) if isinstance(text, tuple) else len(text)
