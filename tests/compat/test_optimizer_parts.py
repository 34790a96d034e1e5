"""Fails first when a new Keras changes what `compat.optimizer_parts` relies on."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from siatl_keras.compat import optimizer_parts


@pytest.mark.parametrize("sparse", [False, True])
def test_clipping_still_goes_through_the_method_that_we_replace(sparse):
    @optimizer_parts.fused_global_norm
    class Fused(keras.optimizers.SGD):
        pass

    weight = keras.Variable([3.0, 4.0])
    gradient = tf.constant([3.0, 4.0])
    if sparse:
        # The same gradient, in slices that Keras would square one by one.
        gradient = tf.IndexedSlices(
            tf.constant([1.0, 4.0, 2.0]), tf.constant([0, 1, 0]), tf.constant([2])
        )
    Fused(1.0, global_clipnorm=1.0).apply([gradient], [weight])
    np.testing.assert_allclose(weight.numpy(), [2.4, 3.2], atol=1e-6)


def test_adam_still_keeps_its_moments_where_we_look():
    weight = keras.Variable([1.0])
    adam = keras.optimizers.Adam(0.1)
    adam.apply([keras.ops.array([2.0])], [weight])
    momentum, velocity = optimizer_parts.adam_moments(adam, weight)
    np.testing.assert_allclose(momentum.numpy(), [0.2], atol=1e-6)
    np.testing.assert_allclose(velocity.numpy(), [0.004], atol=1e-6)


def test_sgd_moment_is_what_sgd_remembers():
    weight = keras.Variable([1.0])
    sgd = keras.optimizers.SGD(0.1, momentum=0.5)
    sgd.apply([keras.ops.array([2.0])], [weight])
    moment = optimizer_parts.sgd_moment(sgd, weight)
    np.testing.assert_allclose(moment.numpy(), [-0.2], atol=1e-6)


def test_a_variables_resource_can_be_changed_by_raw_operations():
    weight = keras.Variable([1.0])
    tf.raw_ops.AssignVariableOp(
        resource=optimizer_parts.resource(weight), value=tf.constant([5.0])
    )
    assert weight.numpy() == [5.0]


@pytest.mark.parametrize("scaled", [False, True])
def test_an_optimizer_remembers_what_it_was_built_on(scaled):
    weights = [keras.Variable([1.0]), keras.Variable([2.0])]
    optimizer = keras.optimizers.Adam()
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(weights)
    known = optimizer_parts.optimized_variables(optimizer)
    assert [id(v) for v in known] == [id(v) for v in weights]


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
    with optimizer_parts.gradients_are_summed(outer):
        plain.apply([tf.ones(2)], [variable])
    assert Counting.sums == 0
    plain.apply([tf.ones(2)], [variable])
    assert Counting.sums == 1
    np.testing.assert_allclose(variable, [0.0, 0.0])


def test_on_one_device_gradients_are_their_own_sum():
    variable = keras.Variable(np.ones(2, "float32"))
    pairs = [(tf.ones(2), variable)]
    summed = optimizer_parts.summed_over_replicas(keras.optimizers.SGD(), pairs)
    assert [v is variable for _, v in summed] == [True]
    np.testing.assert_array_equal(summed[0][0], [1.0, 1.0])
