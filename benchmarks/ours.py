"""Our side of the comparisons, made with the public interface."""

import keras
import numpy as np
import tensorflow as tf

from benchmarks.peers.plain_keras import lstm_step_of
from benchmarks.sizes import Sizes
from siatl_keras.layers import LSTM
from siatl_keras.models import LSTMBackbone, LSTMCausalLM, SiATLClassifier
from siatl_keras.optimizers.groups import groups_of


def lstm_step(dtype="float32", **sizes):
    """Makes a forward and backward pass through the LSTMs alone."""
    return lstm_step_of(LSTM, dtype, **sizes)


def finetuning_step(stage, dtype="float32", sampled_words=None, **sizes):
    """Makes a training step of a stage, 1 to 3."""
    sizes = Sizes(**sizes)
    model = SiATLClassifier(
        _backbone(sizes, dtype), num_classes=sizes.classes, units=sizes.task_units
    )
    model.compile(sampled_words=sampled_words)
    groups = groups_of(model).layers
    for name in ("backbone", "embedding")[stage - 1 :]:
        for layer in groups[name]:
            layer.trainable = False
    x, targets, weights = _batch(sizes)
    return _fit_step(
        model,
        x,
        {"task": sizes.labels(), "lm": targets},
        {"task": np.ones(sizes.batch, "float32"), "lm": weights},
    )


def pretraining_step(dtype="float32", sampled_words=None, **sizes):
    """Makes a training step of the language model."""
    sizes = Sizes(**sizes)
    model = LSTMCausalLM(_backbone(sizes, dtype))
    model.compile(sampled_words=sampled_words)
    return _fit_step(model, *_batch(sizes))


def _backbone(sizes, dtype):
    return LSTMBackbone(
        sizes.vocabulary, sizes.embedding, sizes.hidden, sizes.layers, dtype=dtype
    )


def _batch(sizes):
    ids = sizes.token_ids()
    x = {"token_ids": ids[:, :-1], "padding_mask": np.ones_like(ids[:, :-1])}
    return x, ids[:, 1:], np.ones((sizes.batch, sizes.time), "float32")


def _fit_step(model, *batch):
    """Makes one step of `fit`, on a batch that lies in memory."""
    keras.utils.set_random_seed(0)
    dataset = tf.data.Dataset.from_tensors(batch).cache().repeat()
    iterator = iter(dataset)
    model.make_train_function()

    def step():
        return float(model.train_function(iterator)["loss"])

    return step
