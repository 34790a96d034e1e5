"""Results of runs, made by hand."""

import numpy as np

from recipes.reproduction.run_key import RunKey
from recipes.reproduction.run_result import RunResult
from siatl_keras.evaluation import Predictions, evaluate_predictions

LABELS = np.array([0, 1] * 50)


def result(method, seed=0, wrong=10, dataset="scv2", predicted=True, **variant):
    """A run with every `wrong`th text of a hundred said wrong, and three epochs."""
    said = np.where(np.arange(100) % wrong == seed, 1 - LABELS, LABELS)
    perplexity = 200.0 + 10 * seed
    return RunResult(
        RunKey(dataset, method, seed, **variant),
        {
            "measures": ["macro_f1", "accuracy"],
            "test": evaluate_predictions(LABELS, said, ["no", "yes"]).to_dict(),
            "validation": {"perplexity": perplexity},
            "history": [
                {"epoch": epoch, "val_perplexity": perplexity + epoch}
                for epoch in range(1, 4 + seed)
            ],
        },
        Predictions(LABELS, said, np.eye(2)[said]) if predicted else None,
    )
