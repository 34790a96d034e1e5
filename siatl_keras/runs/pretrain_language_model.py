"""`pretrain_language_model`: from text files to a language model's preset.

Source: Chronopoulou et al. 2019, section 4 (pretraining).
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from siatl_keras.atomic import new_folder, sweep, write_json
from siatl_keras.callbacks import BackupAndRestore, TrainingCurves
from siatl_keras.checksums import CHECKSUMS, read_checksums, write_checksums
from siatl_keras.data import lm_dataset
from siatl_keras.evaluation import plot_perplexity
from siatl_keras.extras import is_installed
from siatl_keras.models import LSTMBackbone, LSTMCausalLM, LSTMCausalLMPreprocessor
from siatl_keras.optimizers import scheduled_adam
from siatl_keras.runs.pretrain_config import PretrainConfig
from siatl_keras.runs.run_folder import finish_run
from siatl_keras.runs.worker_output import worker_output
from siatl_keras.text import WordTokenizer
from siatl_keras.workers import gather, is_chief


def pretrain_language_model(
    config: PretrainConfig,
    strategy: tf.distribute.Strategy | None = None,
    overwrite: bool = False,
    verbose: int = 1,
) -> dict[str, Any]:
    """Trains an `LSTMCausalLM` on files and saves it as a preset.

    Adam, its rate warmed up over a fiftieth of the steps and decayed to 0 by a cosine,
    gradients clipped to a norm of 1. A run that was stopped resumes where its last
    epoch ended when it is started again with the same `output`, also after its last
    epoch. Training that diverges ends with the last weights that were finite. The
    run's folder gets TensorBoard logs, backups, and, last of all, what is returned as
    `metrics.json`. Of several workers the chief alone writes.

    Args:
        config: what to do.
        strategy: `tf.distribute.Strategy`; the default one if not given.
        overwrite: whether an existing preset is replaced.
        verbose: as for `keras.Model.fit`.

    Returns:
        dict of metrics: perplexity on all validation texts, their tokens, steps, tokens
        a step (about), parameters, and the history by epoch.

    Raises:
        ValueError: if the preset exists and `overwrite` is false, or a file cannot be
            read, or workers do not have the same.
        TrainingDivergedError: if no epoch had a finite loss; nothing is saved then.
    """
    with worker_output(config, strategy, verbose) as (config, verbose):
        return _pretrain(config, strategy, overwrite, verbose)


def _pretrain(
    config: PretrainConfig,
    strategy: tf.distribute.Strategy | None,
    overwrite: bool,
    verbose: int,
) -> dict[str, Any]:
    preset = config.preset
    backup = BackupAndRestore(
        Path(config.output) / "backup", delete_checkpoint=False, shared=False
    )
    made = backup.backup_dir / CHECKSUMS  # Of the preset, from before it has its name.
    if is_chief(strategy):
        sweep(Path(preset).parent)
    is_done = made.exists() and _are_of(made, preset)
    exists = Path(preset).exists() and not overwrite
    is_done, exists = map(bool, gather(strategy, [is_done, exists])[0])
    if is_done:
        metrics = json.loads((Path(preset) / "metrics.json").read_text("utf-8"))
        finish_run(config.output, metrics)
        return metrics
    if exists:
        raise ValueError(
            f"`preset` {preset} exists already. Choose another name, or pass "
            "`--overwrite` to replace it."
        )
    # An earlier run's, which would call this one finished before it is.
    (Path(config.output) / "metrics.json").unlink(missing_ok=True)
    keras.utils.set_random_seed(config.seed)
    with (strategy or tf.distribute.get_strategy()).scope():
        model = _compiled_model(config)
    history = _fit(model, config, backup, verbose)
    metrics = _metrics(model, config, history)
    if not is_chief(strategy):
        return metrics
    with new_folder(preset, overwrite=overwrite) as folder:
        save_preset(model, folder, config.weights_dtype)
        write_json(folder / "metrics.json", metrics)
        if is_installed("matplotlib"):
            plot_perplexity(
                history,
                config.steps_per_epoch,
                metrics["validation_perplexity"],
                folder / "perplexity.png",
            )
        shutil.copyfile(folder / CHECKSUMS, made)
    finish_run(config.output, metrics)
    return metrics


def _compiled_model(config: PretrainConfig) -> LSTMCausalLM:
    tokenizer = WordTokenizer(config.vocabulary)
    model = LSTMCausalLM(
        LSTMBackbone(tokenizer.vocabulary_size(), **config.backbone),
        LSTMCausalLMPreprocessor(tokenizer, config.sequence_length),
    )
    optimizer = scheduled_adam(
        "warmup_cosine", config.learning_rate, config.steps, global_clipnorm=1.0
    )
    model.compile(optimizer, sampled_words=config.sampled_words)
    return model


def _batches(
    model: LSTMCausalLM, config: PretrainConfig, paths: Any, **how: Any
) -> tf.data.Dataset:
    return lm_dataset(
        paths, model.preprocessor, config.batch_size, stream=config.stream, **how
    )


def _fit(
    model: LSTMCausalLM,
    config: PretrainConfig,
    backup: BackupAndRestore,
    verbose: int,
) -> dict[str, list[float]]:
    """Trains, from the backup on if there is one; returns the history."""
    steps_per_epoch = config.steps_per_epoch
    skip = backup.epochs_done * steps_per_epoch
    validation_batches = max(1, config.validation_texts // config.batch_size)
    return model.fit(
        _batches(
            model, config, config.train, seed=config.seed, repeat=True, skip_steps=skip
        ),
        steps_per_epoch=steps_per_epoch,
        epochs=math.ceil(config.steps / steps_per_epoch),
        validation_data=_batches(model, config, config.validation)
        .take(validation_batches)
        .cache(),
        callbacks=[
            TrainingCurves(Path(config.output) / "tensorboard"),
            backup,
        ],
        shuffle=False,  # The dataset does; Keras's default makes it warn.
        verbose=verbose,
    ).history


def _metrics(
    model: LSTMCausalLM, config: PretrainConfig, history: dict[str, list[float]]
) -> dict[str, Any]:
    validation = _batches(model, config, config.validation)
    final = model.evaluate(validation, return_dict=True, verbose=0)
    rows, tokens = _count_rows_and_tokens(validation)
    return {
        "validation_perplexity": final["perplexity"],
        "validation_tokens": tokens,
        "steps": config.steps,
        # Training texts are about as long as those for validation.
        "tokens_per_step": round(config.batch_size * tokens / rows),
        "parameters": model.backbone.count_params(),
        "history": history,
    }


def _are_of(checksums: Path, preset: str) -> bool:
    """Tells whether a preset has these checksums: whether this run has made it."""
    return read_checksums(checksums) == read_checksums(Path(preset) / CHECKSUMS)


def save_preset(model: LSTMCausalLM, folder: str | Path, weights_dtype: str) -> None:
    """Saves a preset whose weights are stored in `weights_dtype`.

    The config keeps float32 as the dtype to compute in: only the file is smaller.

    Args:
        model: the language model.
        folder: an existing folder.
        weights_dtype: such as "float16".
    """
    config = model.backbone.get_config()
    plain = LSTMBackbone.from_config({**config, "dtype": "float32"})
    plain.set_weights(model.backbone.get_weights())
    preprocessor = LSTMCausalLMPreprocessor(
        model.preprocessor.tokenizer,
        model.preprocessor.sequence_length,
        add_start_token=model.preprocessor.add_start_token,
        add_end_token=model.preprocessor.add_end_token,
        dtype="float32",
    )
    LSTMCausalLM(plain, preprocessor).save_to_preset(str(folder))
    stored = LSTMBackbone.from_config({**config, "dtype": weights_dtype})
    stored.set_weights(plain.get_weights())
    stored.save_weights(str(Path(folder) / "model.weights.h5"))
    write_checksums(folder)


def _count_rows_and_tokens(dataset: tf.data.Dataset) -> tuple[int, int]:
    rows = tokens = 0
    for _, _, weights in dataset:
        rows += weights.shape[0]
        tokens += int(tf.math.count_nonzero(weights))
    return rows, tokens
