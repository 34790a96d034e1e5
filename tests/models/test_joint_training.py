"""What the steps of both models, `SiATLClassifier` and `LSTMCausalLM`, do alike."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from siatl_keras.inputs import Column
from siatl_keras.optimizers import FusedAdam


def of_unknown_length(dataset):
    return dataset.filter(lambda *batch: True)


def test_data_of_unknown_length_counts_no_step_more(make_classifier, texts, labels):
    histories = []
    for cut in (lambda dataset: dataset, of_unknown_length):
        model = make_classifier()
        model.compile(keras.optimizers.SGD(0.1))
        batches = tf.data.Dataset.from_tensor_slices(
            (texts, model.task.encode(Column(labels, "y")))
        ).batch(3)
        data = cut(batches.map(model.preprocessor))
        history = model.fit(data, validation_data=data, epochs=2, verbose=0)
        assert int(model.optimizer.iterations) == 6
        histories.append(history.history)
    known, unknown = histories
    assert known.keys() == unknown.keys()
    for name in known:
        np.testing.assert_allclose(unknown[name], known[name], rtol=1e-6)


def test_a_word_that_comes_twice_counts_once_with_any_optimizer(make_lm, texts):
    # Keras's optimizers, and their clipping, take its gradients for two words'.
    weights = []
    for adam in (keras.optimizers.Adam, FusedAdam):
        lm = make_lm()
        lm.compile(adam(0.01, global_clipnorm=0.1), sampled_words=4)
        keras.utils.set_random_seed(5)
        lm.fit(texts, batch_size=8, epochs=3, verbose=0)
        weights.append(lm.get_weights())
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("weights", [None, "weighted"])
def test_logged_losses_are_means_over_all_texts(make_classifier, weights):
    # 5 texts in batches of 4: the last text must not count as much as the others.
    texts = ["so glad today", "an awful day", "so glad", "it rains", "sad sad sad sad"]
    numbers = np.array([0, 1, 0, 1, 1])
    if weights is not None:
        weights = np.array([1.0, 2.0, 0.5, 1.0, 3.0])
    model = make_classifier()
    model.compile(keras.optimizers.SGD(0.0))
    kernel = model.task_head.classes.kernel
    kernel.assign(keras.random.normal(kernel.shape, 0.0, 3.0, seed=0))
    logits = model.predict(texts, verbose=0)
    each = log_softmax(logits, axis=1)[np.arange(5), numbers] * -(
        1.0 if weights is None else weights
    )
    arguments = {"sample_weight": weights, "batch_size": 4, "verbose": 0}
    logs = model.evaluate(texts, numbers, return_dict=True, **arguments)
    np.testing.assert_allclose(logs["task_loss"], each.mean(), rtol=1e-5)
    total = logs["task_loss"] + float(model.gamma) * logs["lm_loss"]
    np.testing.assert_allclose(logs["loss"], total, rtol=1e-5)
    history = model.fit(
        texts, numbers, validation_data=(texts, numbers, weights), **arguments
    ).history
    for name in ("loss", "task_loss", "lm_loss"):
        np.testing.assert_allclose(history[f"val_{name}"], logs[name], rtol=1e-5)
