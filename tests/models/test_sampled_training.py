"""`SiATLClassifier` with its LM loss estimated from a sample of the words."""

import keras
import numpy as np
import pytest

from rigs.step_losses import total_gradients
from siatl_keras.callbacks import SequentialUnfreezing
from siatl_keras.models import SiATLClassifier
from siatl_keras.plans import stages


def test_only_the_training_is_sampled(make_classifier, texts, labels):
    model = make_classifier()
    exact = model.evaluate(texts, labels, return_dict=True, verbose=0)
    model.compile(sampled_words=4)
    figures = model.evaluate(texts, labels, return_dict=True, verbose=0)
    assert figures["perplexity"] == pytest.approx(exact["perplexity"], rel=1e-6)
    history = model.fit(texts, labels, validation_data=(texts, labels), verbose=0)
    assert "lm_loss" in history.history
    assert "perplexity" not in history.history
    assert "val_perplexity" in history.history


@pytest.mark.slow
def test_the_language_model_still_learns_from_its_loss(make_classifier, texts, labels):
    perplexities = {}
    for auxiliary_loss in (True, False):
        model = make_classifier(auxiliary_loss=auxiliary_loss)
        model.gamma.assign(1.0)
        model.compile(keras.optimizers.Adam(0.02), sampled_words=8)
        model.fit(texts, labels, epochs=40, batch_size=4, verbose=0)
        figures = model.evaluate(texts, labels, return_dict=True, verbose=0)
        perplexities[auxiliary_loss] = figures["perplexity"]
    assert perplexities[True] < 12
    assert perplexities[False] > 15


def test_mean_gradients_come_near_the_exact_ones(make_classifier, texts):
    model = make_classifier()
    batch = model.preprocessor(texts, np.zeros(8, "int32"))

    def gradients():
        parts = total_gradients(model, batch, sliced=True)
        return np.concatenate([np.ravel(part) for part in parts])

    exact = gradients()
    model.compile(sampled_words=20)
    error = np.mean([gradients() for _ in range(60)], 0) - exact
    # Half of the words count exactly, the others by chance: not equal, but near.
    assert 1e-5 < np.linalg.norm(error) < 0.1 * np.linalg.norm(exact)


def test_stages_and_the_compile_config_keep_the_sample(make_classifier, texts, labels):
    model = make_classifier()
    model.compile(sampled_words=4)
    unfreezing = SequentialUnfreezing(stages(2, 3, optimizers={2: "sgd"}))
    model.fit(texts, labels, epochs=3, callbacks=[unfreezing], verbose=0)
    assert model.compile_arguments["sampled_words"] == 4
    copy = SiATLClassifier.from_config(model.get_config())
    copy.compile_from_config(model.get_compile_config())
    assert copy.compile_arguments["sampled_words"] == 4


@pytest.mark.parametrize("words", [1, 21])
def test_sampling_more_words_than_there_are_is_refused(make_classifier, words):
    with pytest.raises(ValueError, match="from 2 to the vocabulary's 20 words"):
        make_classifier().compile(sampled_words=words)
