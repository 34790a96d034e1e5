"""Language-model cross-entropy from hidden states, without a tensor of all logits.

A `[batch, time, vocabulary]` tensor is what runs out of memory first in language-model
training. Here only real targets count, their logits exist a slice of tokens at a time,
and the gradient is made in the same pass (`benchmarks/pretraining.py`).
"""

from __future__ import annotations

import tensorflow as tf

from siatl_keras.layers.real_tokens import put_back, real_places, take_places

# Tokens whose logits exist at a time: 512 x 20 000 words x 4 bytes = 40 MB.
TOKENS_PER_SLICE = 512


def sliced_cross_entropy(
    hidden: tf.Tensor,
    output_kernel: tf.Tensor,
    output_bias: tf.Tensor | None,
    targets: tf.Tensor,
    weights: tf.Tensor,
    *,
    soft_cap: float | None = None,
    kernel_learns: bool = True,
    hidden_learns: bool = True,
    tokens_per_slice: int = TOKENS_PER_SLICE,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Computes the weighted mean cross-entropy of next-token predictions.

    Equals `softmax_cross_entropy(hidden @ output_kernelᵀ + output_bias, targets)`, mean
    over targets by `weights`, gradients included. Products are made in the dtype of
    `hidden`, sums in float32. Source of the loss: Chronopoulou et al. 2019, eq. 2.

    Args:
        hidden: `[batch, time, embedding]`.
        output_kernel: `[vocabulary, embedding]`, the (tied) output embedding.
        output_bias: `[vocabulary]` or `None`.
        targets: int `[batch, time]`.
        weights: float `[batch, time]`; 0 where the target is padding.
        soft_cap: float, products become `soft_cap * tanh(product / soft_cap)` before
            the bias (Gemma); `None` leaves them.
        kernel_learns: whether gradients for `output_kernel` and `output_bias` are
            made; they are zero otherwise.
        hidden_learns: whether gradients for `hidden` are made; zero otherwise.
        tokens_per_slice: int, how many tokens' logits are held at a time, at the most.

    Returns:
        `(loss, token_losses)`: the float32 scalar mean (0 where all weights are 0),
        which carries the gradient; and float32 `[batch, time]` negative log
        likelihoods, 0 where the weight is 0, which do not.
    """
    vocabulary = output_kernel.shape[0]
    if output_bias is None:
        output_bias = tf.zeros([vocabulary])
    real = real_places(weights)
    flat_hidden = take_places(hidden, real)
    flat_targets = take_places(targets, real)
    flat_weights = take_places(tf.cast(weights, tf.float32), real)
    # float32 sum of the weights, not the number of rows: weights need not be 0 or 1.
    shares = tf.math.divide_no_nan(flat_weights, tf.reduce_sum(flat_weights))

    @tf.custom_gradient
    def weighted_mean(flat_hidden, output_kernel, output_bias):
        losses, d_hidden, d_kernel, d_bias = _slices(
            flat_hidden,
            output_kernel,
            output_bias,
            flat_targets,
            shares,
            soft_cap,
            kernel_learns,
            hidden_learns,
            tokens_per_slice,
        )

        def gradient(d_loss, _):
            return (
                d_hidden * tf.cast(d_loss, d_hidden.dtype),
                tf.cast(d_kernel * d_loss, output_kernel.dtype),
                d_bias * d_loss,
            )

        return (tf.reduce_sum(losses * shares), losses), gradient

    loss, losses = weighted_mean(
        flat_hidden,
        tf.cast(output_kernel, hidden.dtype),
        tf.cast(output_bias, tf.float32),
    )
    return loss, put_back(tf.stop_gradient(losses), real, targets)


def _slices(
    hidden,
    kernel,
    bias,
    targets,
    shares,
    soft_cap,
    kernel_learns,
    hidden_learns,
    tokens_per_slice,
):
    """Walks over slices of tokens; returns losses and the gradients of their mean."""
    tokens = tf.shape(hidden)[0]
    # At least one, empty if need be: a TensorArray of no elements cannot be joined.
    slices = tf.maximum(1, (tokens + tokens_per_slice - 1) // tokens_per_slice)
    size = (tokens + slices - 1) // slices  # Even: the same work, less memory.
    vocabulary, width = kernel.shape
    dtype = hidden.dtype

    def step(index, losses, d_hidden, d_kernel, d_bias):
        rows = slice(index * size, (index + 1) * size)
        part, part_targets, part_shares = hidden[rows], targets[rows], shares[rows]
        logits = tf.matmul(part, kernel, transpose_b=True)  # [slice, vocabulary]
        logits = tf.cast(logits, tf.float32)
        slopes = None
        if soft_cap is not None:
            logits, slopes = _soft_capped(logits, soft_cap)
        logits += bias
        logits -= tf.reduce_max(logits, -1, keepdims=True)
        at_target = tf.gather(logits, part_targets, batch_dims=1)
        exponentials = tf.exp(logits)
        totals = tf.reduce_sum(exponentials, -1)
        losses = losses.write(index, tf.math.log(totals) - at_target)
        if not (kernel_learns or hidden_learns):
            return index + 1, losses, d_hidden, d_kernel, d_bias
        # d loss / d logits is `exponentials * scale`, minus `shares` at the targets,
        # which follow apart. The scale goes to the narrow side of each product, but
        # float16 cannot hold sums of what is not normalised.
        scale = (part_shares / totals)[:, tf.newaxis]
        if dtype == tf.float16:
            exponentials /= totals[:, tf.newaxis]
            scale = part_shares[:, tf.newaxis]
        # The gradient of the products; that of the bias, which comes after the cap,
        # stays `exponentials`.
        factors = None if slopes is None else tf.cast(exponentials * slopes, dtype)
        exponentials = tf.cast(exponentials, dtype)
        factors = exponentials if factors is None else factors
        if hidden_learns:
            product = tf.cast(factors @ kernel, tf.float32) * scale
            d_hidden = d_hidden.write(index, tf.cast(product, dtype))
        if kernel_learns:
            scaled = tf.cast(tf.cast(part, tf.float32) * scale, dtype)
            product = tf.matmul(factors, scaled, transpose_a=True)
            d_kernel += tf.cast(product, tf.float32)
            scale = tf.cast(scale, dtype)
            product = tf.matmul(exponentials, scale, transpose_a=True)
            d_bias += tf.cast(product[:, 0], tf.float32)
        return index + 1, losses, d_hidden, d_kernel, d_bias

    def rows_of(element_dtype, *widths):
        return tf.TensorArray(
            element_dtype,
            size=slices,
            element_shape=(None, *widths),
            infer_shape=False,
        )

    _, losses, d_hidden, d_kernel, d_bias = tf.while_loop(
        lambda index, *_: index < slices,
        step,
        (
            tf.constant(0),
            rows_of(tf.float32),
            rows_of(dtype, width),
            tf.zeros([vocabulary, width] if kernel_learns else [0, width]),
            tf.zeros([vocabulary] if kernel_learns else [0]),
        ),
        parallel_iterations=1,
    )
    at_targets = tf.gather(kernel, targets)  # [tokens, embedding]
    shares_column = shares[:, tf.newaxis]
    if soft_cap is not None:
        products = tf.cast(hidden, tf.float32) * tf.cast(at_targets, tf.float32)
        products = tf.reduce_sum(products, -1, keepdims=True)
        shares_column *= _soft_capped(products, soft_cap)[1]
    shares_column = tf.cast(shares_column, dtype)
    if hidden_learns:
        d_hidden = d_hidden.concat() - at_targets * shares_column
    else:
        d_hidden = tf.zeros_like(hidden)
    if kernel_learns:
        d_kernel = tf.tensor_scatter_nd_sub(
            d_kernel,
            targets[:, tf.newaxis],
            tf.cast(hidden * shares_column, tf.float32),
        )
        d_bias = tf.tensor_scatter_nd_sub(d_bias, targets[:, tf.newaxis], shares)
    else:
        d_kernel, d_bias = tf.zeros([vocabulary, width]), tf.zeros([vocabulary])
    return losses.concat(), d_hidden, d_kernel, d_bias


def _soft_capped(products, soft_cap):
    """Returns the capped products, and the cap's derivative at each."""
    ratios = tf.tanh(products / soft_cap)
    return soft_cap * ratios, 1.0 - tf.square(ratios)
