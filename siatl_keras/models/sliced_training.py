"""`SlicedTraining`: train and test steps that never hold all LM logits at once.

Shared by the language model and the classifier. Keras's own steps call the model, whose
LM output is a `[batch, time, vocabulary]` tensor; these hand the losses and metrics
per-token negative log likelihoods instead, which they know how to take.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from siatl_keras import _keras_step_internals
from siatl_keras._keras_internals import sum_duplicates
from siatl_keras.arguments import check_whole
from siatl_keras.layers.sampled_cross_entropy import sampled_cross_entropy
from siatl_keras.layers.sliced_cross_entropy import sliced_cross_entropy
from siatl_keras.models.causal_head import output_weights
from siatl_keras.training.language_modeling_loss import LanguageModelingLoss
from siatl_keras.training.replica_share import LossOverReplicas
from siatl_keras.training.wait_for_data import wait_for_data


class SlicedTraining(
    _keras_step_internals.BuiltFromPlaceholders,
    _keras_step_internals.StepsOneByOne,
    _keras_step_internals.EpochLogsFromMetrics,
):
    """Mixin for a `keras.Model` with a language-model output.

    Under a `tf.distribute` strategy losses, gradients and metrics are those of the
    whole batch, whether or not it divides by the replicas, and however they clip.

    A class that uses it implements `training_outputs` and `placeholder_batch`, may
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

    def placeholder_batch(self) -> tuple[Any, Any, Any]:
        """Returns `(y, y_pred, sample_weight)` of a batch of one, as numpy arrays."""
        raise NotImplementedError

    def make_train_function(self, force: bool = False) -> Any:
        """Makes the function that `fit` runs; see `keras.Model`."""
        self._build_for_training()
        with self.distribute_strategy.scope():  # type: ignore[attr-defined]
            if not self.optimizer.built:  # type: ignore[attr-defined]
                self.optimizer.build(self.trainable_variables)  # type: ignore[attr-defined]
        return super().make_train_function(force)  # type: ignore[misc]

    def make_test_function(self, force: bool = False) -> Any:
        """Makes the function that `evaluate` runs; see `keras.Model`."""
        self._build_for_training()
        return super().make_test_function(force)  # type: ignore[misc]

    def _build_for_training(self) -> None:
        model: Any = self
        _keras_step_internals.build_losses_and_metrics(model, *self.placeholder_batch())
        several = model.distribute_strategy.num_replicas_in_sync > 1
        _keras_step_internals.replace_losses(
            model, _over_replicas if several else _as_it_is, _texts_per_replica
        )

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
            with wait_for_data(data):
                loss = self.compute_loss(  # type: ignore[attr-defined]
                    x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=True
                )
            scaled = self.optimizer.scale_loss(loss)  # type: ignore[attr-defined]
        gradients = tape.gradient(scaled, values)
        # Without the LM loss the head's bias has no gradient; nothing is amiss then.
        pairs = zip(gradients, variables, strict=True)
        with wait_for_data(data):
            self._track_loss(loss, x)
            self._apply_gradients([pair for pair in pairs if pair[0] is not None])
            return self.reported_logs(self._update_metrics(x, y, y_pred, sample_weight))

    def test_step(self, data: Any) -> dict[str, Any]:
        """Evaluates a batch; returns the metrics."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        y_pred = self.training_outputs(x, y, sample_weight, training=False)
        with wait_for_data(data):
            loss = self.compute_loss(  # type: ignore[attr-defined]
                x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, training=False
            )
            self._track_loss(loss, x)
            return self._update_metrics(x, y, y_pred, sample_weight)

    def _track_loss(self, loss: Any, x: Any) -> None:
        model: Any = self
        texts = _texts_per_replica(x["token_ids"])
        _keras_step_internals.track_loss(model, loss, texts)

    def _apply_gradients(self, pairs: list[tuple[Any, Any]]) -> None:
        optimizer = self.optimizer  # type: ignore[attr-defined]
        variables = [variable for _, variable in pairs]
        # Keras's optimizers square the slices of a word that comes twice one by one.
        gradients = [sum_duplicates(gradient) for gradient, _ in pairs]
        replica = _replica_of_several()
        if replica is None:
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return
        # Before the optimizer sees them: Keras's clip the gradients of each replica,
        # and loss scaling asks the first replica alone whether they are finite.
        gradients = replica.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        gradients = [sum_duplicates(gradient) for gradient in gradients]
        with _keras_step_internals.gradients_are_summed(optimizer):
            optimizer.apply_gradients(zip(gradients, variables, strict=True))

    def _update_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any
    ) -> dict[str, Any]:
        model: Any = self
        logs = model.compute_metrics(x, y, y_pred, sample_weight)
        replica = _replica_of_several()
        if replica is None:
            return logs
        # What one replica has seen says little, and nothing where it got no text.
        return replica.merge_call(lambda _: model.get_metrics_result())


def _replica_of_several() -> Any:
    """Returns the replica that the code runs on, `None` where it is the only one."""
    replica = tf.distribute.get_replica_context()
    several = replica is not None and replica.num_replicas_in_sync > 1
    return replica if several else None


def _texts_per_replica(batch: Any) -> tf.Tensor:
    """Counts the texts of a tensor of a batch, which may not divide by the replicas."""
    texts = tf.shape(batch)[0]
    replica = _replica_of_several()
    if replica is None:
        return texts
    # The batch's loss is a sum over replicas, and so is its weight.
    return replica.all_reduce(tf.distribute.ReduceOp.MEAN, tf.cast(texts, "float32"))


def _over_replicas(loss: Any) -> Any:
    return loss if isinstance(loss, LanguageModelingLoss) else LossOverReplicas(loss)


def _as_it_is(loss: Any) -> Any:
    return loss


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
