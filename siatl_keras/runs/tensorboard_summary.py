"""`summarize_for_tensorboard`: settings, result and picture of a run in TensorBoard."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorboard.plugins.hparams import api

from siatl_keras.runs.evaluate import Evaluation
from siatl_keras.runs.finetune_config import FinetuneConfig

SECTION = "4 result"
# They tell no run from another that had the same texts, or do so by names of folders.
NO_SETTINGS = ("output", "train", "validation", "test", "drop_bad_rows")


def summarize_for_tensorboard(
    folder: str | Path, config: FinetuneConfig, evaluation: Evaluation, judged_by: str
) -> None:
    """Writes what the HParams page compares runs by, and the picture of the answers.

    `tensorboard --logdir` of a folder with several runs, such as those of a search or
    of a grid of experiments, has a row for each.

    Args:
        folder: of the run; `tensorboard` in it is written to.
        config: the run's, defaults filled in.
        evaluation: of the texts that it is judged by.
        judged_by: what these are, "test" or "held_out".
    """
    folder = Path(folder)
    settings = _settings(config)
    results = {
        f"{SECTION}/{judged_by.replace('_', '-')} {name}": value
        for name, value in evaluation.report.measures.items()
    }
    picture = folder / evaluation.report.picture
    writer = tf.summary.create_file_writer(str(folder / "tensorboard"))
    with writer.as_default(step=0):
        api.hparams_config(
            hparams=[api.HParam(name) for name in settings],
            metrics=[api.Metric(name) for name in results],
        )
        api.hparams(settings, trial_id="/".join(folder.parts[-2:]))
        for name, value in results.items():
            tf.summary.scalar(name, value)
        if picture.exists():  # Without matplotlib there is none.
            image = tf.io.decode_png(picture.read_bytes())
            name = f"{SECTION}/{picture.stem.replace('_', ' ')}"
            tf.summary.image(name, image[tf.newaxis])
    writer.close()


def _settings(config: FinetuneConfig) -> dict[str, Any]:
    values = {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if field.name not in NO_SETTINGS
    }
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, (bool, int, float, str)) and value != ""
    }
