"""`ClassifierLogs`: how a classifier's figures are called, and which there are."""

from __future__ import annotations

from typing import Any

LM_LOGS = ("lm_loss", "perplexity")


class ClassifierLogs:
    """Mixin for a `SiATLClassifier`, before `SlicedTraining`."""

    def reported_logs(self, logs: dict[str, Any]) -> dict[str, Any]:
        """Leaves out the LM's logs of a training step that did not compute them."""
        if self.lm_learns:  # type: ignore[attr-defined]
            return super().reported_logs(logs)  # type: ignore[misc]
        return {k: v for k, v in logs.items() if k not in LM_LOGS}

    def training_log_names(self) -> list[str]:
        """Names the logs of training in which all layers learn."""
        figures = self.get_metrics_result()
        if not self.auxiliary_loss:  # type: ignore[attr-defined]
            return [name for name in figures if name not in LM_LOGS]
        return list(super().reported_logs(figures))  # type: ignore[misc]

    def get_metrics_result(self) -> dict[str, Any]:
        """Returns the metrics by their short names: Keras's lead with the output's."""
        figures = super().get_metrics_result()  # type: ignore[misc]
        return {_short_name(name): value for name, value in figures.items()}


def _short_name(name: str) -> str:
    """Turns `task_accuracy` into `accuracy`; the losses keep the output's name."""
    if name in ("task_loss", "lm_loss"):
        return name
    output, _, short = name.partition("_")
    return short if output in ("task", "lm") else name
