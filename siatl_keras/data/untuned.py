"""`untuned`: a dataset whose iterators end at once."""

from __future__ import annotations

import tensorflow as tf

# Packing a batch takes much less time than a step on it.
BATCHES_AHEAD = 4


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Turns off what adapts parallelism while a dataset is iterated.

    Its thread sleeps between looks, twice as long each time, up to a minute, and the
    iterator's destructor waits for it. TensorFlow 2.21 wakes it before it says that
    the iterator is cancelled, so that it may sleep on: on busy cores one iterator in
    five, for as long again as it has lived (`benchmarks.ends_of_epochs`). Parallel
    calls without a number are as many as there are cores then.

    Args:
        dataset: any; its iterators are affected, and those of datasets made of it.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
