"""A model's losses, as its steps compute them and from all logits."""

import keras
import tensorflow as tf

from siatl_keras.models.gradients import compute_losses, total_loss
from siatl_keras.models.objectives import Batch


def step_losses(model, batch, training=False):
    """Returns the total, and by objective the loss and what the metrics take."""
    objectives = model.joint_loss.used(training)
    computed = compute_losses(model, objectives, Batch(*batch), training)
    return total_loss(model, objectives, computed), computed


def loss_of_logits(targets, logits, weights):
    """The mean cross-entropy of the real tokens."""
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    return loss(targets, logits, weights)


def total_of_logits(model, batch, training):
    """The total loss of a classifier with Keras's own loss of the task."""
    x, y, weights = batch
    outputs = model(x, training=training)
    task = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    lm = loss_of_logits(y["lm"], outputs["lm"], weights["lm"])
    return task(y["task"], outputs["task"], weights["task"]) + model.gamma * lm


def total_gradients(model, batch, sliced):
    """Gradients of the total loss, by the slices of training or by all logits."""
    with tf.GradientTape() as tape:
        if sliced:
            loss, _ = step_losses(model, batch, training=True)
        else:
            loss = total_of_logits(model, batch, training=True)
    variables = [variable.value for variable in model.trainable_variables]
    return [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]
