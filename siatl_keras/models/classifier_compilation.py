"""`ClassifierCompilation`: what `SiATLClassifier` is compiled with, now and in `fit`.

Source: Chronopoulou et al. 2019, eq. 3: L = L_task + γ · L_LM, two optimizers.
"""

from __future__ import annotations

from typing import Any

import keras

from siatl_keras import _keras_internals
from siatl_keras.models.sliced_training import refuse_xla
from siatl_keras.models.suited_optimizer import suited_optimizer
from siatl_keras.training import (
    LanguageModelingLoss,
    MacroF1,
    SyncedLossScaleOptimizer,
    TokenPerplexity,
    paper_optimizer,
)


class ClassifierCompilation:
    """Mixin for a `keras.Model` with `LayerGroups`, `gamma` and `num_classes`."""

    def compile(
        self,
        optimizer: Any = "auto",
        loss: Any = "auto",
        *,
        metrics: Any = "auto",
        sampled_words: int | None = None,
        jit_compile: bool = False,
        **kwargs: Any,
    ) -> None:
        """Configures training.

        Args:
            optimizer: any Keras optimizer, or a `GroupedOptimizer`; "auto" is the
                `paper_optimizer`: Adam for what is new, and for what was pretrained SGD
                on an LSTM, a second Adam on other backbones.
            loss: a loss for the task logits; "auto" is sparse categorical
                cross-entropy. The LM loss is always the mean over real tokens.
            metrics: list of metrics of the task logits; "auto" is accuracy and macro
                F1. The LM's perplexity is always reported, but in training on
                `sampled_words`.
            sampled_words: int, words of the vocabulary that estimate the LM loss in
                training, see `siatl_keras.layers.sampled_cross_entropy`; the fewer, the
                less the auxiliary loss costs. `None` trains on the exact loss.
            jit_compile: must be `False`: XLA cannot compile the LM loss.
            **kwargs: other arguments of `keras.Model.compile`.

        Raises:
            ValueError: if `jit_compile` is true, or `sampled_words` is not from 2 to
                the vocabulary's size.
        """
        refuse_xla(jit_compile)
        self.sample_words(sampled_words)  # type: ignore[attr-defined]
        self._compile_arguments = {
            "optimizer": optimizer,
            "loss": loss,
            "metrics": metrics,
            "sampled_words": sampled_words,
            "jit_compile": jit_compile,
            **kwargs,
        }
        if optimizer == "auto":
            suited = suited_optimizer(type(self.backbone))  # type: ignore[attr-defined]
            optimizer = paper_optimizer(pretrained_optimizer=suited)
        optimizer = keras.optimizers.get(optimizer)
        if loss == "auto":
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if metrics == "auto":
            metrics = [
                keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
                MacroF1(self.num_classes),  # type: ignore[attr-defined]
            ]
        self.bind_optimizer(optimizer)  # type: ignore[attr-defined]
        if self.dtype_policy.name == "mixed_float16":  # type: ignore[attr-defined]
            # As Keras does by itself, but with replicas that agree on overflow.
            optimizer = SyncedLossScaleOptimizer(optimizer)
        super().compile(  # type: ignore[misc]
            optimizer=optimizer,
            loss={"task": loss, "lm": LanguageModelingLoss()},
            loss_weights={"task": 1.0, "lm": self.gamma},  # type: ignore[attr-defined]
            metrics={"task": metrics},
            weighted_metrics={"lm": [TokenPerplexity()]},
            jit_compile=jit_compile,
            **kwargs,
        )
        # On all variables, before any is frozen: an optimizer built on a stage's own
        # would not know those of the next.
        groups = self.variable_groups.values()  # type: ignore[attr-defined]
        self.optimizer.build([v for group in groups for v in group])  # type: ignore[attr-defined]

    def recompile(self, optimizer: Any) -> None:
        """Goes on with another optimizer, also in the middle of `fit`.

        Args:
            optimizer: as for `compile`. Its state starts empty.
        """
        y, _, sample_weight = self.smallest_targets()  # type: ignore[attr-defined]
        x = {"token_ids": y["lm"], "padding_mask": y["lm"] + 1}
        arguments = {**self._compile_arguments, "optimizer": optimizer}
        _keras_internals.recompile(self, arguments, (x, y, sample_weight))

    def get_compile_config(self) -> dict[str, Any]:
        """Returns `compile`'s arguments, serialized."""
        return keras.saving.serialize_keras_object(
            {k: v for k, v in self._compile_arguments.items() if v != "auto"}
        )

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles with what `get_compile_config` returned."""
        self.compile(**keras.saving.deserialize_keras_object(config))
