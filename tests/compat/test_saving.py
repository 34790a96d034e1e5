"""Fails first when a new Keras changes what `compat.saving` relies on."""

import keras
import numpy as np
import pytest

from siatl_keras.compat import saving


def test_the_global_seed_state_repeats_random_numbers():
    keras.random.uniform((1,))
    state = saving.global_seed_state()
    before = state.numpy()
    first = keras.random.uniform((3,)).numpy()
    state.assign(before)
    np.testing.assert_array_equal(first, keras.random.uniform((3,)))


class Watched(keras.Model):
    """Notes whether its configuration is asked for by the old format."""

    asked = []

    def get_config(self):
        self.asked.append(saving.is_saving_to_hdf5())
        return super().get_config()


def test_saving_to_the_old_format_is_told_from_other_saving(tmp_path):
    inputs = keras.Input((2,))
    model = Watched(inputs, keras.layers.Dense(1)(inputs))
    for name, expected in (("model.h5", True), ("model.keras", False)):
        Watched.asked.clear()
        model.save(tmp_path / name)
        assert set(Watched.asked) == {expected}


def test_cloning_is_told_from_calling():
    def refuse(model):
        raise ValueError(f"{type(model).__name__} stands alone")

    class Alone(keras.Model):
        pass

    saving.refuse_cloning(Alone, refuse)
    inputs = keras.Input((2,))
    model = Alone(inputs, keras.layers.Dense(1)(inputs))
    assert model(np.zeros((1, 2))).shape == (1, 1)
    assert model(keras.Input((2,))).shape == (None, 1)
    with pytest.raises(ValueError, match="Alone stands alone"):
        keras.models.clone_model(model)


def test_what_is_deserialised_knows_that_it_is_in_safe_mode():
    seen = []

    @keras.saving.register_keras_serializable(package="tests")
    class Asks(keras.layers.Layer):
        @classmethod
        def from_config(cls, config):
            seen.append(saving.in_safe_mode())
            return cls(**config)

    saved = keras.saving.serialize_keras_object(Asks())
    keras.saving.deserialize_keras_object(saved)
    keras.saving.deserialize_keras_object(saved, safe_mode=False)
    assert seen == [True, False]
    assert saving.in_safe_mode() is False, "outside of any"
