"""`TextReader`: the states of texts, also of those longer than what is read at once.

Source: fastai's text encoder (Howard & Ruder 2018, section 3.3, BPT3C) for LSTMs, whose
state is carried on from window to window. Transformers read windows that overlap, so
that every token but the first few has at least half a window before it.

Gradients go through the last windows of each text alone: earlier ones are read as in
prediction, one after another, and nothing of them is kept but their states.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

from siatl_keras.models.causal_backbone import INPUTS
from siatl_keras.models.frozen_states import FrozenStates
from siatl_keras.models.gradient_checkpointing import call_checkpointed
from siatl_keras.models.lstm_backbone import LSTMBackbone

# Of each text, through which gradients go.
LEARNING_WINDOWS = 2


class TextReader:
    """Runs a classifier's backbone over texts: at once, or in windows.

    Args:
        backbone: a causal language model's.
        preprocessor: the `SiATLPreprocessor`, whose `long_texts` says which; or `None`.
        gradient_checkpointing: bool, whether the backward pass recomputes the
            activations of a transformer's blocks.

    Attributes:
        window: int, tokens of a window; `None` where all are read at once.

    Call arguments:
        x: dict of `token_ids` and `padding_mask`, int `[batch, time]`.
        training: bool, whether dropout is on.
        frozen: what is known of the texts, whose `row` is then in `x`. Not for windows.

    Returns:
        float `[batch, time, embedding]`.
    """

    def __init__(
        self, backbone: Any, preprocessor: Any, gradient_checkpointing: bool = False
    ) -> None:
        self.backbone = backbone
        self.gradient_checkpointing = gradient_checkpointing
        self.window: int | None = None
        if getattr(preprocessor, "long_texts", "cut") == "windows":
            self.window = preprocessor.sequence_length

    @property
    def pooled_windows(self) -> tuple[int, int] | None:
        """Length and step of windows to pool one by one; `None` where states go on."""
        if self.window is None or isinstance(self.backbone, LSTMBackbone):
            return None
        return self.window, window_step(self.backbone, self.window)

    def __call__(
        self, x: Any, training: bool, frozen: FrozenStates | None = None
    ) -> Any:
        """Computes the states; see the class."""
        inputs = {name: x[name] for name in INPUTS}
        if self.window is not None:
            call = partial(self._call, self.backbone)
            return read_in_windows(self.backbone, inputs, self.window, training, call)
        if frozen is None or frozen.layer is None:
            return self._call(self.backbone, inputs, training)
        return frozen.go_on(x, training, self._call)

    def _call(self, model: Any, x: Any, training: bool) -> Any:
        if training and self.gradient_checkpointing:
            return call_checkpointed(model, x, training)
        return model(x, training=training)


def window_step(backbone: Any, length: int) -> int:
    """Says how far windows are apart: their length on an LSTM, else half of it.

    Args:
        backbone: a causal language model's.
        length: int, tokens of a window.
    """
    return length if isinstance(backbone, LSTMBackbone) else max(1, length // 2)


def read_in_windows(
    backbone: Any,
    x: dict[str, Any],
    length: int,
    training: bool = False,
    call: Callable[[Any, bool], Any] | None = None,
) -> tf.Tensor:
    """Computes the states of all tokens, each once.

    Texts of one window get the states that the backbone gives them.

    Args:
        backbone: a causal language model's.
        x: dict of `token_ids` and `padding_mask`, int `[batch, time]`, padding on the
            right.
        length: int, tokens of a window.
        training: bool, whether dropout is on in the windows that learn.
        call: what stands in for a transformer's own call, a function of `x` and
            `training`.

    Returns:
        float `[batch, time, embedding]`, zeros at padding.
    """
    lengths = tf.reduce_sum(tf.cast(x["padding_mask"], tf.int32), -1)
    step = window_step(backbone, length)
    beyond = tf.maximum(0, lengths - length)
    windows = 1 + (beyond + step - 1) // step  # [batch]
    # The first window that learns; those before it are read first.
    first = tf.maximum(0, windows - LEARNING_WINDOWS)
    how = (x, lengths, windows, first, length, training)
    if isinstance(backbone, LSTMBackbone):
        return _carried_on(backbone, *how)
    return _overlapping(backbone, call or backbone, *how)


def _carried_on(
    backbone: Any,
    x: dict[str, Any],
    lengths: tf.Tensor,
    windows: tf.Tensor,
    first: tf.Tensor,
    length: int,
    training: bool,
) -> tf.Tensor:
    """Reads the earlier windows, whole ones each, then all others at once."""
    batch, time = _shape(x)
    before = tf.reduce_max(first)
    padded = tf.pad(x["token_ids"], [[0, 0], [0, length]])
    mask = tf.ones([batch, length], tf.int32)
    width = backbone.output_shape[-1]

    def read(window: tf.Tensor, states: tf.Tensor, earlier: tf.Tensor) -> Any:
        token_ids = padded[:, window * length : (window + 1) * length]
        token_ids = tf.ensure_shape(token_ids, [None, length])
        found, after = backbone.read(token_ids, mask, states)
        after = tf.stack([tf.stack(state, 1) for state in after], 1)
        # A text whose own windows come later keeps the state that it starts with.
        is_before = window < first
        states = tf.where(is_before[:, None, None, None], after, states)
        found = tf.where(is_before[:, None, None], found, tf.zeros_like(found))
        return window + 1, states, tf.concat([earlier, found], 1)

    states = backbone.initial_states(batch)
    _, states, earlier = tf.while_loop(
        lambda window, *_: window < before,
        read,
        (tf.constant(0), states, tf.zeros([batch, 0, width], states.dtype)),
        shape_invariants=(
            tf.TensorShape([]),
            tf.TensorShape([None, *states.shape[1:]]),
            tf.TensorShape([None, None, width]),
        ),
        parallel_iterations=1,
    )
    earlier = tf.stop_gradient(earlier)  # [batch, before * length, width]
    # What learns, as rows that begin with the first window of each.
    size = tf.minimum(time, LEARNING_WINDOWS * length)
    start = first * length
    places = start[:, None] + tf.range(size)  # [batch, size]
    inside = tf.cast(places < lengths[:, None], tf.int32)
    token_ids = tf.gather(
        x["token_ids"], tf.minimum(places, time - 1), batch_dims=1
    ) * tf.cast(inside, x["token_ids"].dtype)
    later, _ = backbone.read(
        token_ids, inside, tf.stop_gradient(states), training=training
    )
    return _joined(earlier, later, start, time)


def _joined(
    earlier: tf.Tensor, later: tf.Tensor, start: tf.Tensor, time: tf.Tensor
) -> tf.Tensor:
    """Puts each row's later states behind its earlier ones."""
    batch, size = tf.shape(later)[0], tf.shape(later)[1]
    rows = tf.repeat(tf.range(batch), size)
    places = tf.reshape(start[:, None] + tf.range(size), [-1])
    total = tf.maximum(time, tf.reduce_max(start) + size)
    earlier = tf.pad(earlier, [[0, 0], [0, total - tf.shape(earlier)[1]], [0, 0]])
    updates = tf.reshape(later, [-1, later.shape[-1]])
    joined = tf.tensor_scatter_nd_add(earlier, tf.stack([rows, places], -1), updates)
    return joined[:, :time]


def _overlapping(
    backbone: Any,
    call: Callable[..., Any],
    x: dict[str, Any],
    lengths: tf.Tensor,
    windows: tf.Tensor,
    first: tf.Tensor,
    length: int,
    training: bool,
) -> tf.Tensor:
    """Reads the earlier windows one after another, then those that learn at once."""
    batch, time = _shape(x)
    size = tf.minimum(time, length)
    step = window_step(backbone, length)

    def read(rows: tf.Tensor, window: tf.Tensor, training: bool) -> Any:
        """Returns states `[rows, size]`, and where they belong, of a window each."""
        places = window[:, None] * step + tf.range(size)
        inside = places < tf.gather(lengths, rows)[:, None]
        token_ids = tf.gather(
            tf.gather(x["token_ids"], rows), tf.minimum(places, time - 1), batch_dims=1
        )
        mask = tf.cast(inside, tf.int32)
        token_ids *= tf.cast(mask, token_ids.dtype)
        states = call({"token_ids": token_ids, "padding_mask": mask}, training=training)
        # Those that a window shares with the one before it are that one's.
        is_own = (tf.range(size) >= length - step) | (window == 0)[:, None]
        is_own = tf.cast(is_own & inside, states.dtype)
        places = tf.where(inside, places, 0)
        rows = tf.broadcast_to(rows[:, None], tf.shape(places))
        return states * is_own[:, :, None], tf.stack([rows, places], -1)

    def read_earlier(window: tf.Tensor, states: tf.Tensor) -> Any:
        rows = tf.where(window < first)[:, 0]
        rows = tf.cast(rows, tf.int32)
        found, places = read(rows, tf.fill(tf.shape(rows), window), False)
        return window + 1, tf.tensor_scatter_nd_add(states, places, found)

    width = backbone.output_shape[-1]
    states = tf.zeros([batch, time, width], backbone.compute_dtype)
    _, states = tf.while_loop(
        lambda window, _: window < tf.reduce_max(first),
        read_earlier,
        (tf.constant(0), states),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None, None, width])),
        parallel_iterations=1,
    )
    window = first[:, None] + tf.range(LEARNING_WINDOWS)
    learning = tf.cast(tf.where(window < windows[:, None]), tf.int32)
    found, places = read(learning[:, 0], tf.gather_nd(window, learning), training)
    return tf.tensor_scatter_nd_add(tf.stop_gradient(states), places, found)


def _shape(x: dict[str, Any]) -> tuple[tf.Tensor, tf.Tensor]:
    shape = tf.shape(x["token_ids"])
    return shape[0], shape[1]
