"""What is learned: the kinds of task, from labels to answers."""

from siatl_keras.tasks.chosen_task import chosen_task
from siatl_keras.tasks.class_weights import class_weights
from siatl_keras.tasks.label_names import LabelNames
from siatl_keras.tasks.multi_label import MultiLabel
from siatl_keras.tasks.ordinal import Ordinal
from siatl_keras.tasks.regression import Regression
from siatl_keras.tasks.single_label import SingleLabel
from siatl_keras.tasks.task import Task

# By what `--task` calls them.
TASKS = {task.kind: task for task in (SingleLabel, MultiLabel, Ordinal, Regression)}

__all__ = [
    "TASKS",
    "LabelNames",
    "MultiLabel",
    "Ordinal",
    "Regression",
    "SingleLabel",
    "Task",
    "chosen_task",
    "class_weights",
]
