"""`distill`: a small model that learns what a large one answers.

Source: Hinton et al. 2015, "Distilling the knowledge in a neural network"; Tang et al.
2019, "Distilling task-specific knowledge from BERT into simple neural networks", for
texts without labels and with words left out. The auxiliary LM loss stays (Chronopoulou
et al. 2019).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from siatl_keras.atomic import new_file
from siatl_keras.data import read_texts
from siatl_keras.inputs import Column, LabelledTexts
from siatl_keras.models import SiATLClassifier, vocabulary_size
from siatl_keras.runs.distill_config import DistillConfig
from siatl_keras.runs.finetune import train_and_test, with_language_model
from siatl_keras.runs.masked_copies import masked_copies
from siatl_keras.runs.pair_column import check_pair_column
from siatl_keras.runs.run_data import RunData
from siatl_keras.runs.worker_output import worker_output
from siatl_keras.tasks import Task

# Texts answered between two files of answers.
TEXTS_PER_PART = 1024


def distill(
    config: DistillConfig,
    strategy: tf.distribute.Strategy | None = None,
    verbose: int = 1,
) -> tuple[SiATLClassifier, dict[str, Any]]:
    """Trains a classifier on a teacher's probabilities, and tests it.

    The teacher answers the training texts, copies of them with words left out, and the
    texts without labels, but for those that the figures are measured on. The new model
    learns these answers as soft labels, and is otherwise trained, calibrated, tested
    and saved as `finetune` does; the best epoch is the one that is nearest to the
    teacher's answers to the held-out texts, of which few labels would say less. A run
    that was killed resumes where it was.

    Args:
        config: what to do.
        strategy: `tf.distribute.Strategy`; the default one if not given.
        verbose: as for `keras.Model.fit`.

    Returns:
        `(model, metrics)`, as `finetune` returns them; `metrics` has `taught_texts`,
        the number of texts that the teacher answered.

    Raises:
        ValueError: as `finetune`; if the teacher's labels are not those of the training
            texts, or it takes pairs and they are single texts, or the opposite.
        TrainingDivergedError: if no epoch had a finite loss; nothing is saved then.
    """
    config = with_language_model(config)
    with worker_output(config, strategy, verbose) as (config, verbose):
        data = RunData.read(config)
        lesson, validation = _taught(config, data, verbose)
        data = replace(data, lesson=lesson, validation=validation)
        config = config.with_defaults(len(lesson), vocabulary_size(config.lm))
        return train_and_test(config, data, strategy, verbose, taught_texts=len(lesson))


def _taught(
    config: DistillConfig, data: RunData, verbose: int
) -> tuple[LabelledTexts, LabelledTexts]:
    """Lets the teacher answer; returns what is learned, and the held-out texts."""
    teacher = SiATLClassifier.from_preset(config.teacher)
    check_pair_column(teacher, config.pair_column, config.teacher)
    _check_same_answers(teacher.task, data.task, config)
    texts = [
        *data.train.texts,
        *masked_copies(data.train.texts, config.seed),
        *_unlabelled(config, data),
        *data.held_out.texts,
    ]
    folder = Path(config.output) / "backup" / "answers"
    answers = list(_answers(teacher, texts, folder, verbose))
    targets = data.task.encode(Column(np.concatenate(answers), "teacher"))
    end = len(texts) - len(data.held_out.texts)
    return (
        LabelledTexts(texts[:end], targets[:end], None),
        LabelledTexts(texts[end:], targets[end:], None),
    )


def _check_same_answers(teacher: Task, task: Task, config: DistillConfig) -> None:
    if (teacher.kind, teacher.label_names) != (task.kind, task.label_names):
        raise ValueError(
            f"`teacher` {config.teacher} answers with {teacher.kind} of "
            f"{teacher.label_names[:8]}, and {config.train} has {task.kind} of "
            f"{task.label_names[:8]}. Pass the texts that it was trained on, and their "
            "`task` and `levels`."
        )


def _unlabelled(config: DistillConfig, data: RunData) -> list[Any]:
    """Reads the texts without labels, each once, and none that has another use."""
    used = [data.train, data.held_out, *([data.test] if data.test else [])]
    known = {text for examples in used for text in examples.texts}
    found = read_texts(
        config.texts,
        config.text_column,
        pair_column=config.pair_column,
        encoding=config.encoding,
    )
    return [text for text in dict.fromkeys(found) if text not in known]


def _answers(
    teacher: SiATLClassifier, texts: list[Any], folder: Path, verbose: int
) -> Iterator[np.ndarray]:
    """Yields the teacher's answers in parts, each kept for a run that is resumed."""
    for start in range(0, len(texts), TEXTS_PER_PART):
        path = folder / f"{start}.npy"
        if not path.exists():
            part = texts[start : start + TEXTS_PER_PART]
            with new_file(path) as temporary:
                np.save(temporary, _answer(teacher, part))
        if verbose:
            done = min(start + TEXTS_PER_PART, len(texts))
            print(f"The teacher has answered {done} of {len(texts)} texts", flush=True)
        yield np.load(path)


def _answer(teacher: SiATLClassifier, texts: list[Any]) -> np.ndarray:
    """Returns probabilities, or the numbers of a regression."""
    if teacher.label_names:
        return teacher.predict_proba(texts, verbose=0)
    return np.array(teacher.predict_labels(texts, verbose=0))
