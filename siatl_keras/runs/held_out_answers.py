"""`HeldOutAnswers`: what a model says of texts that it has not learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from siatl_keras.inputs import LabelledTexts
from siatl_keras.models import (
    SiATLClassifier,
    learn_word_scores,
    word_outputs,
    word_share,
)


@dataclass(frozen=True)
class HeldOutAnswers:
    """Outputs for held-out texts, on which the answers of a model are tuned.

    Attributes:
        outputs: float `[texts, num_outputs]`, those without the words.
        words: float `[texts, num_outputs]`, those of the words alone; `None` where
            there are no word scores.
    """

    outputs: np.ndarray
    words: np.ndarray | None

    @classmethod
    def of(
        cls, model: SiATLClassifier, lesson: LabelledTexts, texts: list[Any], seed: int
    ) -> HeldOutAnswers:
        """Fits the word scores, if there are any, and lets a model answer.

        Args:
            model: a trained classifier, whose word scores have no share yet.
            lesson: what it has learned from.
            texts: those that it has not.
            seed: of the word scores.
        """
        words = word_answers(model, lesson, texts, seed)
        return cls(model.predict(texts, verbose=0), words)

    def tune(self, model: SiATLClassifier, targets: np.ndarray) -> np.ndarray:
        """Chooses the words' share, and what else of the answers is chosen.

        Args:
            model: a trained classifier, which gets what is chosen.
            targets: of the texts.

        Returns:
            float `[texts, num_outputs]`, the outputs with the words.
        """
        outputs = self.outputs
        if self.words is not None:
            share = word_share(model, targets, outputs, self.words)
            model.word_scores.share.assign(share)
            outputs = outputs + share * (self.words - outputs)
        model.task = model.task.tuned_on(targets, outputs)
        return outputs


def word_answers(
    model: SiATLClassifier, lesson: LabelledTexts, texts: list[Any], seed: int
) -> np.ndarray | None:
    """Fits a classifier's word scores, and lets them alone answer.

    Args:
        model: a trained classifier.
        lesson: what it has learned from.
        texts: those that it has not.
        seed: of the word scores.

    Returns:
        float `[texts, num_outputs]`; `None` where there are no word scores.
    """
    if model.word_scores is None:
        return None
    learn_word_scores(model, lesson.texts, lesson.targets, seed=seed)
    return word_outputs(model, texts)
