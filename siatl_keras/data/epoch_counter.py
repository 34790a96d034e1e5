"""`EpochCounter`: the epoch that a dataset's shuffling goes by.

A dataset's own reshuffling counts iterators, which Keras also makes for other ends; a
number that a callback sets is the same after a resumed run as in an uninterrupted one.
"""

from __future__ import annotations

import tensorflow as tf


class EpochCounter:
    """Holds the epoch, counted from 0; datasets read it when an iteration begins.

    Attributes:
        value: int64 scalar variable.
    """

    def __init__(self) -> None:
        self.value = tf.Variable(0, dtype=tf.int64, trainable=False, name="epoch")

    def set(self, epoch: int) -> None:
        """Sets the epoch for iterations that begin from now on."""
        self.value.assign(epoch)
