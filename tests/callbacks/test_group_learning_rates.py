import keras
import pytest

from rigs.small_model import grouped_optimizer, small_data, small_model
from siatl_keras.callbacks import GroupLearningRates
from siatl_keras.optimizers import GroupedOptimizer


def fit(optimizer):
    model = small_model(optimizer)
    x, y, sample_weight = small_data(8)
    return model.fit(
        x,
        y,
        sample_weight=sample_weight,
        batch_size=4,
        epochs=2,
        verbose=0,
        callbacks=[GroupLearningRates()],
    ).history


def test_it_logs_the_rate_of_every_group():
    history = fit(grouped_optimizer())
    assert history["learning_rate/task"] == pytest.approx([0.05] * 2)
    assert history["learning_rate/backbone"] == pytest.approx([0.1] * 2)
    assert history["learning_rate/embedding"] == pytest.approx([0.1] * 2)


def test_it_follows_schedules():
    schedule = keras.optimizers.schedules.PolynomialDecay(1.0, 4, 0.0)
    history = fit(
        GroupedOptimizer(
            {
                "task": keras.optimizers.SGD(schedule),
                "backbone": keras.optimizers.SGD(0.1),
                "embedding": keras.optimizers.SGD(0.1),
            }
        )
    )
    assert history["learning_rate/task"] == pytest.approx([0.5, 0.0])


def test_an_ordinary_optimizer_has_one_rate_for_all():
    history = fit(keras.optimizers.SGD(0.25))
    rates = [history[f"learning_rate/{g}"] for g in ("task", "backbone", "embedding")]
    assert rates == [[0.25, 0.25]] * 3


def test_it_sees_through_loss_scaling():
    history = fit(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.25)))
    assert history["learning_rate/task"] == [0.25, 0.25]
