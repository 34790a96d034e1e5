"""`SlicedTraining`: train and test steps that never hold all LM logits at once.

Shared by the language model and the classifier. Keras's own steps call the model, whose
LM output is a `[batch, time, vocabulary]` tensor; these hand the losses and metrics
per-token negative log likelihoods instead, which they know how to take.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from siatl_keras import _keras_internals
from siatl_keras.arguments import check_whole
from siatl_keras.layers.sampled_cross_entropy import sampled_cross_entropy
from siatl_keras.layers.sliced_cross_entropy import sliced_cross_entropy
from siatl_keras.models.causal_head import output_weights


class SlicedTraining:
    """Mixin for a `keras.Model` with a language-model output.

    A class that uses it implements `training_outputs` and `smallest_targets`, may
    override `reported_logs`, calls `sample_words` in `compile`, and before that has a
    `sampling_seed`, a `keras.random.SeedGenerator`.
    """

    sampled_words: int | None = None

    def sample_words(self, sampled_words: int | None) -> None:
        """Sets how many words of the vocabulary estimate the LM loss in training.

        Args:
            sampled_words: int, or `None` for the exact loss.

        Raises:
            ValueError: if it is not from 2 to the vocabulary's size.
        """
        size = self.backbone.token_embedding.input_dim  # type: ignore[attr-defined]
        if sampled_words is not None:
            check_whole(0, sampled_words=sampled_words)
        if sampled_words is not None and not 2 <= sampled_words <= size:
            raise ValueError(
                f"`sampled_words` must be from 2 to the vocabulary's {size} words, or "
                f"None for the exact loss. Received: sampled_words={sampled_words}."
            )
        self.sampled_words = sampled_words

    def training_outputs(
        self, x: Any, y: Any, sample_weight: Any, training: bool
    ) -> Any:
        """Returns what losses and metrics take as `y_pred`.

        Args:
            x: the model's inputs.
            y: targets.
            sample_weight: weights.
            training: bool, whether dropout is on and gradients are wanted.
        """
        raise NotImplementedError

    def smallest_targets(self) -> tuple[Any, Any, Any]:
        """Returns `(y, y_pred, sample_weight)` of a batch of one, as numpy arrays."""
        raise NotImplementedError

    def make_train_function(self, force: bool = False) -> Any:
        """Makes the function that `fit` runs; see `keras.Model`."""
        targets = self.smallest_targets()
        _keras_internals.build_losses_and_metrics(self, *targets)  # type: ignore[arg-type]
        return super().make_train_function(force)  # type: ignore[misc]

    def reported_logs(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Leaves out a perplexity that a sampled loss would make look too good."""
        if self.sampled_words is None:
            return logs
        return {k: v for k, v in logs.items() if k != "perplexity"}

    def preprocess_samples(
        self, x: Any, y: Any = None, sample_weight: Any = None
    ) -> Any:
        """Preprocesses raw texts, and leaves alone what a pipeline has packed."""
        if isinstance(x, dict):
            return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        return super().preprocess_samples(x, y, sample_weight)  # type: ignore[misc]

    def token_losses(
        self, hidden: Any, targets: Any, weights: Any, training: bool
    ) -> tf.Tensor:
        """Computes the LM's per-token losses in slices, or from sampled words.

        Args:
            hidden: `[batch, time, embedding]`.
            targets: int `[batch, time]`.
            weights: float `[batch, time]`.
            training: bool; without it no gradients are made, and nothing is sampled.

        Returns:
            float32 `[batch, time]`. Their mean by `weights` is the LM loss and carries
            its gradient.
        """
        embedding = self.backbone.token_embedding  # type: ignore[attr-defined]
        head = output_weights(embedding)
        if embedding.reverse_dtype is not None:
            hidden = tf.cast(hidden, embedding.reverse_dtype)
        if training and self.sampled_words is not None:
            return sampled_cross_entropy(
                hidden,
                head.kernel,
                head.bias,
                targets,
                weights,
                words=self.sampled_words,
                seed=self.sampling_seed,  # type: ignore[attr-defined]
                soft_cap=head.soft_cap,
            )
        loss, losses = sliced_cross_entropy(
            hidden,
            head.kernel,
            head.bias,
            targets,
            weights,
            soft_cap=head.soft_cap,
            kernel_learns=training and bool(embedding.trainable_variables),
            hidden_learns=training,
        )
        # The gradient was made for the mean, so the mean must carry it: every token
        # takes the same zero with the mean's gradient, and the weighted mean of these
        # is the loss, gradient included.
        return losses + (loss - tf.stop_gradient(loss))

    def train_step(self, data: Any) -> dict[str, Any]:
        """Makes one optimizer step on a batch; returns the metrics."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        variables = self.trainable_variables  # type: ignore[attr-defined]
        values = [variable.value for variable in variables]
        # Watching what learns and nothing else: backpropagation then ends at the
        # lowest layer that learns.
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            y_pred = self.training_outputs(x, y, sample_weight, training=True)
            loss = self.compute_loss(  # type: ignore[attr-defined]
                x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True
            )
            scaled = self.optimizer.scale_loss(loss)  # type: ignore[attr-defined]
        _keras_internals.track_loss(self, loss, tf.shape(x["token_ids"])[0])
        gradients = tape.gradient(scaled, values)
        # Without the LM loss the head's bias has no gradient; nothing is amiss then.
        pairs = zip(gradients, variables, strict=True)
        self.optimizer.apply_gradients(  # type: ignore[attr-defined]
            [pair for pair in pairs if pair[0] is not None]
        )
        logs = self.compute_metrics(x, y, y_pred, sample_weight)  # type: ignore[attr-defined]
        return self.reported_logs(logs)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluates a batch; returns the metrics."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y_pred = self.training_outputs(x, y, sample_weight, training=False)
        loss = self.compute_loss(  # type: ignore[attr-defined]
            x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False
        )
        _keras_internals.track_loss(self, loss, tf.shape(x["token_ids"])[0])
        return self.compute_metrics(x, y, y_pred, sample_weight)  # type: ignore[attr-defined]


def refuse_xla(jit_compile: Any) -> None:
    """Raises a `ValueError` if a model with the LM loss is to be compiled with XLA.

    Args:
        jit_compile: as for `keras.Model.compile`.
    """
    if jit_compile is True:
        raise ValueError(
            "`jit_compile` must be False: the LM loss walks over the real tokens of a "
            "batch, and XLA compiles no loop whose length it does not know. "
            "(`siatl_keras.layers.LSTM` by itself can be compiled.)"
        )
