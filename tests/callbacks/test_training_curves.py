"""What TensorBoard shows of a training, read as TensorBoard reads it."""

import keras
import numpy as np
import pytest

from rigs.board import board, train_three_stages
from siatl_keras.callbacks import TrainingCurves


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    history = train_three_stages(TrainingCurves(folder))
    return board(folder / "train"), board(folder / "validation"), history


def test_each_figure_has_one_curve_in_the_section_it_belongs_to(shown):
    train, validation, _ = shown
    assert sorted(validation) == [
        "1 task/1 task_macro_f1",
        "1 task/2 loss",
        "1 task/total loss",
        "2 language model/loss",
        "2 language model/perplexity",
    ]
    assert sorted(train) == [
        *sorted(validation),
        "3 schedule/gamma",
        "3 schedule/learning rate backbone",
        "3 schedule/learning rate embedding",
        "3 schedule/learning rate task",
        "3 schedule/stage",
    ]


def test_the_values_are_those_of_the_history_from_epoch_1_on(shown):
    train, validation, history = shown
    names = {
        "1 task/1 task_macro_f1": "task_macro_f1",
        "1 task/2 loss": "task_loss",
        "1 task/total loss": "loss",
        "2 language model/loss": "lm_loss",
        "2 language model/perplexity": "lm_perplexity",
    }
    for tag, name in names.items():
        for curve, values in (
            (train, history[name]),
            (validation, history[f"val_{name}"]),
        ):
            assert list(curve[tag]) == [1, 2, 3]
            assert list(curve[tag].values()) == pytest.approx(values, rel=1e-5)
    assert list(train["3 schedule/gamma"].values()) == pytest.approx([0.4, 0.2, 0.1])
    assert list(train["3 schedule/stage"].values()) == [1, 2, 3]


def test_a_metric_with_a_value_for_each_class_is_a_curve_each(tmp_path):
    inputs = keras.Input((2,))
    outputs = keras.layers.Dense(3, activation="softmax")(inputs)
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "categorical_crossentropy", metrics=["f1_score"])
    callbacks = [TrainingCurves(tmp_path)]
    model.fit(np.ones((3, 2)), np.eye(3), callbacks=callbacks, verbose=0)
    assert sorted(board(tmp_path / "train")) == [
        "1 task/1 f1_score 0",
        "1 task/1 f1_score 1",
        "1 task/1 f1_score 2",
        "1 task/2 loss",
    ]


def test_a_language_model_s_loss_is_in_its_own_section(tmp_path):
    tokens = keras.Input((None,), dtype="int32")
    model = keras.Model(
        tokens, keras.layers.Dense(4)(keras.layers.Embedding(4, 2)(tokens))
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    perplexity = keras.metrics.MeanMetricWrapper(loss, name="perplexity")
    model.compile("sgd", loss, metrics=[perplexity])
    x = np.array([[1, 2, 3]])

    class OnSampledWords(keras.callbacks.Callback):
        """Has no perplexity of training, as where the loss is estimated."""

        def on_epoch_end(self, epoch, logs=None):
            del logs["perplexity"]

    callbacks = [OnSampledWords(), TrainingCurves(tmp_path)]
    model.fit(x, x, validation_data=(x, x), callbacks=callbacks, verbose=0)
    assert sorted(board(tmp_path / "train")) == ["2 language model/loss"]
    assert sorted(board(tmp_path / "validation")) == [
        "2 language model/loss",
        "2 language model/perplexity",
    ]


def test_a_second_fit_adds_to_the_first(tmp_path):
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    model.compile("sgd", "mse")
    x = np.ones((2, 1))
    curves = TrainingCurves(tmp_path)
    model.fit(x, x, epochs=2, callbacks=[curves], verbose=0)
    model.fit(x, x, epochs=3, initial_epoch=2, callbacks=[curves], verbose=0)
    assert list(board(tmp_path / "train")["1 task/2 loss"]) == [1, 2, 3]
