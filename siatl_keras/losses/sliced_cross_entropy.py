"""Language-model cross-entropy from hidden states, without a tensor of all logits.

A `[batch, time, vocabulary]` tensor is what runs out of memory first in language-model
training. Here only real targets count, their logits exist a slice of tokens at a time,
and the gradient is made in the same pass (`benchmarks/pretraining.py`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow as tf

from siatl_keras.losses.output_weights import OutputWeights
from siatl_keras.losses.real_tokens import put_back, real_places, take_places

# Tokens whose logits exist at a time: 512 x 20 000 words x 4 bytes = 40 MB.
TOKENS_PER_SLICE = 512


class _Plan(NamedTuple):
    """What the walk over the slices makes."""

    hidden_learns: bool
    kernel_learns: bool
    tokens_per_slice: int


class _Targets(NamedTuple):
    """The right words of the tokens, and each one's share in the mean."""

    ids: tf.Tensor  # int [tokens]
    shares: tf.Tensor  # float32 [tokens]


class _Softmax(NamedTuple):
    """Of a slice of tokens."""

    exponentials: tf.Tensor  # float32 [slice, vocabulary]
    totals: tf.Tensor  # float32 [slice], their sums
    slopes: tf.Tensor | None  # float32 [slice, vocabulary], of the soft cap


class _Gradients(NamedTuple):
    """Those of the mean loss."""

    hidden: Any  # [tokens, embedding]; while slices are made, a TensorArray of them
    kernel: tf.Tensor  # float32 [vocabulary, embedding]
    bias: tf.Tensor  # float32 [vocabulary]


def sliced_cross_entropy(
    hidden: tf.Tensor,
    output: OutputWeights,
    targets: tf.Tensor,
    weights: tf.Tensor,
    *,
    kernel_learns: bool = True,
    hidden_learns: bool = True,
    tokens_per_slice: int = TOKENS_PER_SLICE,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes the weighted mean cross-entropy of next-token predictions.

    Equals `softmax_cross_entropy(hidden @ kernelᵀ + bias, targets)`, mean over targets
    by `weights`, gradients included. Products are made in the dtype of `hidden`, sums
    in float32. Source of the loss: Chronopoulou et al. 2019, eq. 2.

    Args:
        hidden: `[batch, time, embedding]`.
        output: the output layer's weights.
        targets: int `[batch, time]`.
        weights: float `[batch, time]`; 0 where the target is padding.
        kernel_learns: whether gradients for the output layer's kernel and bias are
            made; they are zero otherwise.
        hidden_learns: whether gradients for `hidden` are made; zero otherwise.
        tokens_per_slice: int, how many tokens' logits are held at a time, at the most.

    Returns:
        `(loss, token_losses)`: the float32 scalar mean (0 where all weights are 0),
        which carries the gradient; and float32 `[batch, time]` negative log
        likelihoods, 0 where the weight is 0, which do not.
    """
    bias = output.bias
    if bias is None:
        bias = tf.zeros([output.kernel.shape[0]])
    real = real_places(weights)
    flat_hidden = take_places(hidden, real)
    flat_weights = take_places(tf.cast(weights, tf.float32), real)
    # float32 sum of the weights, not the number of rows: weights need not be 0 or 1.
    shares = tf.math.divide_no_nan(flat_weights, tf.reduce_sum(flat_weights))
    flat_targets = _Targets(take_places(targets, real), shares)
    plan = _Plan(hidden_learns, kernel_learns, tokens_per_slice)

    @tf.custom_gradient
    def weighted_mean(flat_hidden, kernel, bias):
        weights = OutputWeights(kernel, bias, output.soft_cap)
        losses, made = _walk(flat_hidden, weights, flat_targets, plan)

        def gradient(d_loss, _):
            return (
                made.hidden * tf.cast(d_loss, made.hidden.dtype),
                tf.cast(made.kernel * d_loss, kernel.dtype),
                made.bias * d_loss,
            )

        return (tf.reduce_sum(losses * shares), losses), gradient

    loss, losses = weighted_mean(
        flat_hidden,
        tf.cast(output.kernel, hidden.dtype),
        tf.cast(bias, tf.float32),
    )
    return loss, put_back(tf.stop_gradient(losses), real, targets)


def _walk(hidden, output, targets, plan):
    """Walks over slices of tokens; returns losses and the gradients of their mean."""
    tokens, most = tf.shape(hidden)[0], plan.tokens_per_slice
    # At least one, empty if need be: a TensorArray of no elements cannot be joined.
    slices = tf.maximum(1, (tokens + most - 1) // most)
    size = (tokens + slices - 1) // slices  # Even: the same work, less memory.
    vocabulary, width = output.kernel.shape

    def step(index, losses, *gradients):
        rows = slice(index * size, (index + 1) * size)
        part, shares = hidden[rows], targets.shares[rows]
        softmax, at_target = _softmax(part, output, targets.ids[rows])
        losses = losses.write(index, tf.math.log(softmax.totals) - at_target)
        gradients = _Gradients(*gradients)
        if plan.kernel_learns or plan.hidden_learns:
            gradients = _with_sums(
                gradients, index, part, output.kernel, softmax, shares, plan
            )
        return index + 1, losses, *gradients

    def rows_of(element_dtype, *widths):
        return tf.TensorArray(
            element_dtype,
            size=slices,
            element_shape=(None, *widths),
            infer_shape=False,
        )

    _, losses, *gradients = tf.while_loop(
        lambda index, *_: index < slices,
        step,
        (
            tf.constant(0),
            rows_of(tf.float32),
            rows_of(hidden.dtype, width),
            tf.zeros([vocabulary, width] if plan.kernel_learns else [0, width]),
            tf.zeros([vocabulary] if plan.kernel_learns else [0]),
        ),
        parallel_iterations=1,
    )
    gradients = _with_targets(_Gradients(*gradients), hidden, output, targets, plan)
    return losses.concat(), gradients


def _softmax(part, output, targets):
    """Computes the parts of a slice's softmax, and the logits at its targets."""
    logits = tf.matmul(part, output.kernel, transpose_b=True)  # [slice, vocabulary]
    logits = tf.cast(logits, tf.float32)
    slopes = None
    if output.soft_cap is not None:
        logits, slopes = _soft_capped(logits, output.soft_cap)
    logits += output.bias
    logits -= tf.reduce_max(logits, -1, keepdims=True)
    at_target = tf.gather(logits, targets, batch_dims=1)
    exponentials = tf.exp(logits)
    totals = tf.reduce_sum(exponentials, -1)
    return _Softmax(exponentials, totals, slopes), at_target


def _with_sums(gradients, index, part, kernel, softmax, shares, plan):
    """Adds a slice's gradient of the softmax's sums.

    d loss / d logits is `exponentials * scale`, minus `shares` at the targets, which
    follow apart. The scale goes to the narrow side of each product.
    """
    dtype = part.dtype
    exponentials, totals, slopes = softmax
    scale = (shares / totals)[:, tf.newaxis]
    if dtype == tf.float16:  # It cannot hold sums of what is not normalised.
        exponentials /= totals[:, tf.newaxis]
        scale = shares[:, tf.newaxis]
    # The gradient of the products; that of the bias, which comes after the cap, stays
    # `exponentials`.
    factors = None if slopes is None else tf.cast(exponentials * slopes, dtype)
    exponentials = tf.cast(exponentials, dtype)
    factors = exponentials if factors is None else factors
    d_hidden, d_kernel, d_bias = gradients
    if plan.hidden_learns:
        product = tf.cast(factors @ kernel, tf.float32) * scale
        d_hidden = d_hidden.write(index, tf.cast(product, dtype))
    if plan.kernel_learns:
        scaled = tf.cast(tf.cast(part, tf.float32) * scale, dtype)
        product = tf.matmul(factors, scaled, transpose_a=True)
        d_kernel += tf.cast(product, tf.float32)
        scale = tf.cast(scale, dtype)
        product = tf.matmul(exponentials, scale, transpose_a=True)
        d_bias += tf.cast(product[:, 0], tf.float32)
    return _Gradients(d_hidden, d_kernel, d_bias)


def _with_targets(gradients, hidden, output, targets, plan):
    """Adds the targets' gradient, and zeros for what learns nothing."""
    kernel, ids = output.kernel, targets.ids
    at_targets = tf.gather(kernel, ids)  # [tokens, embedding]
    shares = targets.shares[:, tf.newaxis]
    if output.soft_cap is not None:
        products = tf.cast(hidden, tf.float32) * tf.cast(at_targets, tf.float32)
        products = tf.reduce_sum(products, -1, keepdims=True)
        shares *= _soft_capped(products, output.soft_cap)[1]
    shares = tf.cast(shares, hidden.dtype)
    d_hidden, d_kernel, d_bias = gradients
    if plan.hidden_learns:
        d_hidden = d_hidden.concat() - at_targets * shares
    else:
        d_hidden = tf.zeros_like(hidden)
    if plan.kernel_learns:
        rows = ids[:, tf.newaxis]
        product = tf.cast(hidden * shares, tf.float32)
        d_kernel = tf.tensor_scatter_nd_sub(d_kernel, rows, product)
        d_bias = tf.tensor_scatter_nd_sub(d_bias, rows, targets.shares)
    else:
        d_kernel, d_bias = tf.zeros(kernel.shape), tf.zeros(kernel.shape[:1])
    return _Gradients(d_hidden, d_kernel, d_bias)


def _soft_capped(products, soft_cap):
    """Returns the capped products, and the cap's derivative at each."""
    ratios = tf.tanh(products / soft_cap)
    return soft_cap * ratios, 1.0 - tf.square(ratios)
