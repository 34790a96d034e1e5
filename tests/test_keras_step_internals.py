"""Fails first when a new Keras changes what `_keras_step_internals` relies on."""

import keras
import numpy as np
import tensorflow as tf

from siatl_keras import _keras_step_internals

DATA = (np.ones((4, 2), "float32"), np.ones((4, 1), "float32"))


def small_model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], jit_compile=False)
    return model


def test_the_first_step_is_traced_once_where_metrics_are_built_before():
    model = small_model()
    traced = []
    compute_metrics = model.compute_metrics
    model.compute_metrics = lambda *args, **kwargs: (
        traced.append(tf.inside_function()) or compute_metrics(*args, **kwargs)
    )
    x, y = DATA
    _keras_step_internals.build_losses_and_metrics(model, y, y, np.ones(4))
    traced.clear()
    model.fit(x, y, verbose=0)
    assert traced == [True]


def test_recompile_works_in_the_middle_of_fit():
    model = small_model()
    mine = keras.optimizers.Adam(0.5)

    class Swap(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                _keras_step_internals.recompile(
                    model,
                    {"optimizer": mine, "loss": "mse", "metrics": ["mae"]},
                    (*DATA, np.ones(4)),
                )

    history = model.fit(*DATA, epochs=3, verbose=0, callbacks=[Swap()]).history
    assert len(history["mae"]) == 3
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert model.optimizer is not mine
    assert int(model.optimizer.iterations) == 2


def test_gradients_that_are_summed_are_not_summed_again_inside_any_optimizer():
    class Counting(keras.optimizers.SGD):
        sums = 0

        def _all_reduce_sum_gradients(self, grads_and_vars):
            Counting.sums += 1
            return super()._all_reduce_sum_gradients(grads_and_vars)

    plain = Counting(0.5)
    outer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.MultiOptimizer(keras.optimizers.OptimizerMap(plain, {}))
    )
    variable = keras.Variable(np.ones(2, "float32"))
    with _keras_step_internals.gradients_are_summed(outer):
        plain.apply([tf.ones(2)], [variable])
    assert Counting.sums == 0
    plain.apply([tf.ones(2)], [variable])
    assert Counting.sums == 1
    np.testing.assert_allclose(variable, [0.0, 0.0])


def test_fit_builds_from_data_through_the_method_that_we_override():
    class Placeholders(_keras_step_internals.BuiltFromPlaceholders, keras.Sequential):
        asked = 0

        def _maybe_symbolic_build(self, iterator=None, data_batch=None):
            Placeholders.asked += 1
            return super()._maybe_symbolic_build(iterator, data_batch)

    model = Placeholders([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(*DATA, verbose=0)
    model.evaluate(*DATA, verbose=0)
    model.train_on_batch(*DATA)
    model.test_on_batch(*DATA)
    assert Placeholders.asked == 4


def test_resolved_losses_can_be_replaced_once():
    model = small_model()
    _keras_step_internals.build_losses_and_metrics(
        model, *DATA[1:], DATA[1], np.ones(4)
    )
    for _ in range(2):
        _keras_step_internals.replace_losses(
            model, lambda loss: lambda *args: 2 * loss(*args), len
        )
    x, y = DATA
    loss = model.compute_loss(x, y, y + 1.0)
    assert float(loss) == 2.0


def test_logged_losses_of_several_outputs_are_means_over_texts():
    inputs = keras.Input((2,))
    outputs = {
        name: keras.layers.Dense(1, kernel_initializer="zeros", name=name)(inputs)
        for name in ("a", "b")
    }
    x = np.ones((5, 2), "float32")
    y = {"a": np.array([[0], [0], [0], [0], [5]]), "b": np.full((5, 1), 2.0)}
    # Of unknown batch size, as pipelines are that preprocess texts.
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    logs = []
    for replaced in (False, True):
        model = keras.Model(inputs, outputs)
        model.compile("sgd", {"a": "mse", "b": "mse"})
        if replaced:
            weights = {name: np.ones(5) for name in y}
            _keras_step_internals.build_losses_and_metrics(model, y, y, weights)
            _keras_step_internals.replace_losses(
                model, lambda loss: loss, lambda y_pred: tf.shape(y_pred)[0]
            )
        logs.append(model.evaluate(batches, return_dict=True, verbose=0))
    keras_s, ours = logs
    assert keras_s == {"loss": 9.0, "a_loss": 12.5, "b_loss": 4.0}  # 25 / 2
    assert ours == {"loss": 9.0, "a_loss": 5.0, "b_loss": 4.0}  # 25 / 5


def test_a_tracked_loss_is_in_the_logs():
    model = small_model()
    model.evaluate(*DATA, verbose=0)
    model.reset_metrics()
    _keras_step_internals.track_loss(model, tf.constant(2.0), 3)
    _keras_step_internals.track_loss(model, tf.constant(6.0), 1)
    assert float(model.get_metrics_result()["loss"]) == 3.0


def test_an_epoch_s_logs_come_from_the_metrics_where_a_step_reports_some_of_them():
    class Reticent(_keras_step_internals.EpochLogsFromMetrics, keras.Model):
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


def test_a_metric_is_built_by_a_call_on_arrays_without_values():
    metric = keras.metrics.F1Score()
    assert metric.variables == []
    arrays = (np.zeros((4, 3), "float32"), np.zeros((4, 3), "float32"))
    _keras_step_internals.symbolic_call(metric.update_state, *arrays)
    assert [tuple(variable.shape) for variable in metric.variables] == [(3,)] * 4
    assert not np.any([variable.numpy() for variable in metric.variables])


def test_a_function_of_one_step_can_be_made_whatever_an_execution_has():
    model = small_model()
    model.compile("sgd", "mse", steps_per_execution=3, jit_compile=False)
    view = _keras_step_internals._OfOneStep(model)
    one_step = _keras_step_internals.TensorFlowTrainer._make_function(
        view, model.train_step
    )
    data = iter(tf.data.Dataset.from_tensors(DATA).repeat(5))
    one_step(data)
    assert int(model.optimizer.iterations) == 1
    assert len(list(data)) == 4
