"""`next_steps`: what is worth trying after a run, by what it has shown."""

from __future__ import annotations

from typing import Any

from siatl_keras.presets.named_models import LARGE, SHIPPED, fetched_folder
from siatl_keras.runs.finetune_config import BASELINES, FinetuneConfig
from siatl_keras.runs.run_data import RunData

# Texts that a figure is judged by, below which it says little.
FEW = 200


def next_steps(
    config: FinetuneConfig, data: RunData, metrics: dict[str, Any]
) -> list[str]:
    """Lists what is worth trying, what promises most first.

    Args:
        config: the run's, defaults filled in.
        data: its texts.
        metrics: what it found.

    Returns:
        sentences; none where there is nothing to say.
    """
    steps = []
    if config.lm in SHIPPED and config.method not in BASELINES:
        here = fetched_folder(LARGE).is_dir()
        fetch = "" if here else f"siatl fetch-model --name={LARGE}, then "
        steps.append(f"{fetch}--lm={LARGE}: a larger language model, usually better")
    epochs = len(metrics.get("history", ()))
    if epochs and metrics["best_epoch"] == epochs and not data.folds:
        steps.append(f"--epochs={2 * epochs}: the last epoch was the best one")
    if not (config.validation or data.folds or data.test):
        judged = len(data.judged.texts)
        if judged < FEW:
            steps.append(
                f"--folds=5: all texts are judged by, where these were {judged}"
            )
    return steps
