"""`RawTextBatches`: batches for a classifier of what users pass to it."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.data import classification_dataset as build_dataset
from siatl_keras.inputs import LabelledTexts, packed_batches
from siatl_keras.models.check_preprocessor import check_preprocessor

BATCH_SIZE = 32
DATASETS = (tf.data.Dataset, keras.utils.PyDataset)


class RawTextBatches:
    """Mixin for a `keras_hub.models.Task` with `preprocessor` and `task`."""

    def _dataset(
        self, data: LabelledTexts, batch_size: int | None, **how: Any
    ) -> tf.data.Dataset:
        return build_dataset(
            data.texts,
            data.targets,
            self._texts_preprocessor,
            checked_batch_size(batch_size),
            sample_weight=data.weights,
            **how,
        )

    def _packed(self, data: Any, argument: str, labelled: bool, **how: Any) -> Any:
        return packed_batches(
            data,
            self.preprocessor,  # type: ignore[attr-defined]
            self.task,  # type: ignore[attr-defined]
            argument,
            labelled,
            **how,
        )

    @property
    def takes_pairs(self) -> bool:
        """Whether what is classified are pairs of texts."""
        return getattr(self.preprocessor, "pairs", False)  # type: ignore[attr-defined]

    @property
    def _texts_preprocessor(self) -> Any:
        preprocessor = self.preprocessor  # type: ignore[attr-defined]
        if preprocessor is None:
            raise ValueError(
                "The model has no preprocessor, and takes no texts, only a dataset of "
                "packed batches. Build it with "
                "`preprocessor=SiATLPreprocessor(tokenizer)`."
            )
        # Again: its `sequence_length` may have been set since.
        check_preprocessor(self.backbone, preprocessor)  # type: ignore[attr-defined]
        return preprocessor


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
