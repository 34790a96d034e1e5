"""`RawTextFitting`: `fit`, `evaluate` and `predict` on texts and labels.

KerasHub's own turn texts into batches in the order given, each padded to its longest
text; these sort by length, shuffle anew each epoch from a seed, and know class names
and class weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.data import EpochCounter, class_weight_to_sample_weight
from siatl_keras.data import classification_dataset as build_dataset
from siatl_keras.training import SetEpoch

# Small enough for texts of like length to meet, large enough for matrix products to be
# fast (`benchmarks/serving.py`).
TEXTS_PER_PART = 64


class RawTextFitting:
    """Mixin for a `keras_hub.models.Task` with `preprocessor` and `label_names`."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        validation_data: Any = None,
        class_weight: Mapping[Any, float] | str | None = None,
        shuffle: bool = True,
        seed: int = 0,
        callbacks: Any = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains on texts and labels.

        Args:
            x: list of str; or a `tf.data.Dataset` of batches `(texts, labels)`, or of
                packed batches as `siatl_keras.data.classification_dataset` makes them.
            y: class numbers or class names, one a text.
            batch_size: int, 32 if not given.
            sample_weight: float, one a text, weights of the task loss.
            validation_data: `(texts, labels)`, or a dataset like `x`.
            class_weight: dict of class number or name to the weight of its texts in
                the task loss, or "balanced".
            shuffle: bool, whether to shuffle anew each epoch.
            seed: int, of the shuffling.
            callbacks: list of Keras callbacks.
            **kwargs: other arguments of `keras.Model.fit`.

        Returns:
            `keras.callbacks.History`.

        Raises:
            ValueError: if labels are not classes of the model, or `class_weight` comes
                with a dataset.
        """
        callbacks = list(callbacks or [])
        if isinstance(x, tf.data.Dataset):
            if class_weight is not None:
                raise ValueError(
                    "`class_weight` needs texts and labels. With a dataset, pass "
                    "`sample_weight` to `classification_dataset`."
                )
            dataset = self._packed(x)
        else:
            labels = self.label_ids(y)
            if class_weight is not None:
                by_class = class_weight_to_sample_weight(
                    labels, self._by_number(class_weight)
                )
                sample_weight = by_class * (
                    1.0 if sample_weight is None else np.asarray(sample_weight)
                )
            epoch = EpochCounter()
            callbacks.append(SetEpoch(epoch))
            dataset = build_dataset(
                x,
                labels,
                self.preprocessor,  # type: ignore[attr-defined]
                batch_size or 32,
                sample_weight=sample_weight,
                shuffle=shuffle,
                seed=seed,
                epoch=epoch,
                on_coverage=lambda seen: seen.report(kwargs.get("verbose", "auto")),
            )
        if validation_data is not None:
            validation_data = self._evaluation_dataset(validation_data, batch_size)
        return keras.Model.fit(
            self,
            dataset,
            validation_data=validation_data,
            callbacks=callbacks,
            shuffle=False,  # The dataset does; Keras's default makes it warn.
            **kwargs,
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Evaluates on texts and labels; arguments as for `fit`.

        Returns:
            the metrics, as `keras.Model.evaluate` does.
        """
        if not kwargs.get("_use_cached_eval_dataset"):
            data = x if y is None else (x, y, sample_weight)
            x = self._evaluation_dataset(data, batch_size)
        return keras.Model.evaluate(self, x, **kwargs)

    def predict(
        self, x: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """Computes the task logits of texts.

        Args:
            x: list of str, or a dataset of batches of texts or of packed batches.
            batch_size: int, 32 if not given.
            **kwargs: other arguments of `keras.Model.predict`.

        Returns:
            float32 numpy `[texts, classes]`, in the order of the texts.
        """
        if isinstance(x, tf.data.Dataset):
            return keras.Model.predict(self, self._packed(x), **kwargs)
        # Batches of similar length need little padding. Characters are known before the
        # texts are tokenized.
        order = np.argsort([len(text) for text in x], kind="stable")
        dataset = build_dataset(
            [x[i] for i in order],
            None,
            self.preprocessor,  # type: ignore[attr-defined]
            batch_size or 32,
        )
        outputs = keras.Model.predict(self, dataset, **kwargs)
        return outputs[np.argsort(order)]

    def classify_texts(self, texts: tf.Tensor) -> tf.Tensor:
        """Computes the task logits of one batch of texts, in the graph.

        Works through the batch in parts of similar length: else all would be padded to
        the longest.

        Args:
            texts: string `[batch]`.

        Returns:
            float32 `[batch, classes]`, in the order of the texts.
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

        shape = (None, self.num_classes)  # type: ignore[attr-defined]
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

    def label_ids(self, labels: Any) -> np.ndarray:
        """Turns class names or numbers into class numbers.

        Args:
            labels: sequence of str or int.

        Returns:
            int32 numpy array.

        Raises:
            ValueError: if a label is not one of the model's classes.
        """
        names: list[str] = self.label_names  # type: ignore[attr-defined]
        labels = np.asarray(labels)
        if labels.dtype.kind in "US" or labels.dtype.kind == "O":
            unknown = sorted(set(labels.tolist()) - set(names))
            if unknown:
                raise ValueError(
                    f"`labels` holds {unknown}, which are not among the model's "
                    f"classes {names}."
                )
            numbers = {name: number for number, name in enumerate(names)}
            return np.array([numbers[label] for label in labels.tolist()], "int32")
        if labels.size and not 0 <= labels.min() <= labels.max() < len(names):
            raise ValueError(
                f"`labels` must be class numbers from 0 to {len(names) - 1}. Received "
                f"numbers from {labels.min()} to {labels.max()}."
            )
        return labels.astype("int32")

    def _by_number(self, class_weight: Mapping[Any, float] | str) -> Any:
        if isinstance(class_weight, str):
            return class_weight
        keys = list(class_weight)
        numbers = self.label_ids(keys).tolist()
        return dict(zip(numbers, class_weight.values(), strict=True))

    def _evaluation_dataset(self, data: Any, batch_size: int | None) -> tf.data.Dataset:
        if isinstance(data, tf.data.Dataset):
            return self._packed(data)
        x, y, sample_weight = (
            data
            if isinstance(data, tuple) and len(data) == 3
            else (
                *(data if isinstance(data, tuple) else (data, None)),
                None,
            )
        )
        return build_dataset(
            x,
            None if y is None else self.label_ids(y),
            self.preprocessor,  # type: ignore[attr-defined]
            batch_size or 32,
            sample_weight=sample_weight,
        )

    def _packed(self, dataset: tf.data.Dataset) -> tf.data.Dataset:
        """Preprocesses a dataset of raw texts; leaves a packed one as it is."""
        spec = dataset.element_spec
        texts = spec[0] if isinstance(spec, tuple) else spec
        if isinstance(texts, dict):
            return dataset
        return dataset.map(
            self.preprocessor,  # type: ignore[attr-defined]
            num_parallel_calls=tf.data.AUTOTUNE,
        ).prefetch(tf.data.AUTOTUNE)
