"""`word_share`: how much of a classifier's outputs its word scores are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import logit

from siatl_keras.inputs import as_text_tensor
from siatl_keras.models.lstm_backbone import LSTMBackbone
from siatl_keras.models.raw_text_batches import RawTextBatches
from siatl_keras.models.text_prediction import TEXTS_PER_PART
from siatl_keras.tasks.temperature import fitted_temperature

# Where the share is before held-out texts are seen, and the deviation of its log odds
# from there: an LSTM knows hardly more than its words (`docs/results.md`).
SHARES = np.arange(0.05, 1.0, 0.05)
USUAL_OF_LSTM, SPREAD_OF_LSTM = 0.5, 1.0
USUAL, SPREAD = 0.3, 0.5


def packed_parts(preprocessor: Any, texts: list[Any]) -> Iterator[dict[str, Any]]:
    """Yields texts as word scores read them, some at a time.

    Args:
        preprocessor: of the classifier.
        texts: list of str or UTF-8 bytes, or of tuples of two.
    """
    for start in range(0, len(texts), TEXTS_PER_PART):
        part = texts[start : start + TEXTS_PER_PART]
        yield preprocessor(as_text_tensor(part, preprocessor.pairs))


def word_outputs(model: Any, texts: list[Any]) -> np.ndarray:
    """Computes what a classifier's words would give alone.

    Args:
        model: a `SiATLClassifier` with fitted word scores.
        texts: list of str or UTF-8 bytes, or of tuples of two.

    Returns:
        float `[texts, num_outputs]`.
    """
    batches = RawTextBatches(model.backbone, model.preprocessor, model.task)
    packed = packed_parts(batches.texts_preprocessor, texts)
    scores = np.concatenate([model.word_scores.scores(x) for x in packed])
    return np.asarray(model.task.outputs(scores))


def word_share(
    model: Any, targets: np.ndarray, outputs: np.ndarray, words: np.ndarray
) -> float:
    """Chooses the share of the lowest loss, each with a temperature of its own.

    It is drawn to a half on an LSTM, to less on others, the more the fewer texts there
    are.

    Args:
        model: a `SiATLClassifier`.
        targets: of texts that nothing has learned from, as its task encodes them.
        outputs: float `[texts, num_outputs]`, those without the words.
        words: float `[texts, num_outputs]`, those of the words alone.

    Returns:
        float between 0 and 1.
    """
    task = model.task
    losses = []
    for share in SHARES:
        mixed = outputs + share * (words - outputs)
        if "temperature" in task.get_config():
            mixed = mixed / fitted_temperature(task.mean_loss, targets, mixed)
        losses.append(len(targets) * task.mean_loss(targets, mixed))
    usual, spread = USUAL, SPREAD
    if isinstance(model.backbone, LSTMBackbone):
        usual, spread = USUAL_OF_LSTM, SPREAD_OF_LSTM
    distances = (logit(SHARES) - logit(usual)) / spread
    return float(SHARES[np.argmin(losses + 0.5 * distances**2)])
