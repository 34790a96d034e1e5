"""Runs on the HParams page of TensorBoard, asked over HTTP as a browser asks it."""

import json
import urllib.request
from dataclasses import replace

import pytest
import tensorflow as tf
from tensorboard.program import TensorBoard

from rigs.board import board
from rigs.judged import judged
from siatl_keras.runs import FinetuneConfig
from siatl_keras.runs.tensorboard_summary import summarize_for_tensorboard

RATES = [0.5, 0.25]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for number, rate in enumerate(RATES):
        run = folder / f"run-{number}"
        run.mkdir()
        texts = [f"text {row}" for row in range(20)]
        evaluation, _ = judged(
            "single_label", texts, ["good", "bad"] * 10, "a.csv", "lm", scale=number
        )
        evaluation.write(run)
        config = FinetuneConfig(
            train="a.csv", output=str(run), lm="lm", pretrained_learning_rate=rate
        )
        summarize_for_tensorboard(run, replace(config, seed=number), evaluation, "test")
    return folder


def test_the_hparams_page_has_a_row_for_each_run_with_settings_and_result(runs):
    server = TensorBoard()
    server.configure(logdir=str(runs), port=0, load_fast="false", reload_interval=1)
    asked = {
        "experimentName": "",
        "allowedStatuses": ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_RUNNING"],
        "colParams": [],
        "startIndex": 0,
        "sliceSize": 10,
    }
    request = urllib.request.Request(
        server.launch() + "data/plugin/hparams/session_groups",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json"},
    )
    rows = []
    while len(rows) < len(RATES):  # It reads in the background.
        with urllib.request.urlopen(request, timeout=60) as answer:
            rows = json.load(answer).get("sessionGroups", [])
    rates = {row["hparams"]["pretrained_learning_rate"] for row in rows}
    assert rates == set(RATES)
    assert {row["hparams"]["lm"] for row in rows} == {"lm"}
    for row in rows:
        assert not {"output", "train"} & set(row["hparams"])


def test_the_result_and_the_confusion_matrix_are_there(runs):
    shown = board(runs / "run-0" / "tensorboard")
    assert 0 <= shown["4 result/test macro_f1"][0] <= 1
    width, height, png = shown["4 result/confusion"][0][:3]
    picture = tf.io.decode_png(png)
    assert picture.shape[:2] == (int(height), int(width))
    written = tf.io.decode_png((runs / "run-0" / "confusion.png").read_bytes())
    assert (picture.numpy()[..., :3] == written.numpy()[..., :3]).all()
