import keras
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.callbacks.inside_execution import InsideExecution


@pytest.mark.parametrize("steps", [1, 2])
def test_it_calls_around_every_step_with_the_step_s_value(steps):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse", steps_per_execution=steps)
    model.optimizer.build(model.trainable_variables)
    calls = tf.Variable(np.zeros((0, 2), "float32"), shape=(None, 2))

    def note(value):
        done = tf.cast(model.optimizer.iterations.value, "float32")
        calls.assign(tf.concat([calls, [[value, done]]], 0))

    before, after = InsideExecution(note), InsideExecution(note, after=True)

    class Around(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            for inside in (before, after):
                inside.begin([batch + step + 0.5 for step in range(steps)])

        def on_train_batch_end(self, batch, logs=None):
            assert before.end() == after.end()

    before.enter(model)
    after.enter(model)
    # Three batches: the second execution of two steps makes one.
    model.fit(np.ones((6, 1)), np.ones(6), 2, verbose=0, callbacks=[Around()])
    before.leave()
    after.leave()
    expected = [[step + 0.5, step + after] for step in range(3) for after in (0, 1)]
    np.testing.assert_allclose(calls.numpy(), expected)
    assert "train_step" not in vars(model)
