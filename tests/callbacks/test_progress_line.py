"""The line that is written again and again, on a terminal only."""

import io
import sys

from rigs.terminal import Terminal
from siatl_keras.callbacks import progress_line
from siatl_keras.callbacks.progress_line import ProgressLine


def written(monkeypatch, stream, steps, **how):
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(progress_line, "SECONDS_BETWEEN", 0)
    line = ProgressLine("epoch 1/3", steps, **how)
    for step in range(1, 5):
        line.update(step, "loss 1.2")
    line.write("epoch 1/3  validation")
    line.clear()
    return stream.getvalue()


def test_a_terminal_shows_the_last_state_and_is_left_clean(monkeypatch):
    states = written(monkeypatch, Terminal(), 4).split("\r")
    shown = [state.rstrip() for state in states if state.strip()]
    assert [state.split("  ")[2] for state in shown[:4]] == ["1/4", "2/4", "3/4", "4/4"]
    assert "[######------------------]" in shown[0]
    assert shown[3].endswith("0.0 s left  loss 1.2")
    assert shown[-1] == "epoch 1/3  validation"
    screen = ""
    for state in states:
        screen = state + screen[len(state) :]
        assert screen.rstrip() == state.rstrip()
    assert screen.strip() == "" == states[-1]


def test_without_a_number_of_steps_there_is_no_bar(monkeypatch):
    first = written(monkeypatch, Terminal(), None).split("\r")[1]
    assert first == "epoch 1/3  step 1  loss 1.2"


def test_a_file_or_who_does_not_want_it_gets_nothing(monkeypatch):
    assert written(monkeypatch, io.StringIO(), 4) == ""
    assert written(monkeypatch, Terminal(), 4, shown=False) == ""


def test_a_line_is_never_longer_than_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    ProgressLine("", 1).write("x" * 300)
    assert len(sys.stdout.getvalue()) == 100
