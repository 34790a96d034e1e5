"""`compare_with_words`: a run's figure beside that of counting words.

Who does not look takes a model for good that a linear one on word counts outdoes.
"""

from __future__ import annotations

from typing import Any

from siatl_keras.evaluation import MEASURES
from siatl_keras.runs.finetune_config import FinetuneConfig
from siatl_keras.runs.linear_baselines import fit_linear_model_of
from siatl_keras.runs.run_data import RunData


def compare_with_words(
    config: FinetuneConfig, data: RunData, figures: dict[str, Any]
) -> dict[str, Any]:
    """Fits the linear model of `--method=bow`, and measures it on the same texts.

    Args:
        config: the run's.
        data: its texts.
        figures: of the run's model, by name, on the test texts if there are any, else
            on those held out.

    Returns:
        dict of `measure`, the task's main one, `texts`, which they were, "test" or
        "held_out", and the figures of the `model` and of counting `words`.
    """
    report = fit_linear_model_of("bow", config, data).report(data)
    measure, value = next(iter(report.measures.items()))
    return {
        "measure": measure,
        "texts": data.judged_by,
        "model": float(figures[measure]),
        "words": float(value),
    }


def comparison_line(comparison: dict[str, Any]) -> str:
    """Says in one line what `compare_with_words` found.

    Args:
        comparison: what it returned.

    Example:
    >>> comparison_line({"measure": "macro_f1", "texts": "test", "model": 0.7,
    ...                  "words": 0.72})
    'macro F1 on the test texts: 0.700; counting words (--method=bow): 0.720. ...
    """
    measure = MEASURES[comparison["measure"]]
    texts = comparison["texts"].replace("_", "-")
    model, words = comparison["model"], comparison["words"]
    line = (
        f"{measure.title} on the {texts} texts: {model:.3f}; "
        f"counting words (--method=bow): {words:.3f}"
    )
    is_better = words < model if measure.lower_is_better else words > model
    if is_better:
        line += ". The plain model is the better one here, and takes seconds"
    return line
