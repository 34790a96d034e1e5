"""`Task`: what is learned from labelled texts, from the labels to the answers."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any, ClassVar, Self

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.inputs.column import Column
from siatl_keras.inputs.soft_labels import each_label, is_soft
from siatl_keras.tasks.label_names import LabelNames


class Task(abc.ABC):
    """A kind of answer: how labels become targets, and outputs become answers.

    A model has one, and asks it whatever depends on the kind of labels: the size of its
    output, losses, metrics, what `predict_labels` and an exported model say, and what a
    report shows. Tasks are values: two with the same settings are equal.

    A subclass is registered with `keras.saving.register_keras_serializable`.

    Attributes:
        kind: what `--task` calls it.
        measured: names of the default metrics, the main one first.
        target_dtype: "int32" or "float32".
        shapes: what losses and metrics of one's own take, in words.
    """

    kind: ClassVar[str]
    measured: ClassVar[tuple[str, ...]]
    target_dtype: ClassVar[str] = "int32"
    shapes: ClassVar[str] = "class numbers [batch] and logits [batch, classes]"

    # === Labels to targets ===

    @classmethod
    @abc.abstractmethod
    def from_labels(cls, labels: Any) -> Task:
        """Makes the task that some labels are of.

        Args:
            labels: those of the training texts, as `fit` takes them.

        Raises:
            ValueError: if they are not of this kind, or there is nothing to tell apart.
        """

    @property
    @abc.abstractmethod
    def num_outputs(self) -> int:
        """How many numbers the model gives for a text."""

    @property
    def target_shape(self) -> tuple[int, ...]:
        """Shape of the target of one text."""
        return ()

    @property
    def label_names(self) -> list[str]:
        """Names of what there is to answer, in the order of the outputs."""
        return []

    @abc.abstractmethod
    def encode(self, column: Column) -> np.ndarray:
        """Turns labels into targets.

        Args:
            column: the labels.

        Returns:
            `[texts, *target_shape]` of `target_dtype`.

        Raises:
            ValueError: if one is missing or not of this task; the message names its
                row, or its file and line.
        """

    @abc.abstractmethod
    def graph_encoder(self, spec: Any, argument: str) -> Callable[[Any], tf.Tensor]:
        """Makes the function that does `encode` for a dataset's batches.

        Args:
            spec: what the dataset yields for labels.
            argument: name of the argument, for messages.

        Raises:
            ValueError: if the labels cannot be of this task.
        """

    @abc.abstractmethod
    def strata(self, targets: np.ndarray) -> np.ndarray:
        """Groups texts that a held-out part should have in proportion.

        Args:
            targets: what `encode` returns.

        Returns:
            int `[texts]`.
        """

    def class_weights(
        self, class_weight: Any, targets: np.ndarray | None
    ) -> np.ndarray:
        """Turns `class_weight` into a table that targets are looked up in.

        Args:
            class_weight: as for `fit`.
            targets: of the training texts; `None` where they are not known beforehand.

        Returns:
            float32 `[classes]`.

        Raises:
            ValueError: if it weighs something else, or the task has no classes.
        """
        raise ValueError(
            f"`class_weight` weighs texts by their class, and {type(self).__name__} "
            f"has no single class for a text. Pass `sample_weight`. Received: "
            f"{class_weight!r:.60}."
        )

    # === Training ===

    def outputs(self, head: Any) -> Any:
        """Turns what the head computes into the model's output.

        Args:
            head: float32 `[batch, num_outputs]`.
        """
        return head

    @abc.abstractmethod
    def loss(self, loss: Any) -> Any:
        """Makes the loss from what `compile` takes.

        Args:
            loss: "auto", the name, class or object of a Keras loss, or one's own.

        Returns:
            a callable on targets and outputs.

        Raises:
            ValueError: if it is no loss, or not one of such targets.
        """

    @abc.abstractmethod
    def metric(self, metric: Any) -> Any:
        """Makes a metric from what `compile` takes.

        Args:
            metric: the name, class or object of a Keras metric, or one's own.

        Returns:
            a metric or function of targets and outputs.

        Raises:
            ValueError: if it is no metric.
        """

    @abc.abstractmethod
    def default_metrics(self) -> list[Any]:
        """Returns what `metrics="auto"` stands for."""

    def tuned_on(self, targets: np.ndarray, outputs: np.ndarray) -> Task:
        """Chooses what of the answers is chosen on held-out texts, if anything.

        Args:
            targets: of the held-out texts.
            outputs: float `[texts, num_outputs]`, the model's.

        Returns:
            the task with what was chosen.
        """
        return self

    # === Answers ===

    def abstaining(self, abstain_below: float) -> Task:
        """Makes the task that gives no answer where the model is not sure enough.

        Args:
            abstain_below: float, the least probability of an answer; 0 answers always.

        Raises:
            ValueError: if it is below 0 or not below 1, or the task's answers are not
                one class or level, with a probability, for each text.
        """
        if "abstain_below" not in self.get_config():
            raise ValueError(
                "`abstain_below` is the least probability of a class or a level, and "
                f"{type(self).__name__} answers with none. Received: {abstain_below}."
            )
        return self.changed(abstain_below=abstain_below)

    @abc.abstractmethod
    def served(self, outputs: Any) -> dict[str, tf.Tensor]:
        """Makes the answers of an exported model, in its graph.

        Args:
            outputs: float `[batch, num_outputs]`.
        """

    @abc.abstractmethod
    def answers(self, outputs: Any) -> list[Any]:
        """Makes the answers that `predict_labels` gives.

        Args:
            outputs: float `[texts, num_outputs]`.
        """

    def probabilities(self, outputs: Any, dtype: str = "float32") -> np.ndarray:
        """Turns outputs into probabilities, one for each of `label_names`.

        Args:
            outputs: float `[texts, num_outputs]`.
            dtype: "float64" where no two outputs may become one probability.

        Raises:
            ValueError: if the task has none.
        """
        raise ValueError(
            f"{type(self).__name__} gives no probabilities. Call `predict`."
        )

    @property
    @abc.abstractmethod
    def answer_columns(self) -> list[str]:
        """Heads of the columns that `answer_rows` fill, in files of answers."""

    @abc.abstractmethod
    def answer_rows(self, outputs: Any) -> list[dict[str, Any]]:
        """Makes the answers that go into files, ready for JSON.

        Args:
            outputs: float `[texts, num_outputs]`.
        """

    # === Evaluation ===

    @abc.abstractmethod
    def report(self, targets: np.ndarray, outputs: Any) -> Any:
        """Compares answers with the truth.

        Args:
            targets: what `encode` returns.
            outputs: float `[texts, num_outputs]`.

        Returns:
            a report of `siatl_keras.evaluation`.
        """

    @abc.abstractmethod
    def predictions(self, targets: np.ndarray, outputs: Any) -> Any:
        """Puts truth and answers side by side; arguments as for `report`.

        Returns:
            `siatl_keras.evaluation.Predictions`.
        """

    @abc.abstractmethod
    def linear_model(self, strength: float, class_weight: str | None = None) -> Any:
        """Makes the untrained scikit-learn model to compare with.

        Args:
            strength: weight of the data against the regularisation.
            class_weight: "balanced", or `None`.

        Raises:
            ValueError: if there is a `class_weight`, and the task has no classes.
        """

    def linear_start(
        self, features: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Fits what a linear task head begins with.

        Args:
            features: float `[texts, features]`, each of mean 0 and deviation 1.
            targets: what `encode` returns.

        Returns:
            `(kernel [features, outputs], bias [outputs])`; `None`, as here, for zeros.
        """
        return None

    def word_start(
        self, features: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Fits word scores as `linear_start` does, on as many features as texts."""
        return self.linear_start(features, targets)

    @abc.abstractmethod
    def linear_outputs(self, estimator: Any, features: Any) -> np.ndarray:
        """Computes what the model would give, by a trained `linear_model`.

        Args:
            estimator: the model.
            features: what it takes.

        Returns:
            float `[texts, num_outputs]`.
        """

    def mean_loss(self, targets: np.ndarray, outputs: Any) -> float:
        """Computes the mean of the loss "auto" over texts.

        Args:
            targets: what `encode` returns.
            outputs: float `[texts, num_outputs]`.
        """
        loss = self.loss("auto")
        arrays: Any = (targets, np.asarray(outputs, "float32"))
        if not self.target_shape and is_soft(targets):
            arrays = each_label(loss, *arrays)
        return float(np.mean(keras.ops.convert_to_numpy(loss(*arrays))))

    # === Values ===

    def changed(self, **arguments: Any) -> Self:
        """Makes the task again, with some of its constructor's arguments changed.

        Args:
            **arguments: by name.
        """
        return type(self).from_config({**self.get_config(), **arguments})

    @abc.abstractmethod
    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Makes the task again.

        Args:
            config: what `get_config` returned.
        """
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.get_config() == self.get_config()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self), repr(self.get_config())))

    def __repr__(self) -> str:
        arguments = (f"{name}={value!r}" for name, value in self.get_config().items())
        return f"{type(self).__name__}({', '.join(arguments)})"


def as_column(labels: Any) -> Column:
    """Returns labels as a `Column`.

    Args:
        labels: a `Column`, or labels as `fit` takes them.
    """
    return labels if isinstance(labels, Column) else Column(labels, "labels")


def named_labels(column: Column) -> LabelNames:
    """Finds the names in a column of single labels.

    Args:
        column: strings or whole numbers.

    Raises:
        ValueError: if a label is missing, or neither; or see `LabelNames.found_in`.
    """
    rows = column.rows()
    places = [column.place(row) for row in range(len(rows))]
    names = [label_name(*pair) for pair in zip(rows, places, strict=True)]
    return LabelNames.found_in(zip(places, names, strict=True))


def label_name(label: Any, place: str) -> str:
    """Returns the name that a label stands for, where names are not known yet.

    Args:
        label: str, or a whole number (`1.0` is one).
        place: where it stands, for messages.

    Raises:
        ValueError: if it is neither.
    """
    if isinstance(label, str):
        return label
    whole = isinstance(label, (float, np.floating)) and float(label).is_integer()
    if not whole and not isinstance(label, (int, np.integer, np.bool_)):
        raise ValueError(
            f"{place}: a label must be a name or a whole number. Received: "
            f"{label!r:.40}."
        )
    return str(int(label))
