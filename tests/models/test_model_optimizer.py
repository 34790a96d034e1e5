import keras
import numpy as np
import pytest

from siatl_keras.optimizers import GroupedOptimizer
from siatl_keras.plans import Gamma, Group, Phase, Plan, Rate


def fit(model, texts, labels, epochs=1, **kwargs):
    return model.fit(
        texts, labels, batch_size=8, epochs=epochs, verbose=0, **kwargs
    ).history


def test_layers_frozen_between_two_fits_do_not_learn(make_classifier, texts, labels):
    model = make_classifier()
    model.compile(keras.optimizers.Adam(0.01))
    fit(model, texts, labels)
    model.backbone.trainable = False
    before = [v.numpy() for v in model.backbone.weights]
    fit(model, texts, labels, callbacks=keras.callbacks.Callback())
    for old, new in zip(before, model.backbone.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("with_callbacks", [True, False])
def test_what_is_in_no_group_does_not_learn(
    make_classifier, texts, labels, with_callbacks
):
    """BitFit (Ben Zaken et al. 2022), as docs/plans.md has it."""
    bitfit = Plan(
        groups=(Group("task", "^task_head/"), Group("biases", "(bias|beta)$")),
        phases=(Phase(1, ("task", "biases")),),
        rates={("task",): Rate("adam", 5e-4), ("biases",): Rate("adam", 1e-3)},
        gamma=Gamma(0.2, schedule="constant"),
    )
    model = make_classifier()
    model.compile(bitfit.optimizer(model, steps_per_epoch=4))
    assert isinstance(model.optimizer, GroupedOptimizer)
    before = {v.path: v.numpy() for v in model.backbone.weights}
    callbacks = bitfit.callbacks() if with_callbacks else None
    fit(model, texts, labels, callbacks=callbacks, validation_split=0.5)
    changed = {
        v.path.rpartition("/")[2]
        for v in model.backbone.weights
        if not np.array_equal(before[v.path], v.numpy())
    }
    assert changed == {"bias", "reverse_bias"}


def test_a_model_that_is_frozen_whole_is_refused(make_classifier):
    model = make_classifier()
    model.trainable = False
    with pytest.raises(ValueError, match="nothing to learn"):
        model.make_train_function()


def test_a_layer_thawed_after_the_first_fit_learns(make_lm, texts):
    lm = make_lm()
    embeddings = lm.backbone.token_embedding.embeddings
    lm.backbone.token_embedding.trainable = False
    before = embeddings.numpy()
    lm.fit(texts, batch_size=8, verbose=0)
    np.testing.assert_array_equal(embeddings.numpy(), before)
    lm.backbone.token_embedding.trainable = True
    lm.fit(texts, batch_size=8, verbose=0)
    assert np.abs(embeddings.numpy() - before).max() > 0


def test_a_weight_that_the_optimizer_does_not_know_is_told(make_lm, texts):
    lm = make_lm()
    lm.optimizer.build(lm.backbone.token_embedding.trainable_variables)
    with pytest.raises(ValueError, match="no state for . weights.*Call `compile`"):
        lm.fit(texts, batch_size=8, verbose=0)


def test_a_model_that_only_answers_has_no_moments(make_lm, make_classifier, texts):
    model, lm = make_classifier(), make_lm()
    model.predict(texts, verbose=0)
    lm.score(texts)
    assert not model.optimizer.built and not lm.optimizer.built
    lm.fit(texts, batch_size=8, verbose=0)
    assert lm.optimizer.built
