"""`TaskScores`: class numbers and logits in the form that a loss or metric takes.

Keras's losses and metrics want class numbers, one-hot rows or the positive class alone,
beside logits, probabilities or log odds; the model has class numbers and logits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops


@dataclass(frozen=True)
class TaskScores:
    """A form of targets and scores.

    Attributes:
        targets: "numbers", int `[batch]`; "one-hot", float `[batch, classes]`; or
            "positive", float `[batch, 1]`, 1 where the second of two classes is right,
            and one-hot where there are more.
        scores: "logits"; "probabilities", their softmax; "log-odds", whose sigmoid
            the probabilities are; or "class", the number of the best one, `[batch]`.
            The others are float `[batch, classes]`, and with the targets "positive" of
            two classes `[batch, 1]`, the second's.
    """

    targets: str
    scores: str

    def shape(self, y_true: Any, logits: Any, num_classes: int) -> tuple[Any, Any]:
        """Brings a batch into the form.

        Args:
            y_true: int `[batch]` or `[batch, 1]`, class numbers.
            logits: float `[batch, classes]`.
            num_classes: int.

        Returns:
            `(targets, scores)`, as the class describes them.
        """
        numbers = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        logits = ops.cast(logits, "float32")
        one_column = self.targets == "positive" and num_classes == 2
        if self.targets == "numbers":
            targets = numbers
        elif one_column:
            targets = ops.cast(numbers[:, None], "float32")
        else:
            targets = ops.one_hot(numbers, num_classes, dtype="float32")
        if self.scores == "class":
            return targets, ops.cast(ops.argmax(logits, axis=-1), "float32")
        scores = logits
        if self.scores == "probabilities":
            # Not `ops.softmax`: Keras marks what it returns with the logits, and its
            # binary crossentropy then takes these for a sigmoid's.
            scores = ops.exp(ops.log_softmax(logits, axis=-1))
        elif self.scores == "log-odds":
            scores = _log_odds(logits, num_classes)
        return targets, scores[:, 1:] if one_column else scores


def _log_odds(logits: Any, num_classes: int) -> Any:
    if num_classes == 2:
        # Exact, whatever the size: what others log(1 - p) would be, is the other logit.
        return logits - ops.flip(logits, axis=-1)
    logs = ops.log_softmax(logits, axis=-1)
    return logs - ops.log(ops.maximum(-ops.expm1(logs), 1e-7))
