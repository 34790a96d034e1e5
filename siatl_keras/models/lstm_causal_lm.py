"""`LSTMCausalLM`: the word-level LSTM language model, from raw strings.

Source: Chronopoulou et al. 2019, section 4; a KerasHub `CausalLM`.
"""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
import tensorflow as tf
from keras import ops

from siatl_keras.callbacks import CompleteLogs, MonitorDirections, in_order
from siatl_keras.compat import keras_hub_presets
from siatl_keras.compat.trainer import repaired_training
from siatl_keras.data.untuned import untuned
from siatl_keras.inputs import as_texts, plain_texts
from siatl_keras.models.compile_arguments import is_auto
from siatl_keras.models.joint_task import JointTask, kept
from siatl_keras.models.joint_training import JointLoss
from siatl_keras.models.language_model_head import LanguageModelHead
from siatl_keras.models.learning_parts import learning_parts
from siatl_keras.models.lstm_backbone import LSTMBackbone
from siatl_keras.models.lstm_causal_lm_preprocessor import LSTMCausalLMPreprocessor
from siatl_keras.models.model_optimizer import (
    bound_optimizer,
    learning_has_changed,
    refuse_xla,
)
from siatl_keras.models.objectives import Batch, LanguageModelObjective
from siatl_keras.models.unknown_arguments import (
    TASK_ARGUMENTS,
    refuse_unknown_arguments,
)
from siatl_keras.models.whole_model_saving import saved_whole
from siatl_keras.optimizers import FusedAdam
from siatl_keras.optimizers.groups import LayerPart


@keras.saving.register_keras_serializable(package="siatl_keras")
@saved_whole
@repaired_training
class LSTMCausalLM(keras_hub.models.CausalLM):
    """Predicts the next word: trains, scores and generates on raw strings.

    Training and evaluation compute the loss in slices of tokens; logits of a whole
    batch exist only where the model is called.

    Args:
        backbone: an `LSTMBackbone`.
        preprocessor: an `LSTMCausalLMPreprocessor`, or `None` for token ids in and out.
        **kwargs: see `keras_hub.models.CausalLM`.

    Call arguments:
        inputs: dict of `token_ids` and `padding_mask`, int32 `[batch, time]`.

    Returns:
        LM logits `[batch, time, vocabulary]`.

    Raises:
        ValueError: if `backbone` is something else.

    Example:
    >>> import siatl_keras
    >>> tokenizer = siatl_keras.text.WordTokenizer(
    ...     ["<pad>", "<s>", "</s>", "<unk>", "good", "morning"])
    >>> lm = LSTMCausalLM(
    ...     LSTMBackbone(6, embedding_dim=8, hidden_dim=8, num_layers=1),
    ...     LSTMCausalLMPreprocessor(tokenizer))
    >>> history = lm.fit(["good morning"] * 8, verbose=0)
    >>> lm.score(["good morning"]).shape
    (1,)
    """

    backbone_cls = LSTMBackbone
    preprocessor_cls = LSTMCausalLMPreprocessor

    get_compile_config = JointTask.get_compile_config
    compile_from_config = JointTask.compile_from_config
    metrics = JointTask.metrics
    get_metrics_result = JointTask.get_metrics_result
    training_log_names = JointTask.training_log_names
    tokens_at_once = JointTask.tokens_at_once
    train_step = JointTask.train_step
    test_step = JointTask.test_step

    def __init__(self, backbone: Any, preprocessor: Any = None, **kwargs: Any) -> None:
        refuse_unknown_arguments(type(self), kwargs, TASK_ARGUMENTS)
        if not isinstance(backbone, LSTMBackbone):
            raise ValueError(
                f"`backbone` must be an `LSTMBackbone`. Received: {backbone!r:.80}."
            )

        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor

        # === Functional model ===
        inputs = backbone.input
        hidden = backbone(inputs)  # [batch, time, embedding]
        logits = backbone.token_embedding(hidden, reverse=True)
        # Set before Task.__init__, which compiles.
        self.sampling_seed = keras.random.SeedGenerator()
        super().__init__(inputs=inputs, outputs=logits, **kwargs)

    def compile(
        self,
        optimizer: Any = "auto",
        *,
        sampler: Any = "top_k",
        sampled_words: int | None = None,
        jit_compile: bool = False,
        **kwargs: Any,
    ) -> None:
        """Configures training; the loss is the mean over real tokens.

        With `sampled_words`, training estimates the loss from that many words of the
        vocabulary, which must be ordered by frequency, and reports no perplexity;
        evaluation always computes the exact loss.

        Args:
            optimizer: a Keras optimizer, or a `GroupedOptimizer` with the groups of
                `groups.variables` or `groups.variables_by_layer`; "auto" is Adam at
                1e-3, gradients clipped to a norm of 1.
            sampler: a `keras_hub.samplers.Sampler` or its name, for `generate`.
            sampled_words: int, see `siatl_keras.losses.sampled_cross_entropy`; worth it
                from about 20 000 words of vocabulary. `None` trains on the exact loss.
            jit_compile: must be `False`: XLA cannot compile the LM loss.
            **kwargs: other arguments of `keras.Model.compile`, except losses and
                metrics, which are fixed: `loss` and `perplexity`.

        Raises:
            ValueError: if `sampled_words` is not from 2 to the vocabulary's size, or
                `jit_compile` is true.
        """
        head = LanguageModelHead(
            self.backbone.token_embedding, self.sampling_seed, sampled_words
        )
        with self.distribute_strategy.scope():
            joint_loss = JointLoss(
                LanguageModelObjective(head, 1.0, lambda: True, has_mean=False)
            )
        if is_auto(optimizer):
            optimizer = FusedAdam(1e-3, global_clipnorm=1.0)
        refuse_xla(jit_compile)
        bound = bound_optimizer(self, optimizer)
        super().compile(
            optimizer=bound,
            # Given again, one of them is a `TypeError`: Keras would leave it unused.
            loss=None,
            loss_weights=None,
            metrics=None,
            weighted_metrics=None,
            sampler=sampler,
            jit_compile=jit_compile,
            **kwargs,
        )
        self.joint_loss = joint_loss
        self.compile_arguments = kept(
            optimizer=optimizer, sampler=sampler, sampled_words=sampled_words, **kwargs
        )

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        validation_split: float | None = None,
        validation_data: Any = None,
        verbose: Any = "auto",
        callbacks: Any = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains on texts.

        Args:
            x: texts, see `siatl_keras.inputs.as_texts`; or a dataset of batches of
                texts, or of packed batches.
            y: must not be given.
            batch_size: int, 32 if not given.
            sample_weight: must not be given.
            validation_split: float between 0 and 1, share of the texts, the last ones,
                that are held out for validation.
            validation_data: texts or a dataset, like `x`.
            verbose: as for `keras.Model.fit`.
            callbacks: list of Keras callbacks.
            **kwargs: other arguments of `keras.Model.fit`.

        Raises:
            ValueError: if `x` or `validation_data` is something else, or what must not
                be given is.
        """
        x = plain_texts(x, "x", y=y, sample_weight=sample_weight)
        if validation_data is not None:
            if isinstance(validation_data, tuple) and len(validation_data) == 1:
                (validation_data,) = validation_data
            validation_data = plain_texts(validation_data, "validation_data")
            if isinstance(validation_data, tf.Tensor):
                validation_data = (validation_data,)
        own = [CompleteLogs(self.training_log_names), MonitorDirections()]
        return super().fit(
            x,
            batch_size=batch_size,
            validation_split=validation_split,
            validation_data=validation_data,
            verbose=verbose,
            callbacks=in_order([callbacks, own], verbose),
            **kwargs,
        )

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        sample_weight: Any = None,
        **kwargs: Any,
    ) -> Any:
        """Evaluates on texts; arguments as for `fit`."""
        if not kwargs.get("_use_cached_eval_dataset"):
            x = plain_texts(x, "x", y=y, sample_weight=sample_weight)
        return super().evaluate(x, batch_size=batch_size, **kwargs)

    @classmethod
    def from_preset(
        cls, preset: str, load_weights: bool = True, **kwargs: Any
    ) -> LSTMCausalLM:
        """Loads a language model; see `keras_hub.models.Task.from_preset`.

        Args:
            preset: a preset's folder or handle.
            load_weights: bool; `False` keeps the random weights.
            **kwargs: arguments that override the saved ones; `dtype` is the current
                policy if not given.
        """
        # KerasHub cannot work out a dtype where a mixed policy was saved.
        kwargs.setdefault("dtype", keras.config.dtype_policy())
        return keras_hub_presets.load_language_model(
            cls, preset, load_weights, **kwargs
        )

    @property
    def parts(self) -> list[LayerPart]:
        """What may learn, the bottom layer first; groups: `backbone`, `embedding`."""
        return learning_parts(self.backbone)

    def states(self, x: Any, training: bool = False) -> tf.Tensor:
        """Computes the LSTMs' states, float `[batch, time, embedding]`."""
        return self.backbone(x, training=training)

    def batch_of(self, data: Any) -> Batch:
        """Takes a packed batch apart, whose targets are those of the only output."""
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        return Batch(x, {"lm": y}, {"lm": sample_weight})

    def make_train_function(self, force: bool = False) -> Any:
        """Makes the function that `fit` runs; see `JointTask`."""
        changed = learning_has_changed(self)
        return super().make_train_function(force or changed)

    def preprocess_samples(
        self, x: Any, y: Any = None, sample_weight: Any = None
    ) -> Any:
        """Preprocesses raw texts, and leaves alone what a pipeline has packed."""
        if isinstance(x, dict):
            return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        return super().preprocess_samples(x, y, sample_weight)

    def score(self, texts: Any, batch_size: int = 32) -> Any:
        """Computes the log probability of each text.

        Args:
            texts: list of str.
            batch_size: int, texts scored at a time.

        Returns:
            float32 numpy `[texts]`: sum of ln p(token | tokens before), end included.

        Raises:
            ValueError: if the model has no preprocessor.
        """
        if self.preprocessor is None:
            raise ValueError("`score` takes texts and needs a model with preprocessor.")

        head = LanguageModelHead(self.backbone.token_embedding)

        @tf.function(reduce_retracing=True)
        def batch_scores(batch: tf.Tensor) -> tf.Tensor:
            x, targets, weights = self.preprocessor(batch)
            _, losses = head.loss(self.states(x), targets, weights, training=False)
            return -tf.reduce_sum(losses, -1)

        texts = tf.constant(as_texts(texts, "texts"), tf.string)
        dataset = untuned(tf.data.Dataset.from_tensor_slices(texts).batch(batch_size))
        none = tf.zeros([0])
        return tf.concat([none, *(batch_scores(batch) for batch in dataset)], 0).numpy()

    def generate_step(
        self, inputs: dict[str, Any], stop_token_ids: list[int] | None = None
    ) -> dict[str, Any]:
        """Generates for one batch of prompts; called by `generate`.

        The cache is the LSTMs' states, so that a token costs one LSTM step.

        Args:
            inputs: dict of `token_ids` and `padding_mask`, int `[batch, time]`.
            stop_token_ids: ids that end a text, or `None` to fill all of `time`.

        Returns:
            dict like `inputs`, prompts continued; 0 after a stop token.
        """
        token_ids = ops.cast(inputs["token_ids"], "int32")
        prompt_mask = ops.cast(inputs["padding_mask"], "bool")
        lengths = ops.sum(ops.cast(prompt_mask, "int32"), axis=-1)
        # An empty prompt, where no start token is added, goes on from padding.
        index = ops.maximum(ops.min(lengths), 1)
        # States after every token before the last of the shortest prompt; the sampler
        # feeds the rest one by one.
        positions = ops.arange(ops.shape(token_ids)[1])
        seen = ops.broadcast_to(
            ops.expand_dims(positions < index - 1, 0), ops.shape(token_ids)
        )
        states = self.backbone.initial_states(ops.shape(token_ids)[0])
        _, states = self.backbone.step_states(token_ids, seen, states)

        def next_logits(prompt: Any, cache: Any, index: Any) -> tuple[Any, Any, Any]:
            last = ops.slice(prompt, [0, index - 1], [ops.shape(prompt)[0], 1])
            hidden, cache = self.backbone.step_states(last, ops.ones_like(last), cache)
            logits = self.backbone.token_embedding(hidden, reverse=True)
            return logits[:, 0], hidden[:, 0], cache

        token_ids = self.sampler(
            next=next_logits,
            prompt=token_ids,
            cache=states,
            index=index,
            mask=prompt_mask,
            stop_token_ids=stop_token_ids,
            model=self,
        )
        if stop_token_ids is None:
            return {"token_ids": token_ids, "padding_mask": ops.ones_like(token_ids)}
        stops = ops.zeros_like(prompt_mask)
        for stop_token_id in stop_token_ids:
            stops = ops.logical_or(stops, token_ids == stop_token_id)
        stops = ops.cast(ops.logical_and(stops, ops.logical_not(prompt_mask)), "int32")
        # Real up to and with the first stop token that was generated.
        padding_mask = ops.cast(ops.cumsum(stops, axis=-1) - stops == 0, "int32")
        return {"token_ids": token_ids * padding_mask, "padding_mask": padding_mask}
