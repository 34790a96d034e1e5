"""The page of a run, as a browser shows it: whole at any width, and nothing foreign."""

import dataclasses
import re

import pytest

from rigs.browser import seen
from rigs.judged import judged
from siatl_keras.evaluation import AttentionMap
from siatl_keras.runs import FinetuneConfig
from siatl_keras.runs.html_report import html_report

HOSTILE = "<script>console.error('ran')</script><img src=x onerror=alert(1)>\u202e\x00"
LONG = "averyverylongword" * 30
HISTORY = [
    {
        "epoch": epoch,
        "stage": min(epoch, 3),
        "gamma": 0.2 / epoch,
        "task_loss": 1.0 / epoch,
        "val_task_loss": 1.2 / epoch,
        "val_lm_loss": 5.0,
        "macro_f1": 0.2 * epoch,
        "val_macro_f1": 0.1 * epoch,
    }
    for epoch in range(1, 5)
]
METRICS = {
    "history": HISTORY,
    "best_epoch": 3,
    "counted_words": {
        "measure": "macro_f1",
        "texts": "held_out",
        "model": 0.7,
        "words": 0.8,
    },
    "next_steps": ["--epochs=8: the last epoch was the best one"],
}
CONFIG = FinetuneConfig(train="a.csv", output="runs/reviews", lm="runs/lm")
LABELS = {
    "single_label": ["good", "bad & ugly"],
    "multi_label": ["good", "bad,odd", ""],
    "ordinal": ["1", "2", "3"],
    "regression": ["1.5", "2.5", "4"],
}


def page_of(kind="single_label", labels=None, **changes):
    """The page, and the evaluation it shows."""
    labels = (labels or LABELS[kind]) * 40
    texts = [f"{HOSTILE} text {row} {LONG}" for row in range(len(labels))]
    evaluation, data = judged(kind, texts, labels, "a.csv", "runs/lm", scale=3)
    metrics = {**METRICS, **changes.pop("metrics", {})}
    config = dataclasses.replace(CONFIG, task=kind)
    return html_report(config, data, evaluation, metrics, **changes), evaluation


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    attention = [
        AttentionMap(
            "", "good", None, ["<s>", f"{HOSTILE}{row}", LONG], [0.2, 0.7, 0.1]
        )
        for row in range(10)
    ]
    page, _ = page_of(attention=attention)
    folder = tmp_path_factory.mktemp("page")
    return page, {width: seen(page, width, folder) for width in (360, 1280)}


@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_shows_it_without_errors_and_without_scrolling_sideways(shown, width):
    _, by_width = shown
    found = by_width[width]
    assert found["console"] == []
    assert found["width"] == found["scrolls"] == width
    assert found["wide"] == []
    assert found["pictures"] == 3


def test_what_one_wants_to_know_of_a_run_is_on_it(shown):
    text = shown[1][1280]["text"]
    for what in (
        "95 % interval) on 80 held-out texts",
        "counting words (--method=bow): 0.800. The plain model is the better one",
        "--epochs=8: the last epoch was the best one",
        "Epoch 3 of 4 was the best and is kept",
        "bad & ugly",
        "Surest wrong answers",
        "least confidence",
        "Versions",
    ):
        assert what in text, what
    assert re.search(r"macro F1 0\.\d{3} \(0\.\d{3} to 0\.\d{3}", text)
    assert "warning" not in text and "not for the first time" not in text


def test_foreign_text_is_text_and_the_page_loads_nothing(shown):
    page, by_width = shown
    assert "<script" not in page and "<img" not in page and "<image" not in page
    assert not re.search("[\x00\u202e]", page)
    assert "default-src 'none'" in page
    assert "console.error('ran')" in by_width[1280]["text"]


def test_names_in_pictures_do_not_clash():
    page, _ = page_of()
    pictures = [set(re.findall(r"#([mp]\w{9,})", svg)) for svg in page.split("<svg")]
    of_one = [name for names in pictures for name in names]
    assert len(of_one) == len(set(of_one)) > 3


@pytest.mark.parametrize("kind", LABELS)
def test_every_task_has_a_page(kind, tmp_path):
    page, evaluation = page_of(kind)
    found = seen(page, 360, tmp_path)
    assert found["console"] == [] and found["scrolls"] == 360
    main = next(iter(evaluation.report.measures.values()))
    assert f"{main:.3f} (" in found["text"]


def test_many_classes_and_no_training_fit_too(tmp_path):
    labels = [f"intent number {number}" for number in range(60)]
    metrics = {"history": [], "next_steps": [], "test": {}}
    page, _ = page_of(labels=labels, metrics=metrics)
    found = seen(page, 360, tmp_path)
    assert found["scrolls"] == 360 and found["wide"] == []
    assert "Training" not in found["text"] and "on 2,400 test texts" in found["text"]
    assert "To try next" not in found["text"]
