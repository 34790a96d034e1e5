"""`check_pair_column`: a model of pairs needs the column of the second texts."""

from __future__ import annotations

from siatl_keras.models import SiATLClassifier


def check_pair_column(model: SiATLClassifier, pair_column: str, name: str) -> None:
    """Checks that files are read as the model takes its texts.

    Args:
        model: the classifier.
        pair_column: name of the column, "" for single texts.
        name: of the model, for the message.

    Raises:
        ValueError: if a column is named and the model takes single texts, or the
            opposite.
    """
    if model.takes_pairs and not pair_column:
        raise ValueError(
            f"{name} classifies pairs of texts. Name the column of the second text "
            "with `--pair_column`."
        )
    if pair_column and not model.takes_pairs:
        raise ValueError(
            f"{name} classifies single texts. Remove `--pair_column`, or train it on "
            f"pairs. Received: --pair_column={pair_column}."
        )
