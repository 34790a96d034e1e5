"""What is wrong with data stops a run, what is doubtful is said, neither is missed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.data import Examples
from siatl_keras.inputs import Column
from siatl_keras.runs import FinetuneConfig
from siatl_keras.runs.data_report import data_report, language_of
from siatl_keras.runs.run_data import RunData
from siatl_keras.tasks import TASKS

LSTM = "tweets_lstm_small_en"
WORDS = ["this", "phone", "sounds", "really", "very", "good", "and", "cheap"]


def texts_of(number, start=0):
    """Different texts, in English."""
    return [
        f"the phone number {start + row} is {WORDS[row % 8]} and I like it"
        for row in range(number)
    ]


def examples(texts, labels, path="train.csv"):
    return Examples(texts, labels, list(range(2, 2 + len(texts))), path)


def report(parts, kind="single_label", lm=LSTM):
    parts = {name: examples(*part, path=f"{name}.csv") for name, part in parts.items()}
    task = TASKS[kind].from_labels(Column.of_file(parts["train"]))
    return data_report(parts, task, lm)


GOOD = {"train": (texts_of(40), ["a", "b"] * 20)}


def test_good_data_has_figures_and_no_doubts():
    found = report({**GOOD, "test": (texts_of(10, 90), ["a", "b"] * 5)})
    assert found.doubts == ()
    assert found.language == "en"
    assert found.to_text().splitlines() == [
        "train: 40 texts of 10 to 10 words, half of them up to 10 (train.csv)",
        "  a 20 (50%), b 20 (50%)",
        "test: 10 texts of 10 to 10 words, half of them up to 10 (test.csv)",
        "  a 5 (50%), b 5 (50%)",
        "language: en",
    ]
    assert found.to_dict()["parts"][0]["labels"] == {"a": 20, "b": 20}


def doubt(parts, **how):
    (found,) = report(parts, **how).doubts
    return found


def test_a_text_that_occurs_again_is_named():
    texts, labels = texts_of(40), ["a", "b"] * 20
    texts[7], texts[11] = f"  {texts[3].upper()}", texts[3]
    found = doubt({"train": (texts, labels)})
    assert found.startswith(
        "2 texts of train.csv not for the first time, with the same label: lines 9, 13."
    )
    labels[7] = "a"
    found = doubt({"train": (texts, labels)})
    assert found == ("3 texts of train.csv also with another label: lines 5, 9, 13")


@pytest.mark.parametrize("name", ["validation", "test"])
def test_a_text_to_judge_by_is_not_to_be_among_those_for_training(name):
    texts = [*texts_of(9, 90), texts_of(40)[5].title()]
    found = doubt({**GOOD, name: (texts, ["a", "b"] * 5)})
    assert found.startswith(f"1 text of {name}.csv also in the training file: l")
    assert "line 11." in found


def test_rare_labels_and_those_that_nobody_is_asked_are_named():
    labels = ["a"] * 36 + ["b"] * 4
    assert doubt({"train": (texts_of(40), labels)}) == (
        "labels of fewer than 5 training texts: b 4"
    )
    labels = ["a"] * 60 + ["b"] * 5
    assert doubt({"train": (texts_of(65), labels)}) == (
        "a has 60 texts and b 5; --class_weight=balanced may help the rare ones"
    )
    found = doubt({**GOOD, "test": (texts_of(9, 90), ["a"] * 9)})
    assert found == "test.csv has no text of b, whose F1 will count as 0"


GERMAN = "Das Telefon Nummer {} ist wirklich gut, aber der Akku hält nicht lange."


def test_another_language_than_the_model_s_is_named():
    texts = [GERMAN.format(number) for number in range(40)]
    parts = {"train": (texts, ["a", "b"] * 20)}
    assert "another language (de) than that of tweets_lstm" in doubt(parts)
    assert report(parts, lm="runs/german_lm").doubts == ()
    assert language_of([]) == language_of(["short"]) == ""


@pytest.mark.parametrize(
    ("kind", "labels", "counts"),
    [
        ("multi_label", ["a,b", "b", "", "a"] * 10, {"a": 20, "b": 20}),
        ("ordinal", ["1", "2"] * 20, {"1": 20, "2": 20}),
        ("regression", ["1.5", "2"] * 20, {}),
    ],
)
def test_every_task_has_a_report(kind, labels, counts):
    found = report({"train": (texts_of(40), labels)}, kind)
    assert found.parts[0].labels == counts and found.doubts == ()
    pairs = [(text, "and another") for text in texts_of(40)]
    assert report({"train": (pairs, labels)}, kind).parts[0].words == (13, 13, 13)


@given(
    st.lists(
        st.tuples(st.text(max_size=12), st.sampled_from(["a", "b", "c"])),
        min_size=3,
        max_size=30,
    )
)
def test_any_texts_have_a_report(rows):
    texts, labels = zip(*[*rows, ("x", "a"), ("y", "b")], strict=True)
    found = report({"train": (list(texts), list(labels))})
    assert sum(found.parts[0].labels.values()) == len(texts)
    assert found.to_text().startswith("train: ")


# === As a run reads it ===

BAD = (
    "text,label\n"
    + "".join(f"{text},{'ab'[row % 2]}\n" for row, text in enumerate(texts_of(20)))
    + "no label,\n   ,a\nodd,a,b\n"
)


def config(tmp_path, **settings):
    (tmp_path / "train.csv").write_text(BAD, "utf-8")
    test = "text,label\nfine,a\nunheard of,z\n\u200b,b\n"
    (tmp_path / "test.csv").write_text(test, "utf-8")
    return FinetuneConfig(
        train=str(tmp_path / "train.csv"),
        test=str(tmp_path / "test.csv"),
        output=str(tmp_path / "run"),
        **settings,
    )


def test_a_run_stops_with_all_that_is_wrong_in_its_files(tmp_path):
    with pytest.raises(ValueError) as caught:
        RunData.read(config(tmp_path))
    lines = str(caught.value).splitlines()
    assert [line.partition("csv, ")[2][:8] for line in lines] == [
        "line 4: ",
        "line 22:",
        "line 23:",
        "line 24:",
    ]
    assert lines[-1].endswith("pass `drop_bad_rows` to go on without them.")


def test_labels_that_training_has_not_are_wrong_too(tmp_path):
    given = config(tmp_path)
    (tmp_path / "train.csv").write_text(BAD[: BAD.index("no label")], "utf-8")
    (tmp_path / "test.csv").write_text("text,label\nfine,a\nunheard of,z\n", "utf-8")
    with pytest.raises(ValueError, match=r"test.csv, line 3: .*'z'.*drop_bad_rows"):
        RunData.read(given)


def test_it_goes_on_without_them_if_it_is_told_to(tmp_path):
    data = RunData.read(config(tmp_path, drop_bad_rows=True))
    assert len(data.train.texts) + len(data.held_out.texts) == 20
    assert data.test.texts == ["fine"]
    assert sorted((error.path[-9:], error.line) for error in data.dropped.errors) == [
        ("/test.csv", 3),
        ("/test.csv", 4),
        ("train.csv", 22),
        ("train.csv", 23),
        ("train.csv", 24),
    ]
    assert data.report.parts[0].texts == 20


def test_a_file_of_bad_rows_alone_is_no_empty_file(tmp_path):
    given = config(tmp_path, drop_bad_rows=True)
    (tmp_path / "test.csv").write_text("text,label\n ,a\n,b\n", "utf-8")
    with pytest.raises(ValueError, match="lines 2, 3: the text is empty"):
        RunData.read(given)
