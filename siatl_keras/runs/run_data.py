"""`RunData`: the labelled texts of a run, its validation texts among them."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from siatl_keras.atomic import write_text
from siatl_keras.data import Examples, read_examples
from siatl_keras.inputs import Column, LabelledTexts, validation_split
from siatl_keras.runs.finetune_config import FinetuneConfig
from siatl_keras.tasks import MultiLabel, Task


@dataclass(frozen=True)
class RunData:
    """The labelled texts of a run, all labels known.

    Attributes:
        train: those for training.
        held_out: those that are held out of it.
        test: those of the report, or `None`.
        task: what is learned.
        lesson: what the model learns from: `train`, unless somebody teaches.
        validation: what early stopping goes by: `held_out`, unless somebody teaches.
    """

    train: Examples
    held_out: Examples
    test: Examples | None
    task: Task
    lesson: LabelledTexts
    validation: LabelledTexts

    @classmethod
    def read(cls, config: FinetuneConfig) -> RunData:
        """Reads the files of a run; holds texts out where none are given for it.

        Args:
            config: the run's.

        Raises:
            ValueError: if a file cannot be read, a label is not one of the training
                file's, or there are too few texts to hold any out.
        """
        columns = (config.text_column, config.label_column, config.pair_column)
        read = functools.partial(
            read_examples, empty_labels=config.task == MultiLabel.kind
        )
        train = read(config.train, *columns)
        given = read(config.validation, *columns) if config.validation else None
        test = read(config.test, *columns) if config.test else None
        task = config.make_task(Column.of_file(train))
        for examples in (train, given, test):
            if examples:
                # Raises now rather than after the training.
                task.encode(Column.of_file(examples))
        parts = (train, given) if given else _held_out(train, task, config)
        encoded = (
            LabelledTexts(part.texts, task.encode(Column.of_file(part)), None)
            for part in parts
        )
        return cls(*parts, test, task, *encoded)

    def targets(self, examples: Examples) -> np.ndarray:
        """Encodes the labels of texts of the run."""
        return self.task.encode(Column.of_file(examples))

    def as_files(self, config: FinetuneConfig, folder: Path) -> FinetuneConfig:
        """Names files of the two parts of the training texts, made where need be.

        Args:
            config: the run's.
            folder: for the files.

        Returns:
            the configuration, with a file for validation.
        """
        if config.validation:
            return config
        folder.mkdir(parents=True, exist_ok=True)
        for name, examples in (("train", self.train), ("held_out", self.held_out)):
            lines = [json.dumps({"text": text}) + "\n" for text in examples.texts]
            write_text(folder / f"{name}.jsonl", "".join(lines))
        return replace(
            config,
            train=str(folder / "train.jsonl"),
            validation=str(folder / "held_out.jsonl"),
            text_column="text",
        )


def _held_out(
    train: Examples, task: Task, config: FinetuneConfig
) -> tuple[Examples, Examples]:
    """Holds out texts, drawn at random from each class in the classes' proportions."""
    order = np.random.default_rng(config.seed).permutation(len(train.texts))
    strata = task.strata(task.encode(Column.of_file(train)))[order]
    try:
        kept, held_out = validation_split(
            strata, config.validation_share, stratified=True
        )
    except ValueError as error:
        raise ValueError(
            f"{config.train}: none of the {len(train.texts)} training texts can be "
            "held out for early stopping, with one left of each class. Pass other "
            "texts as `validation`."
        ) from error
    return _rows(train, np.sort(order[kept])), _rows(train, np.sort(order[held_out]))


def _rows(examples: Examples, rows: np.ndarray) -> Examples:
    return Examples(
        [examples.texts[row] for row in rows],
        [examples.labels[row] for row in rows],
        [examples.lines[row] for row in rows],
        examples.path,
    )
