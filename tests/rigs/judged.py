"""A model that answers at random, judged on labelled texts, for what shows a run."""

import numpy as np

from siatl_keras.data import Examples
from siatl_keras.inputs import Column
from siatl_keras.runs import Evaluation
from siatl_keras.runs.data_report import data_report
from siatl_keras.tasks import TASKS


def judged(kind, texts, labels, path, lm, scale=1.0):
    """`(evaluation, data report)` of texts, their labels, and a task of that kind."""
    examples = Examples(texts, labels, list(range(2, 2 + len(texts))), path)
    task = TASKS[kind].from_labels(Column.of_file(examples))
    targets = task.encode(Column.of_file(examples))
    outputs = np.random.default_rng(0).normal(size=(len(texts), task.num_outputs))
    evaluation = Evaluation.of(task, examples, targets, scale * outputs)
    return evaluation, data_report({"train": examples}, task, lm)
