"""`RunData`: the labelled texts of a run, its validation texts among them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from siatl_keras.atomic import write_text
from siatl_keras.data import BadRows, Examples, RowError, read_examples
from siatl_keras.data.visible_form import visible_form
from siatl_keras.inputs import Column, LabelledTexts, validation_split
from siatl_keras.runs.data_report import DataReport, data_report
from siatl_keras.runs.finetune_config import FinetuneConfig
from siatl_keras.tasks import MultiLabel, Task


@dataclass(frozen=True)
class RunData:
    """The labelled texts of a run, all labels known.

    Attributes:
        train: those for training.
        held_out: those that are held out of it; with `folds`, all that they hold out,
            fold by fold.
        test: those of the report, or `None`.
        task: what is learned.
        lesson: what the model learns from: `train`, unless somebody teaches.
        validation: what early stopping goes by: `held_out`, unless somebody teaches.
        folds: the parts of `train` in each fold of a cross-validation, without `test`;
            empty without one.
        report: what the texts are; `None` of a part of them.
        dropped: rows that could not be used, and were left out.
    """

    train: Examples
    held_out: Examples
    test: Examples | None
    task: Task
    lesson: LabelledTexts
    validation: LabelledTexts
    folds: tuple[RunData, ...] = ()
    report: DataReport | None = None
    dropped: BadRows = field(default_factory=BadRows)

    @classmethod
    def read(cls, config: FinetuneConfig) -> RunData:
        """Reads the files of a run; holds texts out where none are given for it.

        Args:
            config: the run's.

        Raises:
            ValueError: if a file cannot be read, a label is not one of the training
                file's, or there are too few texts to hold any out.
        """
        bad = BadRows()
        train = _read(config, config.train, bad)
        columns = train.columns
        alike = replace(config, text_column=columns.text, label_column=columns.label)
        given = _read(alike, config.validation, bad) if config.validation else None
        test = _read(alike, config.test, bad) if config.test else None
        if not config.drop_bad_rows:
            bad.refuse()
        task = config.make_task(Column.of_file(train))
        train = _with_known_labels(train, task, bad)
        given, test = (
            part and _with_known_labels(part, task, bad) for part in (given, test)
        )
        if not config.drop_bad_rows:
            bad.refuse()
        data = cls._split(config, train, given, test, task)
        files = {"train": train, "validation": given, "test": test}
        report = data_report(
            {name: part for name, part in files.items() if part}, task, config.lm
        )
        return replace(data, report=report, dropped=bad)

    @classmethod
    def _split(
        cls,
        config: FinetuneConfig,
        train: Examples,
        given: Examples | None,
        test: Examples | None,
        task: Task,
    ) -> RunData:
        """Holds texts out, once or in folds, unless some are given for it."""
        if given:
            return cls._of(train, given, test, task)
        order, strata = _shuffled_strata(train, task, config.seed)
        if config.folds:
            rows = [order[fold] for fold in _folds(strata, config)]
            folds = [cls._of(*_parts(train, held_out), None, task) for held_out in rows]
            held_out = train.of_rows(np.concatenate([np.sort(part) for part in rows]))
            whole = cls._of(train, held_out, test, task)
            return replace(whole, folds=tuple(folds))
        held_out = order[_held_out(strata, config)]
        return cls._of(*_parts(train, held_out), test, task)

    @classmethod
    def _of(
        cls, train: Examples, held_out: Examples, test: Examples | None, task: Task
    ) -> RunData:
        lesson, validation = (
            LabelledTexts(part.texts, task.encode(Column.of_file(part)), None)
            for part in (train, held_out)
        )
        return cls(train, held_out, test, task, lesson, validation)

    @property
    def parts(self) -> tuple[RunData, ...]:
        """What is split into texts for training and texts held out, once or more."""
        return self.folds or (self,)

    @property
    def judged(self) -> Examples:
        """The texts that a model is judged by: the test texts, else those held out."""
        return self.test or self.held_out

    @property
    def judged_by(self) -> str:
        """What `judged` is called among the metrics: "test" or "held_out"."""
        return "test" if self.test else "held_out"

    @property
    def chosen_columns(self) -> str:
        """Says which columns hold texts and labels; "" if they are called so."""
        columns = self.train.columns
        if (columns.text, columns.label) == ("text", "label"):
            return ""
        return (
            f"{self.train.path}: texts are in the column {columns.text!r}, labels in "
            f"{columns.label!r} (--text_column and --label_column name others)"
        )

    def targets(self, examples: Examples) -> np.ndarray:
        """Encodes the labels of texts of the run."""
        return self.task.encode(Column.of_file(examples))

    def as_files(self, config: FinetuneConfig, folder: Path) -> FinetuneConfig:
        """Names files of the two parts of the training texts, made where need be.

        With `folds`, these are the parts of the first. Of pairs, both texts are in it.

        Args:
            config: the run's.
            folder: for the files.

        Returns:
            the configuration, with these files.
        """
        folder.mkdir(parents=True, exist_ok=True)
        first = self.parts[0]
        for name, examples in (("train", first.train), ("held_out", first.held_out)):
            lines = [
                json.dumps({"text": text}) + "\n"
                for row in examples.texts
                for text in ((row,) if isinstance(row, str) else row)
            ]
            write_text(folder / f"{name}.jsonl", "".join(lines))
        return replace(
            config,
            train=str(folder / "train.jsonl"),
            validation=str(folder / "held_out.jsonl"),
            folds=None,
            text_column="text",
            pair_column="",
            encoding="utf-8",
        )


def _shuffled_strata(
    train: Examples, task: Task, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Shuffles texts; returns their positions, and the class of each."""
    order = np.random.default_rng(seed).permutation(len(train.texts))
    return order, task.strata(task.encode(Column.of_file(train)))[order]


def _held_out(strata: np.ndarray, config: FinetuneConfig) -> np.ndarray:
    """Holds out a part of each class, in the classes' proportions."""
    try:
        return validation_split(strata, config.validation_share, stratified=True)[1]
    except ValueError as error:
        raise ValueError(
            f"{config.train}: none of the {len(strata)} training texts can be "
            "held out for early stopping, with one left of each class. Pass other "
            "texts as `validation`."
        ) from error


def _folds(strata: np.ndarray, config: FinetuneConfig) -> list[np.ndarray]:
    """Deals the texts of each class out to folds; the only one of a class is kept."""
    classes, counts = np.unique(strata, return_counts=True)
    dealt = np.concatenate(
        [
            np.flatnonzero(strata == label)
            for label, count in zip(classes, counts, strict=True)
            if count > 1
        ]
        or [np.array([], int)]
    )
    folds = config.folds or 1
    if len(dealt) < folds:
        raise ValueError(
            f"{config.train}: {len(dealt)} of the {len(strata)} training texts can be "
            f"held out, with one left of each class, and folds={folds} need one each. "
            "Pass more texts, or fewer `folds`."
        )
    return [dealt[start::folds] for start in range(folds)]


def _parts(train: Examples, held_out: np.ndarray) -> tuple[Examples, Examples]:
    kept = np.setdiff1d(np.arange(len(train.texts)), held_out)
    return train.of_rows(kept), train.of_rows(np.sort(held_out))


def _read(config: FinetuneConfig, path: str, bad: BadRows) -> Examples:
    """Reads a file, but for the rows that cannot be used."""
    try:
        examples = read_examples(
            path,
            config.text_column,
            config.label_column,
            config.pair_column,
            empty_labels=config.task == MultiLabel.kind,
            encoding=config.encoding,
            on_bad_row=bad,
        )
    except ValueError:
        bad.refuse()  # Of a file that has no row but such, this is what is wrong.
        raise
    kept = []
    for row, text in enumerate(examples.texts):
        if all(map(visible_form, (text,) if isinstance(text, str) else text)):
            kept.append(row)
        else:
            line, what = examples.lines[row], "the text is empty"
            bad(RowError(examples.path, line, what, "Remove the row."))
    if not kept:
        bad.refuse()
    return examples.of_rows(kept)


def _with_known_labels(examples: Examples, task: Task, bad: BadRows) -> Examples:
    """Leaves out the texts whose labels are none of the task's."""
    faults: dict[str, str] = {}
    for line, label in zip(examples.lines, examples.labels, strict=True):
        if label not in faults:
            column = Column([label], examples.path, [line])
            faults[label] = _fault(task, column)
    kept = []
    for row, label in enumerate(examples.labels):
        if faults[label]:
            bad(RowError(examples.path, examples.lines[row], faults[label]))
        else:
            kept.append(row)
    if not kept:
        bad.refuse()
    return examples.of_rows(kept)


def _fault(task: Task, column: Column) -> str:
    """Says what is wrong with a label; "" if nothing is."""
    try:
        task.encode(column)
    except ValueError as error:
        return str(error).removeprefix(f"{column.place(0)}: ").rstrip(".")
    return ""
