import keras
import numpy as np
import pytest


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
