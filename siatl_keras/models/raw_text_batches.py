"""`RawTextBatches`: batches for a classifier of what users pass to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.data import classification_dataset as build_dataset
from siatl_keras.inputs import (
    LabelledTexts,
    as_text_tensor,
    as_texts,
    labelled_texts,
    packed_batches,
    validation_split,
)
from siatl_keras.models.check_preprocessor import check_preprocessor
from siatl_keras.tasks import Task

BATCH_SIZE = 32
DATASETS = (tf.data.Dataset, keras.utils.PyDataset)


@dataclass(frozen=True)
class RawTextBatches:
    """Turns texts and labels into packed batches.

    Attributes:
        backbone: that is going to read them.
        preprocessor: a `SiATLPreprocessor`, or `None` for packed batches alone.
        task: of the labels.
    """

    backbone: Any
    preprocessor: Any
    task: Task

    @property
    def are_pairs(self) -> bool:
        """Whether what is classified are pairs of texts."""
        return getattr(self.preprocessor, "pairs", False)

    @property
    def texts_preprocessor(self) -> Any:
        """The preprocessor; a `ValueError` if there is none, or it does not fit."""
        if self.preprocessor is None:
            raise ValueError(
                "The model has no preprocessor, and takes no texts, only a dataset of "
                "packed batches. Build it with "
                "`preprocessor=SiATLPreprocessor(tokenizer)`."
            )
        # Again: its `sequence_length` may have been set since.
        check_preprocessor(self.backbone, self.preprocessor)
        return self.preprocessor

    def labelled(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        names: Any = ("x", "y", "sample_weight"),
    ) -> LabelledTexts:
        """Checks texts, labels and weights; `names` are the arguments', for errors."""
        return labelled_texts(x, y, sample_weight, self.task, names, self.are_pairs)

    def dataset(
        self, data: LabelledTexts, batch_size: int | None, **how: Any
    ) -> tf.data.Dataset:
        """Makes batches; `how` as for `classification_dataset`."""
        return build_dataset(
            data.texts,
            data.targets,
            self.texts_preprocessor,
            checked_batch_size(batch_size),
            sample_weight=data.weights,
            **how,
        )

    def unlabelled(self, texts: list[Any], batch_size: int | None) -> tf.data.Dataset:
        """Makes batches of texts without labels, in their order."""
        size = checked_batch_size(batch_size)
        return build_dataset(texts, None, self.texts_preprocessor, size)

    def packed(self, data: Any, argument: str, labelled: bool, **how: Any) -> Any:
        """Packs the batches of a dataset; `how` as for `packed_batches`."""
        return packed_batches(
            data, self.preprocessor, self.task, argument, labelled, **how
        )

    def batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Any:
        """Makes the one batch of `train_on_batch` and `test_on_batch`."""
        if isinstance(x, dict):
            return x, y, sample_weight
        data = self.labelled(x, y, sample_weight)
        if class_weight is not None:
            table = self.class_weights(class_weight, data.targets)
            data = data.weighted_by_class(table)
        return self.texts_preprocessor(
            as_text_tensor(data.texts, self.are_pairs),
            y=tf.constant(data.targets),
            sample_weight=data.weights,
        )

    def texts_alone(self, x: Any) -> Any:
        """Makes one batch of texts without labels; leaves a packed one as it is."""
        if isinstance(x, dict):
            return x
        texts = as_texts(x, "x", pairs=self.are_pairs)
        return self.texts_preprocessor(as_text_tensor(texts, self.are_pairs))

    def class_weights(self, class_weight: Any, targets: np.ndarray | None) -> Any:
        """Reads `class_weight`; `None` if it is not given."""
        if class_weight is None:
            return None
        return self.task.class_weights(class_weight, targets)

    def split(
        self, data: LabelledTexts, share: float, shuffle: bool, verbose: Any
    ) -> tuple[LabelledTexts, LabelledTexts]:
        """Holds texts out for validation, and says which."""
        strata = self.task.strata(data.targets)
        training, held_out = validation_split(strata, share, stratified=shuffle)
        if verbose:
            which = "the last of each class" if shuffle else "the last"
            print(
                f"validation_split: {len(held_out)} of {len(data)} texts are held out, "
                f"{which}"
            )
        return data.rows(training), data.rows(held_out)

    def validation(self, data: Any, batch_size: int | None, first_row: int) -> Any:
        """Makes batches of what is passed for `validation_data`.

        Args:
            data: what is passed.
            batch_size: int or `None`.
            first_row: int, see `classification_dataset`.
        """
        if isinstance(data, DATASETS):
            return self.packed(data, "validation_data", labelled=True)
        if not isinstance(data, LabelledTexts):
            if not isinstance(data, (tuple, list)) or not 2 <= len(data) <= 3:
                raise ValueError(
                    "`validation_data` must be (texts, labels), (texts, labels, "
                    "weights), a `tf.data.Dataset` or a `keras.utils.PyDataset`. "
                    f"Received: {type(data).__name__}"
                    f"{f' of {len(data)}' if hasattr(data, '__len__') else ''}."
                )
            x, y, sample_weight = (*data, None) if len(data) == 2 else data
            names = tuple(f"validation_data[{part}]" for part in range(3))
            data = self.labelled(x, y, sample_weight, names)
        return self.dataset(data, batch_size, first_row=first_row)


def checked_batch_size(batch_size: int | None) -> int:
    """Returns the batch size, 32 if none is given.

    Args:
        batch_size: int or `None`.

    Raises:
        ValueError: if it is no whole number from 1.
    """
    if batch_size is None:
        return BATCH_SIZE
    check_whole(1, batch_size=batch_size)
    return int(batch_size)


def refuse_with_dataset(**arguments: Any) -> None:
    """Refuses what comes beside a dataset that holds it itself.

    Args:
        **arguments: by name; `None` where they are not given.

    Raises:
        ValueError: if one is given.
    """
    given = [name for name, value in arguments.items() if value is not None]
    if given:
        raise ValueError(
            f"`{given[0]}` must not be passed where `x` is a dataset, which holds "
            f"texts, labels and weights, in batches. Remove `{given[0]}`."
        )
