import keras
import pytest

from siatl_keras.training import SlantedTriangular, discriminative_optimizer


def test_each_layer_has_its_own_steps_and_a_lower_rate():
    optimizer = discriminative_optimizer({"a": 30, "b": 20, "c": 10}, 0.26)
    for depth, (name, steps) in enumerate((("a", 30), ("b", 20), ("c", 10))):
        config = keras.optimizers.serialize(optimizer.groups[name])["config"]
        schedule = keras.optimizers.schedules.deserialize(config["learning_rate"])
        assert type(schedule) is SlantedTriangular and schedule.steps == steps
        assert schedule.max_rate == pytest.approx(0.26 / 2.6**depth)
        assert (config["beta_1"], config["beta_2"]) == (0.7, 0.99)
    assert len(optimizer.optimizers) == 3
