import warnings

import keras
import numpy as np
import pytest

from rigs.small_model import small_data, small_model
from siatl_keras.callbacks import SequentialUnfreezing
from siatl_keras.optimizers.groups import groups_of
from siatl_keras.plans import stages

GROUPS = ("task", "backbone", "embedding")


class Record(keras.callbacks.Callback):
    """Keeps what each epoch changed, and the Adam moments at its end."""

    def __init__(self):
        super().__init__()
        self.changed = []
        self.optimizers = []

    def on_epoch_begin(self, epoch, logs=None):
        self.before = self.weights()

    def on_epoch_end(self, epoch, logs=None):
        after = self.weights()
        self.changed.append(
            [name for name in GROUPS if not np.allclose(self.before[name], after[name])]
        )
        self.optimizers.append(self.model.optimizer)

    def weights(self):
        return {
            name: np.concatenate([v.numpy().ravel() for v in variables])
            for name, variables in groups_of(self.model).variables.items()
        }


def fit(*callbacks, epochs=4, model=None, verbose=0, **kwargs):
    model = model or small_model()
    x, y, sample_weight = small_data(8)
    record = Record()
    history = model.fit(
        x,
        y,
        sample_weight=sample_weight,
        batch_size=4,
        shuffle=False,
        epochs=epochs,
        verbose=verbose,
        callbacks=[*callbacks, record],
        **kwargs,
    )
    return model, record, history


def test_the_stages_learn_what_the_paper_says():
    _, record, history = fit(SequentialUnfreezing(stages(2, 4)))
    assert record.changed == [
        ["task"],
        ["task", "backbone"],
        ["task", "backbone"],
        ["task", "backbone", "embedding"],
    ]
    assert history.history["stage"] == [1, 2, 2, 3]


def test_a_first_epoch_past_the_stages_starts_in_the_last():
    _, record, history = fit(SequentialUnfreezing(stages(2, 4)), initial_epoch=3)
    assert record.changed == [list(GROUPS)]
    assert history.history["stage"] == [3]


def test_none_never_thaws():
    _, record, _ = fit(SequentialUnfreezing(stages(None, None)), epochs=2)
    assert record.changed == [["task"], ["task"]]


def test_a_second_fit_starts_in_the_first_stage():
    model, _, _ = fit(SequentialUnfreezing(stages(2, 3)), epochs=3)
    _, record, _ = fit(SequentialUnfreezing(stages(2, 3)), epochs=1, model=model)
    assert record.changed == [["task"]]


def test_a_stage_change_keeps_adam_moments():
    model = small_model("adam")
    moments = {}

    class Moments(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            moments[epoch] = [v.numpy() for v in model.optimizer.variables]

        def on_epoch_end(self, epoch, logs=None):
            moments[f"end {epoch}"] = [v.numpy() for v in model.optimizer.variables]

    _, record, _ = fit(
        SequentialUnfreezing(stages(2, 3)), Moments(), epochs=2, model=model
    )
    assert record.optimizers[0] is record.optimizers[1]
    assert any(m.any() for m in moments["end 0"])
    for before, after in zip(moments["end 0"], moments[1], strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_stage_may_bring_its_own_optimizer():
    mine = keras.optimizers.SGD(0.01)
    _, record, _ = fit(
        SequentialUnfreezing(stages(2, 3, optimizers={2: mine, 3: "adam"}))
    )
    kinds = [type(optimizer).__name__ for optimizer in record.optimizers]
    assert kinds == ["GroupedOptimizer", "SGD", "Adam", "Adam"]
    assert record.changed[1:3] == [["task", "backbone"], list(GROUPS)]
    # Copied: the next `fit` finds it fresh.
    assert not mine.built


def test_the_history_is_whole_when_a_stage_recompiles():
    callback = SequentialUnfreezing(stages(2, 3, optimizers={2: "sgd"}))
    x, y, sample_weight = small_data(8)
    _, _, history = fit(callback, validation_data=(x, y, sample_weight))
    assert {len(values) for values in history.history.values()} == {4}
    assert np.isfinite(history.history["val_loss"]).all()


def test_layers_of_the_backbone_thaw_one_an_epoch():
    model = small_model()
    flags = []

    class Flags(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            flags.append([layer.trainable for layer in (model.lower, model.upper)])

    callback = SequentialUnfreezing(stages(2, 9, layers_per_epoch=2))
    fit(callback, Flags(), epochs=3, model=model)
    # The top of the backbone is the LM head; dropout is no layer to wait for.
    assert flags == [[False, False], [False, True], [True, True]]


def test_it_says_what_it_thaws(capsys):
    fit(SequentialUnfreezing(stages(2, 2)), epochs=2, verbose=1)
    lines = [
        line for line in capsys.readouterr().out.splitlines() if "now learning" in line
    ]
    assert lines == [
        "Epoch 2, stage 3: now learning backbone (3 layers, 75 weights) and embedding "
        "(1 layer, 28 weights)"
    ]


def test_it_is_silent_where_fit_is(capsys):
    fit(SequentialUnfreezing(stages(2, 2)), epochs=2)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone_epoch": 5, "embedding_epoch": 2}, "must not come after"),
        ({"backbone_epoch": None, "embedding_epoch": 2}, "must not come after"),
        ({"backbone_epoch": 0}, "backbone_epoch=0"),
        ({"optimizers": {1: "sgd"}}, r"stages \[1\]"),
        ({"layers_per_epoch": 0}, "layers_per_epoch=0"),
    ],
)
def test_a_wrong_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        SequentialUnfreezing(stages(**arguments))


def test_a_model_without_groups_is_an_error():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="`parts`"):
        model.fit(
            np.ones((1, 1)),
            np.ones((1, 1)),
            verbose=0,
            callbacks=[SequentialUnfreezing()],
        )


def test_it_works_with_loss_scaling():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model, record, _ = fit(SequentialUnfreezing(stages(2, 3)), epochs=3)
    finally:
        keras.config.set_dtype_policy("float32")
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    assert record.changed == [["task"], ["task", "backbone"], list(GROUPS)]


class StopAfter(keras.callbacks.Callback):
    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch + 1 >= self.epochs


def test_training_stopped_before_the_last_stage_is_warned_of():
    with pytest.warns(UserWarning, match="after epoch 2, in stage 2: stage 3, which"):
        fit(SequentialUnfreezing(stages(2, 4)), StopAfter(2), epochs=9)
    with pytest.warns(UserWarning, match="in stage 1: stage 2, which begins with ep"):
        fit(SequentialUnfreezing(stages(3, None)), StopAfter(1), epochs=9)


@pytest.mark.parametrize("epochs", [(2, 2), (1, None), (None, None)])
def test_training_stopped_in_the_last_stage_is_as_planned(epochs):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(SequentialUnfreezing(stages(*epochs)), StopAfter(2), epochs=9)


def test_training_that_was_planned_to_end_early_is_as_planned():
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(SequentialUnfreezing(stages(2, 9)), epochs=2)
