"""`SiATLClassifier`: a text classifier that remembers how to be a language model.

Source: Chronopoulou et al. 2019, section 3 and eq. 3: L = L_task + γ · L_LM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from siatl_keras.arguments import check_flag
from siatl_keras.checksums import write_checksums
from siatl_keras.compat import keras_hub_presets
from siatl_keras.heads import TaskHead, WordScores
from siatl_keras.heads.task_head import HEAD_ARGUMENTS
from siatl_keras.models.causal_backbone import causal_lm_of, check_causal
from siatl_keras.models.check_preprocessor import check_preprocessor
from siatl_keras.models.compile_arguments import (
    checked_loss_weights,
    checked_task_arguments,
    is_auto,
)
from siatl_keras.models.default_optimizer import default_optimizer
from siatl_keras.models.from_language_model import from_language_model
from siatl_keras.models.gradient_checkpointing import check_blocks
from siatl_keras.models.gradients import tokens_at_once
from siatl_keras.models.joint_training import JointLoss
from siatl_keras.models.language_model_head import LanguageModelHead
from siatl_keras.models.learning_parts import learning_parts
from siatl_keras.models.lstm_backbone import LSTMBackbone
from siatl_keras.models.objectives import LanguageModelObjective, TaskObjective
from siatl_keras.models.raw_text_task import RawTextTask
from siatl_keras.models.unknown_arguments import (
    CLASSIFIER_ARGUMENTS,
    refuse_unknown_arguments,
)
from siatl_keras.models.window_reading import TextReader
from siatl_keras.optimizers import paper_optimizer
from siatl_keras.optimizers.groups import LayerPart
from siatl_keras.tasks import Task, chosen_task


@keras.saving.register_keras_serializable(package="siatl_keras")
class SiATLClassifier(RawTextTask):
    """Answers something about texts on top of a pretrained causal language model.

    What it answers is its `task`: a class (`SingleLabel`, where `num_classes` or
    `label_names` is passed), several labels, a level or a number, see
    `siatl_keras.tasks`.

    The model has two outputs, task logits and LM logits, and trains on the task loss
    plus `gamma` times the LM loss. Optimizers and unfreezing speak of groups of its
    weights, by default of three, top first: `task`, `backbone`, `embedding` (see
    `siatl_keras.plans.Group`). While everything below the LM head is frozen the LM
    loss can teach nothing, and training does not compute it: `lm_loss` and `perplexity`
    are then NaN in the history of training (the validation's are computed).

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
        perplexity: bool; `False`, which goes with `auxiliary_loss=False`, evaluates no
            LM loss either: of a part of a language model it says nothing.
        word_scores: bool, whether outputs are mixed with those of a linear model of
            words, once `siatl_keras.models.learn_word_scores` has fitted it; see
            `siatl_keras.heads.WordScores`.
        gradient_checkpointing: bool, whether the backward pass recomputes what a
            transformer's blocks computed, for less memory and more time.
        **kwargs: `units`, `num_layers`, `bidirectional`, `pooling`, `standardize`,
            `input_dropout`, `lstm_dropout`, `attention_dropout`, `output_dropout`,
            `block_units` and `block_dropout` of the `siatl_keras.heads.TaskHead`, with
            its defaults, but for the number of task LSTMs: the paper's 1 on an LSTM,
            and 0 on other backbones, whose states have seen the whole text. For others
            see `keras_hub.models.Task`.

    Call arguments:
        inputs: dict of `token_ids` and `padding_mask`, int32 `[batch, time]`, and what
            else the preprocessor makes.

    Returns:
        dict of `task`, the task's outputs float32 `[batch, outputs]`, and `lm`, LM
        logits `[batch, time, vocabulary]`.

    Raises:
        ValueError: if there is not one of classes and `task`, `num_classes` and
            `label_names` disagree, the backbone is no causal language model's,
            `gradient_checkpointing` is asked for and it has no blocks, or there is an
            auxiliary loss and no perplexity.

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
        perplexity: bool = True,
        word_scores: bool = False,
        gradient_checkpointing: bool = False,
        **kwargs: Any,
    ) -> None:
        refuse_unknown_arguments(type(self), kwargs, CLASSIFIER_ARGUMENTS)
        check_flag(
            auxiliary_loss=auxiliary_loss,
            perplexity=perplexity,
            word_scores=word_scores,
        )
        if auxiliary_loss and not perplexity:
            raise ValueError(
                "`perplexity` is the auxiliary loss in other units. Received: "
                "perplexity=False. Pass auxiliary_loss=False, too."
            )
        if getattr(preprocessor, "long_texts", None) == "words" and not word_scores:
            raise ValueError(
                "`preprocessor` keeps words for word scores, which the model has not. "
                "Pass word_scores=True, or make it with another `long_texts`. "
                'Received: long_texts="words".'
            )
        task = chosen_task(task, num_classes, label_names)
        check_causal(backbone, preprocessor)
        check_preprocessor(backbone, preprocessor)
        if gradient_checkpointing:
            check_blocks(backbone)
        head = {name: kwargs.pop(name) for name in HEAD_ARGUMENTS if name in kwargs}
        if head.get("num_layers") is None:
            head["num_layers"] = int(isinstance(backbone, LSTMBackbone))

        # === Layers ===
        self.backbone = backbone
        self.reader = TextReader(backbone, preprocessor, gradient_checkpointing)
        self.preprocessor = preprocessor
        self.task_head = TaskHead(
            task.num_outputs,
            windows=self.reader.pooled_windows,
            dtype=backbone.dtype_policy,
            name="task_head",
            **head,
        )
        self.word_scores = None
        if word_scores:
            self.word_scores = WordScores(
                backbone.vocabulary_size, task.num_outputs, name="word_scores"
            )

        # Set before KerasHub's __init__, which compiles.
        self.task = task
        self.tokens_at_once = tokens_at_once(backbone)
        self.auxiliary_loss = auxiliary_loss
        self.perplexity = perplexity
        self.gradient_checkpointing = gradient_checkpointing

        # === Functional model ===
        inputs = backbone.input
        hidden = backbone(inputs)  # [batch, time, embedding]
        outputs, _ = self.answer(hidden, inputs)
        lm_logits = backbone.token_embedding(hidden, reverse=True)
        self.gamma = keras.Variable(0.2, trainable=False, name="gamma")
        self.sampling_seed = keras.random.SeedGenerator()
        super().__init__(
            inputs=inputs, outputs={"task": outputs, "lm": lm_logits}, **kwargs
        )

    # === Training ===

    @property
    def parts(self) -> list[LayerPart]:
        """What may learn, the bottom layer first; see `siatl_keras.plans.Group`."""
        return learning_parts(self.backbone, self.task_head)

    @property
    def default_optimizer(self) -> str:
        """What the pretrained layers learn with by default, "sgd" or "adam"."""
        return default_optimizer(type(self.backbone))

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
                `siatl_keras.losses.task_loss`); functions and losses of one's own get
                class numbers and logits. For other tasks, see `loss` of
                `siatl_keras.tasks.MultiLabel`, `Ordinal` and `Regression`.
            loss_weights: dict or list of the weights of `task` and `lm`; the LM's sets
                `model.gamma`, which a `GammaDecay` then assigns. What is not given is 1
                for the task, and γ as it is.
            metrics: list of metrics of the task, or `{"task": list}`; "auto" is the
                task's own, of classes accuracy and macro F1. Keras's metrics get the
                targets and probabilities that they take (see
                `siatl_keras.metrics.task_metric`); one's own get class numbers and
                logits, or what `loss` gets of other tasks. The LM's perplexity is
                always reported, but in training on `sampled_words`.
            weighted_metrics: like `metrics`, weighted by the texts' weights.
            sampled_words: int, words of the vocabulary that estimate the LM loss in
                training, see `siatl_keras.losses.sampled_cross_entropy`; the fewer, the
                less the auxiliary loss costs. `None` trains on the exact loss.
            jit_compile: must be `False`: XLA cannot compile the LM loss.
            **kwargs: other arguments of `keras.Model.compile`.

        Raises:
            ValueError: if `jit_compile` is true, `sampled_words` is not from 2 to the
                vocabulary's size, a loss or metric is not one of the task's targets, or
                a weight is negative or no number.
        """
        weights = checked_loss_weights(loss_weights, self.gamma, self.auxiliary_loss)
        arguments = {
            "loss": loss,
            "loss_weights": weights or None,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "sampled_words": sampled_words,
        }
        with self.distribute_strategy.scope():
            # Without perplexity too: it checks `sampled_words`.
            head = LanguageModelHead(
                self.backbone.token_embedding, self.sampling_seed, sampled_words
            )
            objectives: list[Any] = [
                TaskObjective(
                    self._task_outputs,
                    weight=weights.get("task", 1.0),
                    one_label=not self.task.target_shape,
                    **checked_task_arguments(
                        self.task, loss, metrics, weighted_metrics
                    ),
                )
            ]
            if self.perplexity:
                # Plain transfer evaluates what it does not train on.
                gamma = self.gamma if self.auxiliary_loss else 0.0
                objectives.append(
                    LanguageModelObjective(head, gamma, lambda: self.lm_learns)
                )
            joint_loss = JointLoss(*objectives)
        if is_auto(optimizer):
            optimizer = paper_optimizer(pretrained_optimizer=self.default_optimizer)
        self.compile_jointly(joint_loss, optimizer, arguments, jit_compile, **kwargs)
        if "lm" in weights:
            self.gamma.assign(weights["lm"])

    def recompile(self, optimizer: Any) -> None:
        """Recompiles with another optimizer, also in the middle of `fit`.

        Args:
            optimizer: as for `compile`. Its state starts empty.
        """
        # γ is no longer what `loss_weights` began with.
        gamma = self.gamma.numpy()
        super().recompile(optimizer)
        self.gamma.assign(gamma)

    @property
    def lm_learns(self) -> bool:
        """Whether the auxiliary loss can change a weight at present."""
        return self.auxiliary_loss and bool(self.backbone.trainable_variables)

    def training_log_names(self) -> list[str]:
        """Names the logs of training in which all layers learn."""
        task, *lm = self.joint_loss.objectives
        learned = (task, *lm) if self.auxiliary_loss else (task,)
        return list(self.joint_loss.metrics(True, learned))

    # === Computing ===

    def states(self, x: Any, training: bool = False) -> tf.Tensor:
        """Computes the language model's states, float `[batch, time, embedding]`.

        Args:
            x: dict of `token_ids` and `padding_mask`, int32 `[batch, time]`.
            training: bool, whether dropout is on.
        """
        known = self.frozen_states if "row" in x else None
        return self.reader(x, training, known)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Computes both outputs; see the class."""
        if self.reader.window is None and "words" not in inputs:
            return super().call(inputs, training=training, mask=mask)
        states = self.states(inputs, bool(training))
        outputs, _ = self.answer(states, inputs, bool(training))
        lm_logits = self.backbone.token_embedding(states, reverse=True)
        return {"task": outputs, "lm": lm_logits}

    def _task_outputs(self, states: Any, x: Any, training: bool) -> Any:
        return self.answer(states, x, training)[0]

    # === Saving ===

    def causal_lm(self) -> Any:
        """Gives the language model back that the auxiliary loss has kept.

        Returns:
            the `keras_hub.models.CausalLM` of the backbone's family, such as
            `LSTMCausalLM` or `keras_hub.models.GPT2CausalLM`, on the same weights. It
            generates, and evaluates the perplexity of texts.
        """
        return causal_lm_of(self.backbone, self.preprocessor)

    def save_to_preset(self, preset_dir: str, *args: Any, **kwargs: Any) -> None:
        """Saves a preset, see `keras_hub.models.Task`, with its checksums."""
        super().save_to_preset(preset_dir, *args, **kwargs)
        write_checksums(preset_dir)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        head = self.task_head.get_config()
        return {
            **super().get_config(),
            "task": keras.saving.serialize_keras_object(self.task),
            "auxiliary_loss": self.auxiliary_loss,
            "perplexity": self.perplexity,
            "word_scores": self.word_scores is not None,
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
            return keras_hub_presets.load_task(cls, preset, load_weights, **kwargs)
        return from_language_model(
            cls, preset, load_weights, backbone_overrides, **kwargs
        )
