"""Kills runs at each step after their training, and finishes them.

Arguments: a folder to work in, and the kind of run: "siatl", "ulmfit", "folds" or
"pretraining".
Each start of a run is a process of its own, forked from this one before TensorFlow does
anything, so that none waits for imports. Prints the steps, as JSON, in the last line.
"""

import json
import os
import random
import re
import shutil
import signal
import sys
from pathlib import Path

import keras

from siatl_keras.models import LSTMBackbone, LSTMCausalLM, LSTMCausalLMPreprocessor
from siatl_keras.runs import (
    FinetuneConfig,
    PretrainConfig,
    finetune,
    pretrain_language_model,
)
from siatl_keras.text import WordTokenizer

GOOD = ["so glad today", "what a lovely day", "really good flight", "i love this"]
BAD = ["so sad today", "what an awful day", "really bad flight", "i hate this"]
WORDS = sorted({word for text in GOOD + BAD for word in text.split()})
VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", *WORDS]


def prepare(folder):
    """Writes texts, a vocabulary and a language model."""
    generator = random.Random(0)
    for name, size in (("train", 24), ("validation", 8), ("test", 8)):
        rows = [
            # Some labels are wrong, so that the best epoch is not the last.
            f"{generator.choice(GOOD + BAD)}\t{generator.choice(['good', 'bad'])}"
            for _ in range(size - 2)
        ]
        rows += [f"{GOOD[0]}\tgood", f"{BAD[0]}\tbad"]
        lines = ["text\tlabel", *rows]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    tokenizer = WordTokenizer(VOCABULARY)
    tokenizer.save_assets(str(folder))
    keras.utils.set_random_seed(3)
    LSTMCausalLM(
        LSTMBackbone(len(VOCABULARY), 6, hidden_dim=8, num_layers=1),
        LSTMCausalLMPreprocessor(tokenizer, 12),
    ).save_to_preset(str(folder / "lm"))


def train(folder, output, kind):
    """Does a whole run."""
    train, validation, test = (
        str(folder / f"{name}.tsv") for name in ("train", "validation", "test")
    )
    if kind == "pretraining":
        pretrain_language_model(
            PretrainConfig(
                train=(train,),
                validation=(validation,),
                vocabulary=str(folder / "vocabulary.txt"),
                preset=str(output / "preset"),
                output=str(output / "run"),
                embedding_dim=6,
                hidden_dim=8,
                num_layers=1,
                batch_size=8,
                steps=6,
                steps_per_epoch=3,
            )
        )
        return
    config = FinetuneConfig(
        train=train,
        validation="" if kind == "folds" else validation,
        folds=2 if kind == "folds" else None,
        test=test,
        lm=str(folder / "lm"),
        output=str(output / "run"),
        method="siatl" if kind == "folds" else kind,
        # The second is the best here, so that a restart has to bring it back.
        epochs=1 if kind == "ulmfit" else 3,
        lm_epochs=2,
        batch_size=8,
        sequence_length=12,
        backbone_epoch=1,
        embedding_epoch=2,
        task_learning_rate=0.05,
        pretrained_learning_rate=0.1,
        average_momentum=None if kind == "ulmfit" else 0.5,
        lstm_dropout=0.0,
        attention_dropout=0.0,
        lm_embedding_dropout=0.0,
        lm_input_dropout=0.0,
        lm_hidden_dropout=0.0,
        lm_output_dropout=0.0,
    )
    finetune(config)


class Steps:
    """Sees each file or folder that gets its name outside of `fit`, and deletions.

    Args:
        kill_at: the step before which the process is killed; `None` for never.
    """

    def __init__(self, kill_at):
        self.kill_at = kill_at
        self.taken = []
        self.in_fit = False
        fit = keras.Model.fit
        keras.Model.fit = lambda *args, **kwargs: self.fit(fit, *args, **kwargs)
        for module, name, place in (
            (os, "replace", 1),
            (os, "rename", 1),
            (shutil, "rmtree", 0),
        ):
            setattr(module, name, self.watched(getattr(module, name), name, place))

    def fit(self, function, *args, **kwargs):
        """Fits; files that are written meanwhile are no steps."""
        self.in_fit = True
        history = function(*args, **kwargs)
        self.in_fit = False
        return history

    def watched(self, function, name, place):
        """Returns `function`, as a step named by the path that it is about."""

        def call(*args, **kwargs):
            path = Path(args[place])
            # In a new folder, or one for temporary files.
            is_inside = re.search(r"\.partial-|/tmp\w{8}(/|$)", str(path))
            if not self.in_fit and not is_inside:
                self.take(f"{name} {path.parent.name}/{path.name}")
            return function(*args, **kwargs)

        return call

    def take(self, step):
        """Ends the process if it is its turn."""
        if step == self.kill_at:
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        self.taken.append(step)


def start(folder, output, kind, kill_at=None):
    """Starts a run in a process; returns its steps, or `None` if it was killed."""
    output.mkdir(exist_ok=True)
    steps_path = output / "steps.json"
    if not (process := os.fork()):
        log = os.open(output / "log", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        os.dup2(log, 1)
        steps = Steps(kill_at)
        train(folder, output, kind)
        steps_path.write_text(json.dumps(list(dict.fromkeys(steps.taken))))
        sys.stdout.flush()
        os._exit(0)
    _, status = os.waitpid(process, 0)
    if os.waitstatus_to_exitcode(status) == -signal.SIGKILL and kill_at:
        return None
    assert status == 0, f"the run of {output} ended with {status}"
    return json.loads(steps_path.read_text())


def main(folder, kind):
    """Does one run without interruption, and another that is killed at each step."""
    if not (process := os.fork()):
        prepare(folder)
        os._exit(0)
    assert os.waitpid(process, 0)[1] == 0
    steps = start(folder, folder / "whole", kind)
    if kind in ("ulmfit", "folds"):  # What follows is as with the other methods.
        steps = steps[: steps.index("rename run/model")]
    for step in steps:
        step = step.replace("whole/", "killed/")
        assert start(folder, folder / "killed", kind, step) is None, step
        assert not (folder / "killed" / "run" / "metrics.json").exists() or (
            step == "rmtree run/backup"
        )
    start(folder, folder / "killed", kind)
    print(json.dumps(steps))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
