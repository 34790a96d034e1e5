"""What an evaluation writes, of a model that believes some labels more than others."""

import numpy as np
import pandas

from siatl_keras.data import Examples
from siatl_keras.runs import Evaluation
from siatl_keras.tasks import SingleLabel

LABELS = ["good", "bad"] * 100
LOGITS = np.array([[-3.0, 3.0], [3.0, -3.0]] * 100)  # Classes in the order bad, good.


def evaluation(wrong):
    labels = ["bad" if row in wrong else label for row, label in enumerate(LABELS)]
    texts = [f"text {row}\tof\nmany" for row in range(200)]
    task = SingleLabel.from_labels(LABELS)
    examples = Examples(texts, labels, list(range(2, 202)), "a.tsv")
    targets = np.array([task.label_names.index(label) for label in labels])
    return Evaluation.of(task, examples, targets, LOGITS)


def test_mistakes_and_doubtful_labels_are_shown_and_written(tmp_path):
    found = evaluation(wrong={10, 20, 30})
    found.write(tmp_path)
    text = (tmp_path / "report.txt").read_text("utf-8")
    assert text == found.to_text()
    assert "surest wrong answers:\n 1.00  good (true: bad)  text 10 of many\n" in text
    assert "labels worth a second look, of 3:\nline 12:  1.00  good (true: bad)" in text
    table = pandas.read_csv(tmp_path / "doubtful_labels.tsv", sep="\t")
    assert table["line"].tolist() == [12, 22, 32]
    assert table["predicted_label"].tolist() == ["good"] * 3
    assert table["text"].tolist() == [f"text {n} of many" for n in (10, 20, 30)]
    for name in ("confusion.png", "reliability.png", "predictions.tsv"):
        assert (tmp_path / name).stat().st_size > 100


def test_where_all_is_right_there_is_nothing_of_the_kind(tmp_path):
    found = evaluation(wrong=set())
    found.write(tmp_path)
    assert "wrong" not in found.to_text()
    table = (tmp_path / "doubtful_labels.tsv").read_text("utf-8")
    assert table == "line\tlabel\tpredicted_label\tprobability\ttext\n"
    figures = found.figures("held_out")
    assert figures["measures"] == ["macro_f1", "accuracy"]
    assert figures["held_out"]["macro_f1"] == 1.0
    assert figures["held_out"]["interval"] == {
        "measure": "macro_f1",
        "low": 1.0,
        "high": 1.0,
    }
