"""`Confidence`: how sure the answers of a task are, and when none is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.arguments import check_share

# What is served in place of a label, and of its number, where the model abstains.
NO_LABEL, NO_LABEL_ID = "", -1


@dataclass(frozen=True)
class Confidence:
    """From outputs to probabilities, and from these to answers or none.

    Attributes:
        temperature: float above 0, what outputs are divided by, so that probabilities
            are as often right as they say; see `fitted_temperature`.
        abstain_below: float, at least 0 and below 1, the least probability of an
            answer; a model abstains where its answer has less.

    Raises:
        ValueError: if one is out of range.
    """

    temperature: float = 1.0
    abstain_below: float = 0.0

    def __post_init__(self) -> None:
        numbers = (int, float, np.integer, np.floating)
        temperature = self.temperature
        if not isinstance(temperature, numbers) or not 0 < temperature < np.inf:
            raise ValueError(
                "`temperature` must be a number above 0. Received: "
                f"{temperature!r:.40}."
            )
        check_share(abstain_below=self.abstain_below)

    def scaled(self, outputs: Any) -> Any:
        """Divides outputs by the temperature.

        Args:
            outputs: a float tensor.
        """
        return outputs / tf.cast(self.temperature, outputs.dtype)

    def answers(
        self,
        names: Sequence[str],
        numbers: np.ndarray,
        probabilities: Callable[[], np.ndarray],
    ) -> list[str | None]:
        """Names the answers; `None` where the model abstains.

        Args:
            names: of classes or levels.
            numbers: int `[texts]`, those answered.
            probabilities: function that computes float `[texts, names]`; called where
                the answers depend on them.
        """
        if not self.abstain_below:
            return [names[number] for number in numbers]
        sure = np.take_along_axis(probabilities(), numbers[:, None], 1)[:, 0]
        given = sure >= np.float32(self.abstain_below)
        return [
            names[number] if is_given else None
            for number, is_given in zip(numbers, given, strict=True)
        ]

    def served(
        self, names: Sequence[str], numbers: tf.Tensor, probabilities: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Makes the answers of an exported model: `label`, `label_id`, `probabilities`.

        Where the model abstains, the label is empty and its number -1.

        Args:
            names: of classes or levels.
            numbers: int32 `[texts]`, those answered.
            probabilities: float32 `[texts, names]`.
        """
        labels = tf.gather(tf.constant(list(names)), numbers)
        if self.abstain_below:
            sure = tf.gather(probabilities, numbers, batch_dims=1)
            given = sure >= tf.constant(self.abstain_below, tf.float32)
            labels = tf.where(given, labels, NO_LABEL)
            numbers = tf.where(given, numbers, NO_LABEL_ID)
        return {"label": labels, "label_id": numbers, "probabilities": probabilities}

    def to_dict(self) -> dict[str, float]:
        """Returns both, as a task's configuration holds them."""
        return {
            "temperature": float(self.temperature),
            "abstain_below": float(self.abstain_below),
        }
