"""`SingleLabel`: one class for each text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.inputs.column import Column
from siatl_keras.inputs.soft_labels import most_probable
from siatl_keras.losses import task_loss
from siatl_keras.metrics import MacroF1, task_metric
from siatl_keras.tasks.class_weights import class_weights
from siatl_keras.tasks.confidence import Confidence
from siatl_keras.tasks.discriminant_start import discriminant_start
from siatl_keras.tasks.label_names import LabelNames
from siatl_keras.tasks.logistic_start import logistic_start
from siatl_keras.tasks.task import Task, as_column, named_labels
from siatl_keras.tasks.temperature import fitted_temperature


@keras.saving.register_keras_serializable(package="siatl_keras")
class SingleLabel(Task):
    """One of several classes for each text: softmax and cross-entropy.

    Targets are class numbers, int32 `[texts]`, or, of soft labels (an array of
    probabilities or one-hot rows), float32 `[texts, classes]`; outputs are logits
    `[texts, classes]`; the answer is the class of the highest logit, also where two
    probabilities round to the same number.

    Args:
        label_names: names of the classes, in the order of their numbers.
        temperature: float, see `Confidence`; `tuned_on` finds it.
        abstain_below: float, see `Confidence`.

    Raises:
        ValueError: see `LabelNames` and `Confidence`.

    Example:
    >>> task = SingleLabel(["negative", "positive"])
    >>> task.encode(Column(["positive", "negative"], "y")).tolist()
    [1, 0]
    >>> task.answers([[0.0, 2.0]])
    ['positive']
    """

    kind = "single_label"
    measured = ("macro_f1", "accuracy")

    def __init__(
        self, label_names: Any, temperature: float = 1.0, abstain_below: float = 0.0
    ) -> None:
        self.names = LabelNames(label_names)
        self.confidence = Confidence(temperature, abstain_below)

    @classmethod
    def from_labels(cls, labels: Any) -> SingleLabel:
        """Makes the task; see `Task.from_labels`."""
        return cls(list(named_labels(as_column(labels))))

    @classmethod
    def of_size(cls, num_classes: int | None, label_names: Any = None) -> SingleLabel:
        """Makes the task from the number of classes, their names, or both.

        Args:
            num_classes: int, may be left out with `label_names`.
            label_names: may be left out with `num_classes`: names are numbers then.

        Raises:
            ValueError: if both are missing, they disagree, or one is malformed.
        """
        if num_classes is None and label_names is None:
            raise ValueError(
                "Pass `num_classes`, or `label_names` with a name for each; or another "
                "`task`."
            )
        if num_classes is not None and (
            isinstance(num_classes, bool)
            or not isinstance(num_classes, (int, np.integer))
            or num_classes < 2
        ):
            raise ValueError(
                "`num_classes` must be a whole number from 2. Received: "
                f"num_classes={num_classes!r}."
            )
        if label_names is None:
            return cls([str(number) for number in range(num_classes or 0)])
        task = cls(label_names)
        if num_classes not in (None, task.num_outputs):
            raise ValueError(
                "`num_classes` must be the number of `label_names`. Received: "
                f"num_classes={num_classes}, label_names={task.label_names[:8]}."
            )
        return task

    @property
    def num_outputs(self) -> int:
        """Number of classes."""
        return len(self.names)

    @property
    def label_names(self) -> list[str]:
        """Names of the classes, in the order of their numbers."""
        return list(self.names)

    def encode(self, column: Column) -> np.ndarray:
        """Turns class names or numbers into class numbers; see `Task.encode`."""
        return self.names.encode(column)

    def graph_encoder(self, spec: Any, argument: str) -> Callable[[Any], tf.Tensor]:
        """Makes the function that encodes batches; see `Task.graph_encoder`."""
        return self.names.graph_encoder(spec, argument)

    def strata(self, targets: np.ndarray) -> np.ndarray:
        """Returns the classes; of soft labels, the most probable."""
        return most_probable(targets)

    def class_weights(
        self, class_weight: Any, targets: np.ndarray | None
    ) -> np.ndarray:
        """Returns the weight of each class; see `class_weights`."""
        return class_weights(class_weight, self.names, targets)

    def loss(self, loss: Any) -> Any:
        """Makes the loss; "auto" is the cross-entropy. See `task_loss`."""
        auto = isinstance(loss, str) and loss == "auto"
        return task_loss("crossentropy" if auto else loss, self.num_outputs)

    def metric(self, metric: Any) -> Any:
        """Makes a metric; see `task_metric`."""
        return task_metric(metric, self.num_outputs)

    def default_metrics(self) -> list[Any]:
        """Returns accuracy and macro F1."""
        return ["accuracy", MacroF1(self.num_outputs)]

    def tuned_on(self, targets: np.ndarray, outputs: np.ndarray) -> SingleLabel:
        """Fits the temperature; see `Task.tuned_on` and `fitted_temperature`."""
        found = fitted_temperature(self.mean_loss, targets, outputs)
        return self.changed(temperature=found)

    def served(self, outputs: Any) -> dict[str, tf.Tensor]:
        """Returns `label`, `label_id` and `probabilities`; see `Confidence.served`."""
        label_id = tf.argmax(outputs, -1, output_type=tf.int32)
        scaled = self.confidence.scaled(tf.cast(outputs, tf.float32))
        return self.confidence.served(self.label_names, label_id, tf.nn.softmax(scaled))

    def answers(self, outputs: Any) -> list[str | None]:
        """Returns the names of the most probable classes; see `Confidence.answers`."""
        best = np.argmax(np.asarray(outputs), -1)
        return self.confidence.answers(
            self.label_names, best, lambda: self.probabilities(outputs)
        )

    def probabilities(self, outputs: Any, dtype: str = "float32") -> np.ndarray:
        """Returns `[texts, classes]`, each row with sum 1."""
        return tf.nn.softmax(self.confidence.scaled(tf.cast(outputs, dtype))).numpy()

    @property
    def answer_columns(self) -> list[str]:
        """The label, and the probability of each class."""
        return ["label", *self.names]

    def answer_rows(self, outputs: Any) -> list[dict[str, Any]]:
        """Returns a dict of `label` and `probabilities` by name for each text."""
        return [
            {"label": label, "probabilities": by_name(self.names, row)}
            for label, row in zip(
                self.answers(outputs), self.probabilities(outputs), strict=True
            )
        ]

    def report(self, targets: np.ndarray, outputs: Any) -> Any:
        """Returns a `Report`: accuracy, F1 of each class, confusion matrix."""
        from siatl_keras.evaluation import evaluate_predictions

        outputs = np.asarray(outputs)
        probabilities = self.probabilities(outputs, "float64")
        return evaluate_predictions(targets, outputs, self.label_names, probabilities)

    def predictions(self, targets: np.ndarray, outputs: Any) -> Any:
        """Returns the classes, and the probabilities in float64."""
        from siatl_keras.evaluation import Predictions

        scores = self.probabilities(outputs, "float64")
        predicted = np.argmax(np.asarray(outputs), -1)
        return Predictions(targets, predicted, scores, tuple(self.names))

    def linear_model(self, strength: float, class_weight: str | None = None) -> Any:
        """Returns logistic regression."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=strength, max_iter=2000, class_weight=class_weight)

    def linear_start(
        self, features: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """Returns a linear discriminant analysis; see `discriminant_start`."""
        classes = most_probable(targets)
        return discriminant_start(features, classes, self.num_outputs)

    def word_start(
        self, features: np.ndarray, targets: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns a logistic regression; see `logistic_start`."""
        return logistic_start(features, most_probable(targets), self.num_outputs)

    def linear_outputs(self, estimator: Any, features: Any) -> np.ndarray:
        """Returns the logarithms of the probabilities; -inf of a class not trained."""
        outputs = np.full((count_rows(features), self.num_outputs), -np.inf)
        outputs[:, estimator.classes_] = estimator.predict_log_proba(features)
        return np.maximum(outputs, np.finfo("float32").min)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {"label_names": self.label_names, **self.confidence.to_dict()}


def by_name(names: Any, row: Any) -> dict[str, float]:
    """Returns numbers by name, as files show them.

    Args:
        names: as many as numbers.
        row: float `[names]`.
    """
    return {
        name: round(float(value), 6) for name, value in zip(names, row, strict=True)
    }


def count_rows(features: Any) -> int:
    """Counts the rows of features, dense, sparse or a list of texts."""
    return features.shape[0] if hasattr(features, "shape") else len(features)
