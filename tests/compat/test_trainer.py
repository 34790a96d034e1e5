"""Fails first when a new Keras changes what `compat.trainer` relies on."""

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.compat import trainer

DATA = (np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))


def small_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], jit_compile=False)
    return model


def test_a_callback_may_set_the_first_epoch():
    model = small_model()

    class Skip(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            trainer.set_initial_epoch(model, 2)

    history = model.fit(*DATA, epochs=4, verbose=0, callbacks=[Skip()])
    assert history.epoch == [2, 3]
    trainer.set_initial_epoch(model, 0)
    assert model.fit(*DATA, epochs=1, verbose=0).epoch == [0]


def test_a_function_becomes_a_loss_that_is_a_mean_over_texts():
    loss = trainer.loss_of_function(lambda y, outputs: y * outputs[:, 0], "product")
    assert loss.name == "product"
    assert float(loss(np.array([1.0, 2.0]), np.array([[3.0, 0], [4.0, 0]]))) == 5.5


def test_nothing_is_built_from_the_first_batch():
    @trainer.repaired_training
    class Built(keras.Model):
        def _symbolic_build(self, *args, **kwargs):
            raise AssertionError("asked")

    inputs = keras.Input((2,))
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        model = Built(inputs, keras.layers.Dense(1)(inputs))
        model.compile("sgd", "mse", jit_compile=False)
    model.fit(*DATA, verbose=0)
    model.evaluate(*DATA, verbose=0)
    model.train_on_batch(*DATA)
    model.test_on_batch(*DATA)


def test_an_epoch_s_logs_come_from_the_metrics_where_a_step_reports_some_of_them():
    @trainer.repaired_training
    class Reticent(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            super().train_step(data)
            return {"mae": -1.0}

    model = Reticent()
    model.compile("sgd", "mse", metrics=["mae"], jit_compile=False)
    history = model.fit(*DATA, verbose=0).history
    assert list(history) == ["mae"]
    assert history["mae"][0] >= 0


def test_a_function_of_one_step_can_be_made_whatever_an_execution_has():
    model = small_model()
    model.compile("sgd", "mse", steps_per_execution=3, jit_compile=False)
    view = trainer._OfOneStep(model)
    one_step = trainer.TensorFlowTrainer._make_function(view, model.train_step)
    data = iter(tf.data.Dataset.from_tensors(DATA).repeat(5))
    one_step(data)
    assert int(model.optimizer.iterations) == 1
    assert len(list(data)) == 4


def test_a_metric_s_direction_is_where_keras_looks_for_it():
    assert trainer.direction_of(keras.metrics.SparseCategoricalAccuracy()) == "max"
    assert trainer.direction_of(keras.metrics.MeanSquaredError()) == "min"
    metric = keras.metrics.Mean()
    assert trainer.direction_of(metric) is None
    trainer.set_direction(metric, keras.metrics.Mean())
    assert trainer.direction_of(metric) is None
    for other, expected in (("down", "min"), (keras.metrics.AUC(), "max")):
        trainer.set_direction(metric, other)
        assert trainer.direction_of(metric) == expected
