"""`SiATLClassifier`: a text classifier that remembers how to be a language model.

Source: Chronopoulou et al. 2019, section 3 and eq. 3: L = L_task + γ · L_LM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from siatl_keras import _keras_hub_internals, _keras_internals
from siatl_keras.arguments import check_flag
from siatl_keras.checksums import write_checksums
from siatl_keras.layers import TaskHead
from siatl_keras.layers.task_head import HEAD_ARGUMENTS
from siatl_keras.models.causal_head import (
    causal_lm_class,
    check_causal,
)
from siatl_keras.models.check_preprocessor import check_preprocessor
from siatl_keras.models.classifier_compilation import ClassifierCompilation
from siatl_keras.models.classifier_export import ClassifierExport
from siatl_keras.models.classifier_logs import ClassifierLogs
from siatl_keras.models.default_optimizer import default_optimizer
from siatl_keras.models.from_language_model import from_language_model
from siatl_keras.models.gradient_checkpointing import (
    blocks_of,
    check_blocks,
    checkpointed,
)
from siatl_keras.models.layer_groups import LayerGroups
from siatl_keras.models.learning_variables import LearningVariables
from siatl_keras.models.lstm_backbone import LSTMBackbone
from siatl_keras.models.raw_text_fitting import RawTextFitting
from siatl_keras.models.raw_text_prediction import RawTextPrediction
from siatl_keras.models.sliced_training import SlicedTraining
from siatl_keras.models.unknown_arguments import (
    TASK_ARGUMENTS,
    refuse_unknown_arguments,
)
from siatl_keras.models.whole_model_saving import WholeModelSaving
from siatl_keras.models.window_reading import TextReader
from siatl_keras.presets.check_preset import named_errors
from siatl_keras.tasks import Task, chosen_task


@keras.saving.register_keras_serializable(package="siatl_keras")
class SiATLClassifier(
    ClassifierCompilation,
    ClassifierExport,
    ClassifierLogs,
    RawTextFitting,
    RawTextPrediction,
    LayerGroups,
    LearningVariables,
    SlicedTraining,
    WholeModelSaving,
    keras_hub.models.Task,
):
    """Answers something about texts on top of a pretrained causal language model.

    What it answers is its `task`: a class (`SingleLabel`, where `num_classes` or
    `label_names` is passed), several labels, a level or a number, see
    `siatl_keras.tasks`.

    The model has two outputs, task logits and LM logits, and trains on the task loss
    plus `gamma` times the LM loss. Its layers form three groups, top first: `task`,
    `backbone`, `embedding`; optimizers and unfreezing speak of these (an optimizer may
    also have one for each layer, see `variable_groups_by_layer`). While everything
    below the LM head is frozen the LM loss can teach nothing, and training does not
    compute it: `lm_loss` and `perplexity` are then NaN in the history of training (the
    validation's are computed).

    After `model.backbone.enable_lora(rank)`, which freezes all but low-rank adapters,
    compile again: groups and stages are then the adapters'. What is saved and exported
    has them merged into the weights; a run with `BackupAndRestore` resumes with them.

    `fit`, `evaluate` and `predict` take raw texts, and labels as the task takes them.
    `predict` returns the task's outputs, such as logits; `predict_labels` answers.

    Args:
        backbone: a causal KerasHub backbone, such as `LSTMBackbone` or
            `keras_hub.models.GPT2Backbone`, that reads text alone.
        num_classes: int, number of classes; may be left out with `label_names`.
        preprocessor: a `SiATLPreprocessor`, or `None` for token ids in.
        label_names: names of the classes, in the order of their numbers.
        task: a `siatl_keras.tasks.Task`, in place of the classes.
        auxiliary_loss: bool; `False` trains on the task loss alone (plain transfer).
        units: int, units of the task LSTM.
        num_layers: int, number of task LSTMs, 0 for none; `None` is the paper's 1 on an
            LSTM, and 0 on other backbones, whose states have seen the whole text.
        bidirectional: bool, whether the task LSTM runs both ways.
        pooling: "attention" (the paper's), "last", "mean", "concat" (ULMFiT's), or a
            layer of one's own, see `siatl_keras.layers.poolings`.
        input_dropout: float, locked dropout on the backbone's output.
        lstm_dropout: float, locked dropout on the task LSTM's output.
        attention_dropout: float, dropout on the attention's scores.
        output_dropout: float, dropout on the pooled vector.
        block_units: int, see `TaskHead`; 0 for none.
        block_dropout: float, see `TaskHead`.
        gradient_checkpointing: bool, whether the backward pass recomputes what a
            transformer's blocks computed, for less memory and more time.
        **kwargs: see `keras_hub.models.Task`.

    Call arguments:
        inputs: dict of `token_ids` and `padding_mask`, int32 `[batch, time]`.

    Returns:
        dict of `task`, the task's outputs float32 `[batch, outputs]`, and `lm`, LM
        logits `[batch, time, vocabulary]`.

    Raises:
        ValueError: if there is not one of classes and `task`, `num_classes` and
            `label_names` disagree, the backbone is no causal language model's, or
            `gradient_checkpointing` is asked for and it has no blocks.

    Example:
    >>> import siatl_keras
    >>> tokenizer = siatl_keras.text.WordTokenizer(
    ...     ["<pad>", "<s>", "</s>", "<unk>", "good", "bad"])
    >>> model = SiATLClassifier(
    ...     siatl_keras.models.LSTMBackbone(6, 8, hidden_dim=8, num_layers=1),
    ...     preprocessor=siatl_keras.models.SiATLPreprocessor(tokenizer),
    ...     label_names=["negative", "positive"])
    >>> labels = ["positive", "negative"] * 8
    >>> history = model.fit(["good", "bad"] * 8, labels, verbose=0)
    >>> model.predict(["good"], verbose=0).shape
    (1, 2)
    """

    def __init__(
        self,
        backbone: Any,
        num_classes: int | None = None,
        preprocessor: Any = None,
        label_names: Sequence[str] | None = None,
        task: Task | None = None,
        auxiliary_loss: bool = True,
        units: int = 100,
        num_layers: int | None = None,
        bidirectional: bool = False,
        pooling: Any = "attention",
        input_dropout: float = 0.0,
        lstm_dropout: float = 0.0,
        attention_dropout: float = 0.0,
        output_dropout: float = 0.0,
        block_units: int = 0,
        block_dropout: float = 0.0,
        gradient_checkpointing: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown_arguments(type(self), kwargs, TASK_ARGUMENTS)
        check_flag(auxiliary_loss=auxiliary_loss)
        task = chosen_task(task, num_classes, label_names)
        check_causal(backbone, preprocessor)
        check_preprocessor(backbone, preprocessor)
        if gradient_checkpointing:
            check_blocks(backbone)
        if num_layers is None:
            num_layers = int(isinstance(backbone, LSTMBackbone))

        # === Layers ===
        self.backbone = backbone
        self.reader = TextReader(backbone, preprocessor)
        self.preprocessor = preprocessor
        self.task_head = TaskHead(
            task.num_outputs,
            units=units,
            num_layers=num_layers,
            bidirectional=bidirectional,
            pooling=pooling,
            windows=self.reader.pooled_windows,
            input_dropout=input_dropout,
            lstm_dropout=lstm_dropout,
            attention_dropout=attention_dropout,
            output_dropout=output_dropout,
            block_units=block_units,
            block_dropout=block_dropout,
            dtype=backbone.dtype_policy,
            name="task_head",
        )

        # Set before KerasHub's __init__, which compiles.
        self.task = task
        self.auxiliary_loss = auxiliary_loss
        self.gradient_checkpointing = gradient_checkpointing

        # === Functional model ===
        inputs = backbone.input
        hidden = backbone(inputs)  # [batch, time, embedding]
        outputs, _ = self._task_outputs(hidden, inputs["padding_mask"])
        lm_logits = backbone.token_embedding(hidden, reverse=True)
        self.gamma = keras.Variable(0.2, trainable=False, name="gamma")
        self.sampling_seed = keras.random.SeedGenerator()
        super().__init__(
            inputs=inputs, outputs={"task": outputs, "lm": lm_logits}, **kwargs
        )

    @property
    def top_layers(self) -> tuple[keras.layers.Layer, ...]:
        """The layers of the group `task`."""
        return (self.task_head,)

    @property
    def default_optimizer(self) -> str:
        """What the pretrained layers learn with by default, "sgd" or "adam"."""
        return default_optimizer(type(self.backbone))

    @property
    def label_names(self) -> list[str]:
        """Names of the classes, levels or labels, in the order of their numbers."""
        return self.task.label_names

    @property
    def lm_learns(self) -> bool:
        """Whether the auxiliary loss can change a weight at present."""
        return self.auxiliary_loss and bool(self.backbone.trainable_variables)

    def training_outputs(
        self, x: Any, y: Any, sample_weight: Any, training: bool
    ) -> dict[str, tf.Tensor]:
        """Returns task outputs, and the LM's losses per token in place of logits."""
        recompute = training and self.gradient_checkpointing
        with checkpointed(blocks_of(self.backbone) if recompute else ()):
            hidden = self.reader(x, training)
        outputs, _ = self._task_outputs(hidden, x["padding_mask"], training)
        if training and not self.lm_learns:
            return {"task": outputs, "lm": tf.zeros_like(sample_weight["lm"])}
        losses = self.token_losses(hidden, y["lm"], sample_weight["lm"], training)
        return {"task": outputs, "lm": losses}

    def placeholder_batch(self) -> tuple[Any, Any, Any]:
        """Returns targets, what losses take, and weights of a batch of one."""
        weight, tokens = np.zeros((1,), "float32"), np.zeros((1, 2), "float32")
        target = np.zeros((1, *self.task.target_shape), self.task.target_dtype)
        return (
            {"task": target, "lm": tokens.astype("int32")},
            {"task": np.zeros((1, self.task.num_outputs), "float32"), "lm": tokens},
            {"task": weight, "lm": tokens},
        )

    def classify(self, x: Any, training: bool = False) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the task output alone, without the LM head.

        Args:
            x: dict of `token_ids` and `padding_mask`, int32 `[batch, time]`.
            training: bool, whether dropout is on.

        Returns:
            `(outputs [batch, outputs], attention weights [batch, time])`, float32.
        """
        hidden = self.reader(x, training)
        return self._task_outputs(hidden, x["padding_mask"], training)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Computes both outputs; see the class."""
        if self.reader.window is None:
            return super().call(inputs, training=training, mask=mask)
        hidden = self.reader(inputs, bool(training))
        outputs, _ = self._task_outputs(hidden, inputs["padding_mask"], bool(training))
        lm_logits = self.backbone.token_embedding(hidden, reverse=True)
        return {"task": outputs, "lm": lm_logits}

    def _task_outputs(self, hidden: Any, mask: Any, training: bool = False) -> Any:
        head, weights = self.task_head(hidden, mask, training=training)
        return self.task.outputs(head), weights

    def predict_step(self, data: Any) -> tf.Tensor:
        """Computes the task's outputs `[batch, outputs]` of a batch."""
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.classify(x)[0]

    def causal_lm(self) -> Any:
        """Gives the language model back that the auxiliary loss has kept.

        Returns:
            the `keras_hub.models.CausalLM` of the backbone's family, such as
            `LSTMCausalLM` or `keras_hub.models.GPT2CausalLM`, on the same weights. It
            generates, and evaluates the perplexity of texts.
        """
        causal_lm = causal_lm_class(self.backbone)
        preprocessor = None
        if self.preprocessor is not None:
            preprocessor = causal_lm.preprocessor_cls(
                self.preprocessor.tokenizer,
                sequence_length=self.preprocessor.sequence_length,
                add_start_token=self.preprocessor.add_start_token,
                add_end_token=self.preprocessor.add_end_token,
            )
        return causal_lm(backbone=self.backbone, preprocessor=preprocessor)

    def save_to_preset(self, preset_dir: str, *args: Any, **kwargs: Any) -> None:
        """Saves a preset, see `keras_hub.models.Task`, with its checksums."""
        super().save_to_preset(preset_dir, *args, **kwargs)
        write_checksums(preset_dir)

    def save_task_weights(self, filepath: str) -> None:
        """Saves the weights of the task layers alone.

        KerasHub's method adds the optimizer's state: Adam's is twice the whole model's
        size, and a preset is a model, not a run.

        Args:
            filepath: ends in `.weights.h5`.
        """
        keras.saving.save_weights(
            self, filepath, objects_to_skip=self._not_of_the_task()
        )

    def load_task_weights(self, filepath: str) -> None:
        """Loads what `save_task_weights` saved.

        Args:
            filepath: ends in `.weights.h5`.
        """
        with named_errors(filepath, filepath):
            keras.saving.load_weights(
                self, filepath, objects_to_skip=self._not_of_the_task()
            )

    def _not_of_the_task(self) -> list[Any]:
        return [*_keras_internals.flatten_layers(self.backbone), self.optimizer]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        head = self.task_head.get_config()
        return {
            **super().get_config(),
            "task": keras.saving.serialize_keras_object(self.task),
            "auxiliary_loss": self.auxiliary_loss,
            "gradient_checkpointing": self.gradient_checkpointing,
            **{name: head[name] for name in HEAD_ARGUMENTS},
        }

    @classmethod
    def from_preset(
        cls,
        preset: str,
        load_weights: bool = True,
        backbone_overrides: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> SiATLClassifier:
        """Loads a saved classifier, or puts a new one on a language model's preset.

        Args:
            preset: a preset's folder, or any other handle that KerasHub knows.
            load_weights: bool; `False` keeps the random weights (training from
                scratch).
            backbone_overrides: arguments of the backbone that replace the saved ones,
                such as dropouts; for a new classifier only.
            **kwargs: arguments of the class. With `num_classes`, `label_names` or
                `task`, the task layers are new, `dtype` is the backbone's (the current
                policy if not given), and `sequence_length`, `pairs`, `long_texts` and
                `max_windows` go to the preprocessor, which adds start and end tokens if
                the language model's does.

        Returns:
            the classifier, compiled with the defaults.

        Raises:
            ValueError: if a saved classifier's task weights are missing, or weights are
                not those of the preset's checksums.
        """
        if not kwargs.keys() & {"num_classes", "label_names", "task"}:
            return _keras_hub_internals.load_task(cls, preset, load_weights, **kwargs)
        return from_language_model(
            cls, preset, load_weights, backbone_overrides, **kwargs
        )
