"""`wait_for_data`: keeps a step from counting where its data has come to an end.

Keras finds the end of data of unknown length by beginning a step that fails for want of
a batch. What needs no data is done by then: losses have counted one batch more, and so
has the optimizer, every epoch.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf


@contextlib.contextmanager
def wait_for_data(data: Any) -> Iterator[None]:
    """Lets what is done inside the context wait for a batch.

    Only what counts belongs inside: a whole step that waits cannot be scheduled as
    freely, and needs more memory (6 % with gradient checkpointing,
    `benchmarks/checkpointing.py`).

    Args:
        data: what `train_step` gets.
    """
    parts = [part for part in keras.tree.flatten(data) if part is not None]
    with tf.control_dependencies([tf.identity(part) for part in parts]):
        yield
