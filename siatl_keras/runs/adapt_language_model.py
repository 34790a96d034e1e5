"""`adapt_language_model`: trains a language model further on a task's texts.

Source: Howard & Ruder 2018 (ULMFiT), section 3.2, "target task LM fine-tuning".
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.atomic import new_folder, write_json
from siatl_keras.callbacks import (
    BackupAndRestore,
    BestWeights,
    GroupLearningRates,
    TrainingCurves,
)
from siatl_keras.compat import keras_hub_presets
from siatl_keras.data import lm_dataset, read_texts
from siatl_keras.models import (
    LSTMBackbone,
    LSTMCausalLM,
    LSTMCausalLMPreprocessor,
    backbone_class,
)
from siatl_keras.optimizers import GroupedOptimizer
from siatl_keras.optimizers.groups import groups_of
from siatl_keras.plans import LanguageModelTraining
from siatl_keras.runs.finetune_config import SEQUENCE_LENGTH, FinetuneConfig
from siatl_keras.runs.pretrain_language_model import save_preset


def adapt_language_model(
    config: FinetuneConfig,
    training: LanguageModelTraining,
    preset: Path,
    strategy: tf.distribute.Strategy | None = None,
    verbose: int = 1,
) -> dict[str, Any]:
    """Trains on the texts of a labelled file, and saves the best epoch as a preset.

    Does nothing where the preset exists. A run that was killed resumes when it is
    called again. TensorBoard logs go to `tensorboard/language_model` in the run's
    folder.

    Args:
        config: of the run, which says which texts and language model.
        training: epochs, the last of which ends the schedule, and rate: the LM head,
            which is tied to the embedding, is the top layer.
        preset: folder of the preset to be made.
        strategy: `tf.distribute.Strategy`; the default one if not given.
        verbose: as for `keras.Model.fit`.

    Returns:
        dict of `perplexity_before` and `perplexity`, both on the validation texts, and
        the `history` of the epochs.

    Raises:
        ValueError: if a file or the preset cannot be read.
        TrainingDivergedError: if no epoch had a finite loss.
    """
    lm, batch_size = config.lm, config.batch_size
    tensorboard = Path(config.output) / "tensorboard" / "language_model"
    check_adaptable(lm)
    if preset.exists():
        return json.loads((preset / "metrics.json").read_text("utf-8"))
    keras.utils.set_random_seed(config.seed)
    steps, held_out_steps = (
        math.ceil(sum(1 for _ in read_texts(path, config.text_column)) / batch_size)
        for path in (config.train, config.validation)
    )
    with (strategy or tf.distribute.get_strategy()).scope():
        model = _compiled_model(config, training, steps)
    data: dict[str, Any] = {
        "preprocessor": model.preprocessor,
        "batch_size": batch_size,
        "text_column": config.text_column,
    }
    backup = BackupAndRestore(
        preset.with_name(preset.name + "_training"),
        delete_checkpoint=False,
        shared=False,
    )
    # Keras warns of any data that ends without having said when.
    held_out = lm_dataset(config.validation, **data).cache()
    held_out = held_out.apply(tf.data.experimental.assert_cardinality(held_out_steps))
    before = model.evaluate(held_out, return_dict=True, verbose=0)["perplexity"]
    skip = backup.epochs_done * steps
    history = model.fit(
        lm_dataset(
            config.train, **data, seed=config.seed, repeat=True, skip_steps=skip
        ),
        steps_per_epoch=steps,
        epochs=training.epochs,
        validation_data=held_out,
        callbacks=[*_callbacks(training.epochs, tensorboard), backup],
        shuffle=False,  # The dataset does; Keras's default makes it warn.
        verbose=verbose,
    ).history
    metrics = {
        "perplexity_before": float(before),
        "perplexity": float(np.nanmin(history["val_perplexity"])),
        "history": {name: list(map(float, logs)) for name, logs in history.items()},
    }
    with new_folder(preset) as folder:
        save_preset(model, folder, "float32")
        write_json(folder / "metrics.json", metrics)
    shutil.rmtree(backup.backup_dir)
    return metrics


def _compiled_model(
    config: FinetuneConfig, training: LanguageModelTraining, steps: int
) -> LSTMCausalLM:
    """Loads the language model, each layer with a rate of its own."""
    overrides: dict[str, Any] = config.backbone_arguments(LSTMBackbone)
    model = LSTMCausalLM(
        keras_hub_presets.load_backbone(
            config.lm, dtype=keras.config.dtype_policy(), **overrides
        ),
        LSTMCausalLMPreprocessor(
            keras_hub_presets.load_tokenizer(config.lm),
            config.sequence_length or SEQUENCE_LENGTH,
        ),
    )
    *layers, top = groups_of(model).variables_by_layer
    optimizer = GroupedOptimizer(
        {
            name: training.rate.make("adam", steps * training.epochs, depth)
            for depth, name in enumerate([top, *layers])
        }
    )
    model.compile(optimizer, sampled_words=config.sampled_words)
    return model


def _callbacks(epochs: int, tensorboard: Path) -> list[keras.callbacks.Callback]:
    return [
        GroupLearningRates(),
        # As many epochs as there are: for the best weights alone.
        BestWeights("val_perplexity", patience=epochs, mode="min"),
        TrainingCurves(tensorboard),
    ]


def check_adaptable(
    lm: str,
    method: str = "adapt_language_model",
    lora_rank: int | None = None,
    gradient_checkpointing: bool = False,
) -> None:
    """Raises a `ValueError` if a language model cannot be adapted, before it is tried.

    Args:
        lm: preset of the language model.
        method: what is to adapt it, for the message.
        lora_rank: see `FinetuneConfig`.
        gradient_checkpointing: see `FinetuneConfig`.
    """
    kind = backbone_class(lm)
    if not issubclass(kind, LSTMBackbone):
        raise ValueError(
            f"{method!r} first trains the language model on the task's texts, which "
            f"works on an `LSTMBackbone` alone. Received: lm={lm!r}, a "
            f"{kind.__name__}. Choose another method, such as 'siatl' or 'last-token'."
        )
    for name, value in (
        ("lora_rank", lora_rank),
        ("gradient_checkpointing", gradient_checkpointing),
    ):
        if value:
            raise ValueError(
                f"`{name}` is for transformers, {method!r} for an `LSTMBackbone`. "
                f"Received: {name}={value}. Leave it out."
            )
