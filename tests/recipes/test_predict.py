"""recipes.predict on a real pipe: one process does what all of these tests look at."""

import os
import select
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest

from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.text import WordTokenizer

REPOSITORY = Path(__file__).parents[2]
PLAIN_LOCALE = {
    "LC_ALL": "C",
    "PYTHONIOENCODING": "ascii:strict",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
}
SECONDS = 120


class Answers:
    """Lines of a process, read with a time limit."""

    def __init__(self, file):
        self.file = file
        self.rest = b""

    def next(self):
        end = time.monotonic() + SECONDS
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.file], [], [], left)[0]:
                pytest.fail(f"no answer in {SECONDS} seconds")
            data = os.read(self.file.fileno(), 65536)
            if not data:
                pytest.fail("the process has ended")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode("utf-8").split("\t")


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    keras.utils.set_random_seed(1)
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "good", "bad"])
    model = SiATLClassifier(
        LSTMBackbone(6, 6, hidden_dim=8, num_layers=1),
        label_names=["gut", "übel\tschlecht"],
        preprocessor=SiATLPreprocessor(tokenizer, 8),
        units=4,
    )
    path = tmp_path_factory.mktemp("preset") / "model"
    model.save_to_preset(str(path))
    return path


@pytest.fixture(scope="module")
def seen(preset):
    """What a process answered to lines that came in turns, and how it ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "recipes.predict", f"--model={preset}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, **PLAIN_LOCALE},
        bufsize=0,
    )
    answers, seen = Answers(process.stdout), {}
    seen["header"] = answers.next()
    process.stdin.write("good \N{GRINNING FACE}\n\nbad\n".encode())
    seen["three"] = [answers.next() for _ in range(3)]
    process.stdin.write(b"caf\xe9\n\xe2\x80\xa8\n  \n")
    seen["more"] = [answers.next() for _ in range(3)]
    seen["unasked"] = answers.rest
    process.stdout.close()
    try:
        while process.poll() is None:
            process.stdin.write(b"good\n")
            time.sleep(0.05)
    except BrokenPipeError:
        pass
    seen["errors"] = process.stderr.read().decode()
    seen["code"] = process.wait(SECONDS)
    process.stdin.close()
    process.stderr.close()
    return seen


def test_three_lines_are_answered_before_the_fourth_comes(seen):
    assert seen["header"] == ["text", "label", "gut", "übel schlecht"]
    assert [row[0] for row in seen["three"]] == ["good \N{GRINNING FACE}", "", "bad"]
    for row in seen["three"]:
        assert row[1] in seen["header"][2:]
        assert sum(map(float, row[2:])) == pytest.approx(1, abs=1e-4)


def test_each_line_has_one_answer_be_it_bad_or_blank(seen):
    assert [row[0] for row in seen["more"]] == ["caf\ufffd", "", ""]
    assert seen["unasked"] == b""


def test_a_line_with_a_bad_byte_is_named(seen):
    assert seen["errors"].startswith("standard input, line 4: not UTF-8 (byte 4 is")


def test_a_closed_pipe_ends_it_without_a_word(seen):
    assert seen["errors"].count("\n") == 1
    assert "Traceback" not in seen["errors"] and "Error" not in seen["errors"]
    assert seen["code"] != 1
