"""`tune`: searches for the settings that do best on the validation texts.

Bayesian optimization by KerasTuner, a trial being a whole `finetune`.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from siatl_keras.atomic import write_text
from siatl_keras.callbacks import TrainingDivergedError
from siatl_keras.evaluation import LOSS, lower_is_better
from siatl_keras.extras import needed
from siatl_keras.presets.named_models import chosen_model
from siatl_keras.runs.finetune import finetune
from siatl_keras.runs.finetune_config import FinetuneConfig
from siatl_keras.runs.search_space import as_settings, search_space
from siatl_keras.runs.training import free_models
from siatl_keras.tasks import TASKS
from siatl_keras.workers import place

keras_tuner = needed("keras_tuner")
Tuner: Any = keras_tuner.Tuner
Oracle: Any = keras_tuner.oracles.BayesianOptimizationOracle


@dataclass(frozen=True)
class Trial:
    """A trial of a search.

    Attributes:
        flags: the flags it changed, by name.
        score: the objective; `None` if the trial failed.
    """

    flags: dict[str, Any]
    score: float | None


def tune(
    config: FinetuneConfig,
    *,
    trials: int = 20,
    objective: str = LOSS,
    strategy: tf.distribute.Strategy | None = None,
) -> list[Trial]:
    """Searches, and writes the table `trials.md`, best first.

    The first trial has the settings as they are given, so that the best is never worse
    than they. A search that was stopped resumes where it was, in the middle of a trial
    too; one that has ended goes on with more `trials`.

    Args:
        config: the run to improve. `test` is not used: a search must not see it. The
            state of the search lies in `backup` in its `output`.
        trials: int, fine-tunings in all.
        objective: "task_loss", or one of the task's `measured`.
        strategy: `tf.distribute.Strategy`; the default one if not given.

    Returns:
        the trials, best first, failed ones last.

    Raises:
        ValueError: if an argument is wrong, a file cannot be read, there are several
            workers, or every trial failed. A trial that diverges has failed, and the
            search goes on.
    """
    if place(strategy)[1] > 1:
        raise ValueError(
            "A search has no use for several workers: each trial of it is a run on one "
            "machine. Start it once, with `--devices=auto` and no `TF_CONFIG`."
        )
    possible = (LOSS, *TASKS[config.task].measured)
    if objective not in possible:
        raise ValueError(
            f"`objective` must be one of {list(possible)} with task={config.task}. "
            f"Received: {objective}."
        )
    if trials < 1:
        raise ValueError(f"`trials` must be at least 1. Received: trials={trials}.")
    config = replace(config, lm=chosen_model(config.lm), test="")
    space = search_space(config)
    tuner = FinetuneTuner(
        config,
        strategy,
        oracle=_GivenFirst(
            objective=keras_tuner.Objective(
                objective, "min" if lower_is_better(objective) else "max"
            ),
            max_trials=trials,
            # KerasTuner's own, three times the dimensions, is more than most can pay.
            num_initial_points=len(space.space),
            hyperparameters=space,
            # 0 would be random to it.
            seed=config.seed + 1,
            # Rates may be too high several times in a row.
            max_consecutive_failed_trials=trials + 1,
        ),
        directory=config.output,
        project_name="backup",
        overwrite=False,
    )
    tuner.oracle.verbose = 0
    tuner.save()  # Or a search stopped in its first trial would not be found again.
    tuner.search()
    ended = [
        Trial(as_settings(trial.hyperparameters.values), trial.score)
        for trial in tuner.oracle.get_best_trials(len(tuner.oracle.trials))
    ]
    if ended[0].score is None:
        raise ValueError(
            f"All {len(ended)} trials failed; {tuner.project_dir} has their errors."
        )
    write_text(Path(config.output) / "trials.md", trials_table(ended, objective))
    return ended


class FinetuneTuner(Tuner):
    """Runs `finetune` for each trial.

    Args:
        config: the run, but for what a trial changes.
        strategy: see `finetune`.
        **kwargs: see `keras_tuner.Tuner`.
    """

    def __init__(self, config: FinetuneConfig, strategy: Any, **kwargs: Any) -> None:
        self.config = config
        self.strategy = strategy
        super().__init__(**kwargs)

    def run_trial(self, trial: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Fine-tunes, and returns the objective."""
        free_models()  # Of the trial before.
        flags = as_settings(trial.hyperparameters.values)
        run = Path(self.get_trial_dir(trial.trial_id)) / "run"
        try:
            metrics = self._figures(run, flags)
        except TrainingDivergedError:
            raise  # Rates that are too high: the next trial has others.
        except ValueError as error:
            # Wrong input, which no other trial would mend.
            raise keras_tuner.errors.FatalValueError(str(error)) from error
        except OSError as error:
            # Such as a full disk.
            raise keras_tuner.errors.FatalRuntimeError(str(error)) from error
        # A model a trial would fill the disk, and the flags make it again.
        shutil.rmtree(run / "model", ignore_errors=True)
        name = self.oracle.objective.name
        return {name: metrics["validation"][name]}

    def _figures(self, run: Path, flags: dict[str, Any]) -> dict[str, Any]:
        finished = run / "metrics.json"
        if finished.exists():  # The search was stopped before it had taken note.
            return json.loads(finished.read_text("utf-8"))
        config = replace(self.config, output=str(run), **flags)
        return finetune(config, self.strategy, verbose=0)[1]

    def on_trial_end(self, trial: Any) -> None:
        """Reports the trial."""
        super().on_trial_end(trial)
        ended = self.oracle.get_trial(trial.trial_id)
        said = (
            f"{self.oracle.objective.name} {ended.score:.4f}"
            if ended.score is not None
            else f"failed: {(ended.message or '').strip().splitlines()[-1:]}"
        )
        flags = as_settings(ended.hyperparameters.values)
        settings = " ".join(f"--{name}={value}" for name, value in flags.items())
        number = f"{len(self.oracle.end_order)} of {self.oracle.max_trials}"
        print(f"trial {number}: {said}  {settings}", flush=True)


class _GivenFirst(Oracle):
    """Begins with the defaults of the space."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        if not self.trials:
            values = dict(self.hyperparameters.values)
            return {"status": "RUNNING", "values": values}
        return super().populate_space(trial_id)


def trials_table(trials: list[Trial], objective: str) -> str:
    """Writes trials as a Markdown table.

    Args:
        trials: in the order of the rows.
        objective: what the score is.
    """
    names = list(trials[0].flags)
    head = ["", f"validation {objective}", *names]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for rank, trial in enumerate(trials, start=1):
        score = "failed" if trial.score is None else f"{trial.score:.4f}"
        cells = [str(rank), score, *(f"{trial.flags[name]:g}" for name in names)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
