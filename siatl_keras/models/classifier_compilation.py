"""`ClassifierCompilation`: what `SiATLClassifier` is compiled with, now and in `fit`.

Source: Chronopoulou et al. 2019, eq. 3: L = L_task + γ · L_LM, two optimizers.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import keras

from siatl_keras import _keras_step_internals
from siatl_keras.models.compile_arguments import (
    TrialBatch,
    checked_loss_weights,
    checked_task_loss,
    checked_task_metrics,
)
from siatl_keras.models.sliced_training import refuse_xla
from siatl_keras.training import (
    LanguageModelingLoss,
    SyncedLossScaleOptimizer,
    TokenPerplexity,
    paper_optimizer,
)


class ClassifierCompilation:
    """Mixin for a `keras.Model` with `LayerGroups`, `gamma` and `task`."""

    def compile(
        self,
        optimizer: Any = "auto",
        loss: Any = "auto",
        *,
        loss_weights: Any = None,
        metrics: Any = "auto",
        weighted_metrics: Any = None,
        sampled_words: int | None = None,
        jit_compile: bool = False,
        **kwargs: Any,
    ) -> None:
        """Configures training.

        A compilation that fails leaves the one before it as it was.

        Args:
            optimizer: any Keras optimizer, or a `GroupedOptimizer`; "auto" is the
                `paper_optimizer`: Adam for new layers, and for pretrained ones SGD
                on an LSTM, a second Adam on other backbones.
            loss: a loss for the task, or `{"task": loss}`; "auto" is the task's own, of
                classes the cross-entropy. The LM loss is always the mean over real
                tokens. Of classes, Keras's crossentropies compute from logits, whatever
                their `from_logits`, its other losses from the softmax (see
                `siatl_keras.training.task_loss`); functions and losses of one's own get
                class numbers and logits. For other tasks, see `loss` of
                `siatl_keras.tasks.MultiLabel`, `Ordinal` and `Regression`.
            loss_weights: dict or list of the weights of `task` and `lm`; the LM's sets
                `model.gamma`, which a `GammaDecay` then assigns. What is not given is 1
                for the task, and γ as it is.
            metrics: list of metrics of the task, or `{"task": list}`; "auto" is the
                task's own, of classes accuracy and macro F1. Keras's metrics get the
                targets and probabilities that they take (see
                `siatl_keras.training.task_metric`); one's own get class numbers and
                logits, or what `loss` gets of other tasks. The LM's perplexity is
                always reported, but in training on `sampled_words`.
            weighted_metrics: like `metrics`, weighted by the texts' weights.
            sampled_words: int, words of the vocabulary that estimate the LM loss in
                training, see `siatl_keras.layers.sampled_cross_entropy`; the fewer, the
                less the auxiliary loss costs. `None` trains on the exact loss.
            jit_compile: must be `False`: XLA cannot compile the LM loss.
            **kwargs: other arguments of `keras.Model.compile`.

        Raises:
            ValueError: if `jit_compile` is true, `sampled_words` is not from 2 to the
                vocabulary's size, a loss or metric is not one of the task's targets, or
                a weight is negative or no number.
        """
        refuse_xla(jit_compile)
        arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "sampled_words": sampled_words,
            "jit_compile": jit_compile,
            **kwargs,
        }
        gamma, auxiliary = self.gamma, self.auxiliary_loss  # type: ignore[attr-defined]
        weights = checked_loss_weights(loss_weights, gamma, auxiliary)
        if weights:
            arguments["loss_weights"] = weights
        task = self.task  # type: ignore[attr-defined]
        batch = TrialBatch(task)
        with self.distribute_strategy.scope():  # type: ignore[attr-defined]
            loss = checked_task_loss(loss, batch)
            if _is_auto(metrics):
                metrics = task.default_metrics()
            metrics = checked_task_metrics("metrics", metrics, batch, False)
            weighted_metrics = checked_task_metrics(
                "weighted_metrics", weighted_metrics, batch, True
            )
        if _is_auto(optimizer):
            default = self.default_optimizer  # type: ignore[attr-defined]
            optimizer = paper_optimizer(pretrained_optimizer=default)
        optimizer = keras.optimizers.get(optimizer)
        self.bind_optimizer(optimizer)  # type: ignore[attr-defined]
        if self.dtype_policy.name == "mixed_float16":  # type: ignore[attr-defined]
            # As Keras does by itself, but with replicas that agree on overflow.
            optimizer = SyncedLossScaleOptimizer(optimizer)
        # On all variables, before any is frozen: an optimizer built on a stage's own
        # would not know those of the next.
        groups = self.variable_groups.values()  # type: ignore[attr-defined]
        optimizer.build([v for group in groups for v in group])
        before = getattr(self, "sampled_words", None)
        self.sample_words(sampled_words)  # type: ignore[attr-defined]
        try:
            super().compile(  # type: ignore[misc]
                optimizer=optimizer,
                loss={"task": loss, "lm": LanguageModelingLoss()},
                loss_weights={
                    "task": weights.get("task", 1.0),
                    # Plain transfer evaluates what it trains on, too.
                    "lm": gamma if auxiliary else 0.0,
                },
                metrics={"task": metrics},
                weighted_metrics={"task": weighted_metrics, "lm": [TokenPerplexity()]},
                jit_compile=jit_compile,
                **kwargs,
            )
        except TypeError:  # An argument that Keras does not know.
            self.sample_words(before)  # type: ignore[attr-defined]
            raise
        targets = self.placeholder_batch()  # type: ignore[attr-defined]
        _keras_step_internals.build_losses_and_metrics(self, *targets)  # type: ignore[arg-type]
        # No dict: Keras would take the metrics in it for the model's own.
        self._compile_arguments = MappingProxyType(arguments)
        if "lm" in weights:
            gamma.assign(weights["lm"])

    def recompile(self, optimizer: Any) -> None:
        """Recompiles with another optimizer, also in the middle of `fit`.

        Args:
            optimizer: as for `compile`. Its state starts empty.
        """
        y, _, sample_weight = self.placeholder_batch()  # type: ignore[attr-defined]
        x = {"token_ids": y["lm"], "padding_mask": y["lm"] + 1}
        arguments = {**self._compile_arguments, "optimizer": optimizer}
        # γ is no longer what `loss_weights` began with.
        gamma = self.gamma.numpy()  # type: ignore[attr-defined]
        _keras_step_internals.recompile(self, arguments, (x, y, sample_weight))
        self.gamma.assign(gamma)  # type: ignore[attr-defined]

    def get_compile_config(self) -> dict[str, Any]:
        """Returns `compile`'s arguments, serialized."""
        return keras.saving.serialize_keras_object(
            {k: v for k, v in self._compile_arguments.items() if not _is_auto(v)}
        )

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with what `get_compile_config` returned."""
        self.compile(**keras.saving.deserialize_keras_object(config))


def _is_auto(value: Any) -> bool:
    return isinstance(value, str) and value == "auto"
