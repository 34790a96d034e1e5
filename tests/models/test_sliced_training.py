"""What the steps of both models, `SiATLClassifier` and `LSTMCausalLM`, do alike."""

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.training import FusedAdam


def of_unknown_length(dataset):
    return dataset.filter(lambda *batch: True)


def test_data_of_unknown_length_counts_no_step_more(make_classifier, texts, labels):
    histories = []
    for cut in (lambda dataset: dataset, of_unknown_length):
        model = make_classifier()
        model.compile(keras.optimizers.SGD(0.1))
        batches = tf.data.Dataset.from_tensor_slices(
            (texts, model.label_ids(labels))
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
