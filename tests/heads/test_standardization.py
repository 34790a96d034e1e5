"""Standardization: as the training texts were, and as the backup says."""

import keras
import numpy as np

from rigs.round_trips import through_keras_file
from siatl_keras.heads.standardization import Standardization

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal([5.0, 300.0, 0.0], [0.1, 40.0, 0.0], (200, 3)).astype(
    "float32"
)


def test_before_it_has_measured_it_returns_its_inputs():
    layer = Standardization()
    np.testing.assert_array_equal(layer(FEATURES), FEATURES)
    assert not layer.is_adapted


def test_features_have_mean_0_and_deviation_1_but_for_what_does_not_vary():
    layer = Standardization()
    layer.build(FEATURES.shape)
    given = layer.adapt(FEATURES)
    assert layer.is_adapted and not layer.trainable_variables
    found = np.asarray(layer(FEATURES))
    np.testing.assert_allclose(found, given, atol=1e-5)
    np.testing.assert_allclose(found.mean(0), [0, 0, 0], atol=1e-4)
    np.testing.assert_allclose(found.std(0), [1, 1, 0], atol=1e-4)


def test_it_is_saved_with_what_it_measured(tmp_path):
    layer = Standardization()
    model = keras.Sequential([keras.Input((3,)), layer])
    layer.adapt(FEATURES)
    through_keras_file(model, tmp_path, FEATURES)
