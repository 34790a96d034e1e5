"""`EpochLines`: a line for each epoch, with the figures that one decides by."""

from __future__ import annotations

import math
import textwrap
import time
from typing import Any

import keras

from siatl_keras.callbacks.group_learning_rates import GroupLearningRates
from siatl_keras.callbacks.main_measure import main_measure
from siatl_keras.callbacks.progress_line import ProgressLine, spelled
from siatl_keras.optimizers.groups import groups_of

COLUMNS = 100
# How measures are called where there is little room.
SHORT = {
    "macro_f1": "F1",
    "micro_f1": "micro F1",
    "exact_match": "exact",
    "quadratic_kappa": "kappa",
    "mae": "MAE",
    "rmse": "RMSE",
    "pearson": "r",
}
# Steps that are not like those behind them, and those that are timed.
WARM_UP, TIMED = 4, 8
# Seconds of an epoch from which on it is worth saying how long it takes.
LONG = 10


class EpochLines(keras.callbacks.ProgbarLogger):
    """Prints a line of at most 100 columns for each epoch.

        epoch 7/14  stage 3  task 0.41 → val 0.47  F1 0.721  11 s  best (patience 0/4)

    In it are the loss on the training texts and on those of validation, the task's main
    measure, the language model's perplexity, γ, the time, and how many epochs early
    stopping has waited. Whatever else is logged is in the history, and in TensorBoard.
    The `fit` of this package's models puts it in place of Keras's `ProgbarLogger`,
    which shows all: who wants that one lists it among the callbacks.

    As for Keras's, `fit(verbose=1)` also shows a bar within the epoch, on a terminal;
    `fit(verbose=2)` shows none, but all figures, on further lines.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stopping: Any = None
        self._rates: GroupLearningRates | None = None
        self._line = ProgressLine("", None, shown=False)
        self._epoch_began = self._steps_began = 0.0
        self._weights = -1
        self._is_new = False

    def meet(self, callbacks: list[keras.callbacks.Callback]) -> None:
        """Takes the other callbacks of the run, see `in_order`."""
        for callback in callbacks:
            if isinstance(callback, keras.callbacks.EarlyStopping):
                self._stopping = callback
            if isinstance(callback, GroupLearningRates):
                self._rates = callback

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Begins."""
        self._weights = -1

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Notes the time."""
        shown = self.verbose == 1 and self._is_chief
        self._line = ProgressLine(self._head(epoch), self.target, shown)
        self._epoch_began = time.monotonic()
        weights = len(self.model.trainable_variables)
        self._is_new = weights != self._weights and bool(self.verbose)
        self._weights = weights

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        """Moves the bar; says how long epochs take where they are long."""
        if self._is_new and batch + 1 == WARM_UP:
            self._steps_began = time.monotonic()
        if self._is_new and batch + 1 == WARM_UP + TIMED:
            self._is_new = False
            self._say_how_long()
        self._line.update(batch + 1)

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Says that the epoch is at its end."""
        self._line.write(f"{self._line.what}  validation")

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Shows nothing of validation's batches."""

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        """Shows nothing of validation alone."""

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Prints the epoch's line."""
        if not self.verbose or not self._is_chief:
            return
        logs = logs or {}
        self._line.clear()
        seconds = time.monotonic() - self._epoch_began
        print(self._epoch_line(epoch, logs, seconds), flush=True)
        if self.verbose == 2:
            print(self._all_figures(logs), flush=True)

    @property
    def _is_chief(self) -> bool:
        return bool(self.model.distribute_strategy.extended.should_save_summary)

    def _head(self, epoch: int) -> str:
        return f"epoch {epoch + 1}/{self.epochs}"

    def _say_how_long(self) -> None:
        if not self.target or not self._is_chief:
            return
        step = (time.monotonic() - self._steps_began) / TIMED
        if step * self.target >= LONG:
            self._line.clear()
            print(f"(about {spelled(step * self.target)} an epoch)", flush=True)

    def _epoch_line(self, epoch: int, logs: dict[str, Any], seconds: float) -> str:
        """Puts the line together; of what is too much, the last ones go first."""
        parts = {"head": self._head(epoch)}
        if "stage" in logs:
            parts["stage"] = f"stage {logs['stage']:.0f}"
        parts["loss"] = _losses(logs)
        parts["measure"] = self._measure(logs)
        parts["perplexity"] = _perplexity(logs)
        if logs.get("gamma"):
            parts["gamma"] = f"γ {logs['gamma']:.2f}"
        parts["seconds"] = spelled(seconds)
        if self._stopping is not None:
            stopping = self._stopping
            best = "best " if stopping.wait == 0 else ""
            parts["stopping"] = f"{best}(patience {stopping.wait}/{stopping.patience})"
        parts = {name: part for name, part in parts.items() if part}
        for name in ("gamma", "perplexity", "stage", "measure"):
            if len("  ".join(parts.values())) > COLUMNS:
                parts.pop(name, None)
        return "  ".join(parts.values())

    def _measure(self, logs: dict[str, Any]) -> str:
        main = main_measure(self.model, logs)
        if main is None:
            return ""
        value = logs.get(f"val_{main}", logs.get(main))
        return f"{SHORT.get(main, main)} {value:.3f}"

    def _all_figures(self, logs: dict[str, Any]) -> str:
        frozen = {f"learning_rate/{name}" for name in self._frozen_groups()}
        figures = [
            f"{name}\N{NO-BREAK SPACE}{value:.5g}"
            for name, value in logs.items()
            if name not in frozen
        ]
        lines = textwrap.wrap("  ".join(figures), COLUMNS - 4, break_on_hyphens=False)
        return "\n".join(f"    {line}" for line in lines).replace("\xa0", " ")

    def _frozen_groups(self) -> list[str]:
        if self._rates is None:
            return []
        layers = groups_of(self.model, self._rates.groups).layers
        return [
            name
            for name, parts in layers.items()
            if not any(part.trainable for part in parts)
        ]


def _losses(logs: dict[str, Any]) -> str:
    key = "task_loss" if "task_loss" in logs else "loss"
    parts = [
        f"{word} {_short(logs[name])}"
        for word, name in ((key.removesuffix("_loss"), key), ("val", f"val_{key}"))
        if name in logs
    ]
    return " → ".join(parts)


def _perplexity(logs: dict[str, Any]) -> str:
    value = logs.get("val_perplexity", logs.get("perplexity"))
    return "" if value is None else f"ppl {_short(value)}"


def _short(value: float) -> str:
    """Writes a figure in about three digits.

    >>> _short(0.4149), _short(66.57), _short(1234.5), _short(3e7)
    ('0.41', '66.6', '1,234', '3e+07')
    """
    if not math.isfinite(value) or abs(value) >= 1e6:
        return f"{value:.3g}"
    digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:,.{digits}f}"
