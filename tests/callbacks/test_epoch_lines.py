"""What one reads while a model trains: lines, bars, and no more columns than 100."""

import io
import re
import sys

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigs.terminal import Terminal
from rigs.tiny_classifier import tiny_classifier, tiny_texts
from siatl_keras.callbacks import (
    BestWeights,
    EpochLines,
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    epoch_lines,
    in_order,
    stages,
)
from siatl_keras.callbacks.epoch_lines import COLUMNS
from siatl_keras.models import LSTMCausalLM, LSTMCausalLMPreprocessor

TEXTS, LABELS = tiny_texts(16)
LINE = re.compile(
    r"epoch (\d)/3  stage (\d)  task [\d.]+ → val [\d.]+  F1 0\.\d{3}  ppl [\d.,]+  "
    r"γ 0\.\d\d  [\d.]+ m?s  (best )?\(patience (\d)/1\)"
)


def fit(verbose, callbacks=(), **how):
    model = tiny_classifier()
    model.compile("sgd")
    return model.fit(
        TEXTS,
        LABELS,
        4,
        epochs=3,
        validation_data=(TEXTS, LABELS),
        callbacks=[
            *callbacks,
            GammaDecay(0.2, 0.1, 3),
            SequentialUnfreezing(stages(2, None)),
            GroupLearningRates(),
            BestWeights("val_task_loss", patience=1),
        ],
        verbose=verbose,
        **how,
    )


def epochs_of(printed):
    return [line for line in printed.splitlines() if line.startswith("epoch")]


def test_an_epoch_is_one_line_with_what_one_decides_by(capsys):
    history = fit(1).history
    lines = epochs_of(capsys.readouterr().out)
    found = [LINE.fullmatch(line) for line in lines]
    assert all(found) and len(found) == len(history["loss"]), lines
    assert [match[2] for match in found] == ["1", "2", "2"][: len(found)]
    waited = [int(match[4]) for match in found]
    assert [bool(match[3]) for match in found] == [wait == 0 for wait in waited]
    assert f"F1 {history['val_macro_f1'][0]:.3f}" in lines[0]
    assert f"→ val {history['val_task_loss'][0]:.2f}" in lines[0]


def test_all_figures_stand_below_but_rates_of_what_is_frozen(capsys):
    history = fit(2).history
    first, second = capsys.readouterr().out.split("epoch ")[1:3]
    figures = dict(re.findall(r"  (\S+) (\S+)", first.partition("\n")[2]))
    assert float(figures["val_accuracy"]) == pytest.approx(
        history["val_accuracy"][0], 1e-4
    )
    assert "learning_rate/task" in figures
    assert "learning_rate/backbone" not in figures
    assert "learning_rate/backbone" in second
    assert "learning_rate/embedding" not in second


def test_silence_and_keras_s_own_bar_are_to_be_had(capsys):
    fit(0)
    assert capsys.readouterr().out == ""
    fit(1, [keras.callbacks.ProgbarLogger()])
    printed = capsys.readouterr().out
    assert "Epoch 1/3" in printed and not epochs_of(printed)


def test_a_language_model_has_its_loss_and_perplexity(capsys):
    tiny = tiny_classifier()
    preprocessor = LSTMCausalLMPreprocessor(tiny.preprocessor.tokenizer, 12)
    lm = LSTMCausalLM(tiny.backbone, preprocessor)
    lm.compile("sgd")
    lm.fit(TEXTS, batch_size=4, epochs=1, validation_data=TEXTS, verbose=2)
    line = epochs_of(capsys.readouterr().out)[0]
    pattern = r"epoch 1/1  loss [\d.]+ → val [\d.]+  ppl [\d.,]+  [\d.]+ m?s"
    assert re.fullmatch(pattern, line)


def test_any_keras_model_has_such_lines(capsys):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], jit_compile=False)
    model.fit(np.ones((4, 2)), np.ones((4, 1)), callbacks=in_order(None, 1))
    line = epochs_of(capsys.readouterr().out)[0]
    assert re.fullmatch(r"epoch 1/1  loss [\d.]+  MAE \d\.\d{3}  [\d.]+ m?s", line)


def test_a_terminal_sees_the_steps_and_a_file_does_not(monkeypatch):
    monkeypatch.setattr("siatl_keras.callbacks.progress_line.SECONDS_BETWEEN", 0)
    monkeypatch.setattr(sys, "stdout", Terminal())
    fit(1)
    printed = sys.stdout.getvalue()
    assert re.search(r"\repoch 1/3  \[#+-+\]  1/4  [\d.]+ s left", printed)
    assert "\repoch 1/3  validation" in printed
    assert all(map(LINE.fullmatch, printed.split("\r")[-1].splitlines()))
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    fit(1)
    assert "\r" not in sys.stdout.getvalue()


def test_long_epochs_say_how_long_they_take_once_for_each_stage(monkeypatch, capsys):
    monkeypatch.setattr(epoch_lines, "LONG", 0)
    monkeypatch.setattr(epoch_lines, "WARM_UP", 1)
    monkeypatch.setattr(epoch_lines, "TIMED", 2)
    fit(2)
    printed = re.sub(r"\d+\.\d s", "1.0 s", capsys.readouterr().out)
    lines = [
        li[:8] for li in printed.splitlines() if li.startswith(("epoch", "(about"))
    ]
    assert lines[:4] == ["(about 1", "epoch 1/", "(about 1", "epoch 2/"]


class Shown(EpochLines):
    """Makes a line of given figures."""

    def line(self, epoch, epochs, logs, seconds, waited):
        self.epochs = epochs
        self._stopping = keras.callbacks.EarlyStopping(patience=999)
        self._stopping.wait = waited
        self.set_model(tiny_classifier())
        return self._epoch_line(epoch, logs, seconds)


@given(
    st.integers(0, 9999),
    st.floats(width=32),
    st.floats(0, 1e7),
    st.integers(0, 999),
)
def test_no_line_is_longer_than_100_columns(epoch, figure, seconds, waited):
    names = ("task_loss", "val_task_loss", "val_macro_f1", "val_perplexity", "gamma")
    logs = {**dict.fromkeys(names, figure), "stage": 31.0}
    line = Shown().line(epoch, 10_000, logs, seconds, waited)
    assert len(line) <= COLUMNS
    assert f"epoch {epoch + 1}/10000" in line and f"(patience {waited}/999)" in line
