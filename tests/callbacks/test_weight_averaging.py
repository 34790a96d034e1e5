import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigs.small_model import small_data, small_model
from siatl_keras.callbacks import SequentialUnfreezing, WeightAveraging
from siatl_keras.plans import stages


class Recorder(keras.callbacks.Callback):
    """Keeps what the model holds after every step, in validation and after epochs."""

    def __init__(self):
        super().__init__()
        self.steps, self.validated, self.kept = [], [], []

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append(self.model.get_weights())

    def on_test_end(self, logs=None):
        self.validated.append(self.model.get_weights())

    def on_epoch_end(self, epoch, logs=None):
        self.kept.append(self.model.get_weights())


def fit(*callbacks, validation=True, epochs=4, model=None, steps=1):
    model = model or small_model(steps_per_execution=steps)
    x, y, sample_weight = small_data(12)
    history = model.fit(
        x,
        y,
        sample_weight=sample_weight,
        batch_size=4,
        shuffle=False,
        epochs=epochs,
        verbose=0,
        validation_data=small_data(8, seed=1) if validation else None,
        callbacks=list(callbacks),
    )
    return model, history.history


def averages_by_hand(first, steps, momentum):
    average = [np.array(weight) for weight in first]
    for step, weights in enumerate(steps, start=1):
        m = min(momentum, (1 + step) / (10 + step))
        average = [
            m * mean + (1 - m) * now for mean, now in zip(average, weights, strict=True)
        ]
    return average


def assert_equal_weights(some, others):
    for mine, theirs in zip(some, others, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.99])
def test_the_model_holds_the_averages_from_validation_to_the_end(momentum):
    model = small_model()
    first = model.get_weights()
    recorder = Recorder()
    fit(WeightAveraging(momentum), recorder, model=model)
    for epoch in range(4):
        expected = averages_by_hand(first, recorder.steps[: 3 * (epoch + 1)], momentum)
        assert_equal_weights(recorder.validated[epoch], expected)
        assert_equal_weights(recorder.kept[epoch], expected)
    assert_equal_weights(model.get_weights(), expected)


def test_training_goes_on_as_if_nothing_was_averaged():
    plain, averaged = Recorder(), Recorder()
    _, expected = fit(plain)
    _, history = fit(WeightAveraging(), averaged)
    for mine, theirs in zip(averaged.steps, plain.steps, strict=True):
        assert_equal_weights(mine, theirs)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-6)
    assert not np.allclose(history["val_loss"], expected["val_loss"], rtol=1e-4)


def test_without_validation_the_model_has_them_in_the_end():
    with_validation, _ = fit(WeightAveraging())
    without, _ = fit(WeightAveraging(), validation=False)
    assert_equal_weights(without.get_weights(), with_validation.get_weights())


def test_layers_that_are_thawed_late_are_averaged_from_then_on():
    model = small_model()
    recorder = Recorder()
    fit(
        SequentialUnfreezing(stages(2, 3)),
        WeightAveraging(),
        recorder,
        model=model,
    )
    # Averages of weights that stand still are these weights.
    expected = averages_by_hand(small_model().get_weights(), recorder.steps, 0.99)
    assert_equal_weights(model.get_weights(), expected)
    place = next(i for i, v in enumerate(model.weights) if "embedding" in v.path)
    frozen = small_model().get_weights()[place]
    np.testing.assert_array_equal(recorder.kept[1][place], frozen)
    assert not np.allclose(recorder.kept[3][place], frozen)


def test_early_stopping_restores_the_averages_of_the_best_epoch():
    recorder = Recorder()
    early = keras.callbacks.EarlyStopping(
        "val_loss", mode="max", patience=2, restore_best_weights=True
    )
    model, history = fit(WeightAveraging(0.5), recorder, early, epochs=9)
    best = int(np.argmax(history["val_loss"]))
    assert best < len(recorder.kept) - 1
    assert_equal_weights(model.get_weights(), recorder.kept[best])


def test_a_second_fit_begins_anew():
    callback, recorder = WeightAveraging(0.9), Recorder()
    model, _ = fit(callback, epochs=2)
    first = model.get_weights()
    fit(callback, recorder, epochs=1, model=model)
    assert_equal_weights(
        model.get_weights(), averages_by_hand(first, recorder.steps, 0.9)
    )


def test_it_averages_every_step_of_an_execution():
    # Three steps per epoch: the second execution makes one.
    phases = stages(2, 3)
    expected, history = fit(SequentialUnfreezing(phases), WeightAveraging(0.8))
    model, mine = fit(SequentialUnfreezing(phases), WeightAveraging(0.8), steps=2)
    assert_equal_weights(model.get_weights(), expected.get_weights())
    np.testing.assert_allclose(mine["val_loss"], history["val_loss"], rtol=1e-6)


def test_a_later_fit_without_it_averages_nothing_even_if_the_first_was_cut_off():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model, plain = small_model(steps_per_execution=2), small_model()
    with pytest.raises(KeyboardInterrupt):
        fit(Stop(), WeightAveraging(0.8), model=model)
    model.set_weights(plain.get_weights())
    pairs = zip(model.optimizer.variables, plain.optimizer.variables, strict=True)
    for mine, new in pairs:
        mine.assign(new)
    fit(model=model, epochs=1)
    fit(model=plain, epochs=1)
    assert_equal_weights(model.get_weights(), plain.get_weights())


@given(
    st.one_of(
        st.floats(max_value=-1e-9), st.floats(min_value=1.0), st.just(float("nan"))
    )
)
@settings(max_examples=25)
def test_a_momentum_out_of_range_is_an_error(momentum):
    with pytest.raises(ValueError, match=r"`momentum` must be a number in \[0, 1\)"):
        WeightAveraging(momentum)
