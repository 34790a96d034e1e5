import keras
import numpy as np
import pytest

from rigs.small_model import small_data, small_model
from rigs.stable_ids import stable
from siatl_keras.callbacks import GammaDecay


def fit(callback, epochs=3, model=None, initial_epoch=0, rows=8):
    model = model or small_model()
    x, y, sample_weight = small_data(rows)
    return model.fit(
        x,
        y,
        sample_weight=sample_weight,
        batch_size=4,
        epochs=epochs,
        initial_epoch=initial_epoch,
        verbose=0,
        callbacks=[callback],
    )


def test_it_assigns_and_logs_gamma_per_epoch():
    model = small_model()
    history = fit(GammaDecay(0.4, 0.1, epochs=3), epochs=4, model=model)
    np.testing.assert_allclose(history.history["gamma"], [0.4, 0.2, 0.1, 0.1], 1e-6)
    assert float(model.gamma) == pytest.approx(0.1)


def test_it_weighs_the_lm_loss_without_a_retrace():
    history = fit(GammaDecay(0.4, 0.1, epochs=3)).history
    for loss, task, lm, gamma in zip(
        *(history[k] for k in ("loss", "task_loss", "lm_loss", "gamma")), strict=True
    ):
        assert loss == pytest.approx(task + gamma * lm, abs=1e-5)


def test_it_decays_per_step():
    history = fit(GammaDecay(0.8, 0.1, epochs=4, per="step"), epochs=2)
    # Two steps an epoch: 0.8, 0.4, then 0.2, 0.1; the log is the last step's.
    np.testing.assert_allclose(history.history["gamma"], [0.4, 0.1], 1e-6)


def test_each_step_of_an_execution_has_its_own_gamma():
    def decay():
        return GammaDecay(0.8, 0.001, epochs=9, per="step")

    expected = fit(decay(), epochs=3, rows=20).history
    model = small_model(steps_per_execution=2)
    history = fit(decay(), epochs=3, rows=20, model=model).history
    assert history.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-5)
    assert "train_step" not in vars(model)


def test_it_counts_on_where_fit_goes_on():
    model = small_model()
    fit(GammaDecay(0.8, 0.1, epochs=4, per="step"), epochs=1, model=model)
    again = GammaDecay(0.8, 0.1, epochs=4, per="step")
    history = fit(again, epochs=2, model=model, initial_epoch=1)
    np.testing.assert_allclose(history.history["gamma"], [0.1], 1e-6)


def test_it_depends_on_the_epoch_alone():
    history = fit(GammaDecay(0.4, 0.1, epochs=3), epochs=3, initial_epoch=1)
    np.testing.assert_allclose(history.history["gamma"], [0.2, 0.1], 1e-6)


def test_it_follows_a_keras_schedule():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.5, 0.25])
    history = fit(GammaDecay(schedule=schedule), epochs=2)
    np.testing.assert_allclose(history.history["gamma"], [0.5, 0.25])


def test_a_model_without_gamma_is_an_error():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="without `gamma`"):
        model.fit(np.ones((1, 1)), np.ones((1, 1)), verbose=0, callbacks=[GammaDecay()])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"initial": 0.0}, "initial=0.0"),
        ({"final": -1.0}, "final=-1.0"),
        ({"initial": float("nan")}, "initial=nan"),
        ({"initial": float("inf")}, "initial=inf"),
        ({"final": float("nan")}, "final=nan"),
        ({"epochs": 0}, "epochs=0"),
        ({"epochs": float("nan")}, "epochs=nan"),
        ({"epochs": float("inf")}, "epochs=inf"),
        ({"per": "batch"}, "per='batch'"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        GammaDecay(**arguments)


@pytest.mark.parametrize("gamma", [float("nan"), float("inf"), -0.1])
def test_a_schedule_that_returns_no_weight_is_an_error(gamma):
    with pytest.raises(ValueError, match=f"`schedule` must return .*{gamma} for epoch"):
        GammaDecay(schedule=lambda epoch: gamma).value(0)


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        ({}, True),
        ({"initial": 0.2, "final": 0.2}, False),
        ({"epochs": 1}, False),
        ({"schedule": lambda epoch: 0.1}, True),
    ],
    ids=stable,
)
def test_it_tells_whether_gamma_is_going_to_change(arguments, changes):
    assert GammaDecay(**arguments).changes is changes
