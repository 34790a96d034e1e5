"""Both ways to the gradients of a classifier's total loss."""

import tensorflow as tf


def total_gradients(model, batch, sliced):
    """Gradients of the total loss, by the slices of training or by all logits."""
    x, y, weights = batch
    with tf.GradientTape() as tape:
        outputs = (
            model.training_outputs(x, y, weights, training=True)
            if sliced
            else model(x, training=True)
        )
        loss = model.compute_loss(x, y, outputs, weights)
    variables = [variable.value for variable in model.trainable_variables]
    return [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]
