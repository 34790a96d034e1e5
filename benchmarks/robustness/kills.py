"""Kills real runs at random moments until they finish, and compares their figures.

python -m benchmarks.robustness.kills --seed=0 --kills=24

A fine-tuning and a pretraining run of a tiny model, by their recipes, each done once
without a kill. Then the same is started until it has finished, with SIGKILL at a moment
drawn evenly from the time that the whole run takes, in seconds of the processor, so
that a busy machine changes nothing; and that again, until there were enough kills.
Figures and weights must be those of the run that was left alone. Writes
`results/robustness/kills.json`.
"""

import argparse
import json
import os
import random
import re
import runpy
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import keras

from benchmarks.robustness.outcomes import report
from siatl_keras.models import LSTMBackbone, LSTMCausalLM, LSTMCausalLMPreprocessor
from siatl_keras.runs import finetune, pretrain_language_model  # noqa: F401
from siatl_keras.text import WordTokenizer

GOOD = ["so glad today", "what a lovely day", "really good flight", "i love this"]
BAD = ["so sad today", "what an awful day", "really bad flight", "i hate this"]
WORDS = sorted({word for text in GOOD + BAD for word in text.split()})
FINETUNE = (
    *("--epochs=6", "--patience=6", "--backbone_epoch=2", "--embedding_epoch=3"),
    *("--units=4", "--average_momentum=0.9", "--task_learning_rate=0.05"),
)
PRETRAIN = (
    *("--embedding_dim=6", "--hidden_dim=8", "--num_layers=1"),
    *("--steps=24", "--steps_per_epoch=4"),
)
COMMON = ("--batch_size=8", "--devices=cpu", "--sequence_length=12")
KINDS = ("finetune", "pretrain_lm")


def prepare(folder):
    """Writes texts, a vocabulary and a language model, in a process of its own.

    TensorFlow must not have begun where `start` forks.

    Args:
        folder: where they go.
    """
    generator = random.Random(0)
    for name, size in (("train", 48), ("validation", 16), ("test", 16)):
        rows = [
            f"{generator.choice(texts)} {generator.choice(WORDS)}\t{label}"
            for label, texts in (("good", GOOD), ("bad", BAD))
            for _ in range(size // 2)
        ]
        (folder / f"{name}.tsv").write_text("\n".join(["text\tlabel", *rows]) + "\n")
    if not (process := os.fork()):
        tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *WORDS])
        tokenizer.save_assets(str(folder))
        keras.utils.set_random_seed(0)
        LSTMCausalLM(
            LSTMBackbone(tokenizer.vocabulary_size(), 6, hidden_dim=8, num_layers=1),
            LSTMCausalLMPreprocessor(tokenizer, 12),
        ).save_to_preset(str(folder / "lm"))
        os._exit(0)
    os.waitpid(process, 0)


def command(kind, folder, output):
    """Returns the arguments of a recipe.

    Args:
        kind: one of `KINDS`.
        folder: where `prepare` wrote.
        output: folder of the run.
    """
    files = [f"--{name}={folder}/{name}.tsv" for name in ("train", "validation")]
    own = {
        "finetune": [f"--test={folder}/test.tsv", f"--lm={folder}/lm", *FINETUNE],
        "pretrain_lm": [
            f"--vocabulary={folder}/vocabulary.txt",
            f"--preset={output}/preset",
            *PRETRAIN,
        ],
    }
    return [kind, *files, *own[kind], *COMMON, f"--output={output}"]


def start(arguments, log, kill_after=None):
    """Runs a recipe in a fork of this process, which has done the imports.

    Args:
        arguments: the recipe's name and its flags.
        log: file that its output is added to.
        kill_after: seconds of the processor until SIGKILL; `None` for never.

    Returns:
        `(finished, seconds)`, of the processor too.

    Raises:
        RuntimeError: if it ends otherwise than by the kill or with success.
    """
    if not (process := os.fork()):
        handle = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        _recipe(*arguments)
    ended = 0
    while not ended:
        ended, status, usage = os.wait4(process, os.WNOHANG)
        if not ended and kill_after is not None and _seconds(process) > kill_after:
            os.kill(process, signal.SIGKILL)
            kill_after = None
        time.sleep(0.002)
    if status not in (0, signal.SIGKILL):
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{log.read_text()}")
    return status == 0, usage.ru_utime + usage.ru_stime


def _seconds(process):
    """Reads how long a process has had the processor."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _recipe(name, *flags):
    sys.argv = [name, *flags]
    status = 0
    try:
        runpy.run_module(f"recipes.{name}", run_name="__main__", alter_sys=True)
    except SystemExit as stop:
        status = int(stop.code not in (0, None))
        print(stop.code or "")
    sys.stdout.flush()
    os._exit(status)


def kill(kind, folder, kills, generator):
    """Does a run without a kill and others with, and compares them.

    Args:
        kind: one of `KINDS`.
        folder: where `prepare` wrote.
        kills: int, how many.
        generator: `random.Random`.

    Returns:
        dict of figures.
    """
    whole, killed = folder / f"{kind}-whole", folder / f"{kind}-killed"
    log = folder / f"{kind}.log"
    _, seconds = start(command(kind, folder, whole), log)
    moments, runs, starts, equal = [], 0, 0, 0
    while len(moments) < kills:
        log.write_text("")
        finished = False
        while not finished:
            enough = len(moments) >= kills
            moment = None if enough else generator.uniform(0, seconds)
            finished, _ = start(command(kind, folder, killed), log, moment)
            starts += 1
            if not finished:
                moments.append(_where(killed, log))
                print(f"{kind}, kill {len(moments)}: {moments[-1]}", flush=True)
                finished = (killed / "metrics.json").exists()
        runs += 1
        equal += _outcome(whole) == _outcome(killed) and not _left_overs(killed)
        shutil.rmtree(killed)
    return {
        "kills": len(moments),
        "runs": runs,
        "starts": starts,
        "equal_runs": equal,
        "kills_by_moment": {where: moments.count(where) for where in sorted(moments)},
        "seconds_without_kills": round(seconds, 1),
    }


def _where(run, log):
    """Says how far a run had come when it was killed."""
    if (run / "metrics.json").exists():
        return "after metrics.json"
    epochs = re.findall(r"^Epoch (\d+)/(\d+)$", log.read_text(), re.M)
    if not epochs:
        return "before training"
    done = re.findall(r"^Epoch (\d+)/\1\n.*val_loss", log.read_text(), re.M)
    return "after training" if done else "in training"


def _outcome(run):
    metrics = json.loads((run / "metrics.json").read_text())
    weights = sorted(run.glob("*/weights.sha256"))
    return metrics, [path.read_text() for path in weights]


def _left_overs(run):
    return [*run.rglob(".partial-*"), *run.rglob(".replaced-*")]


def main():
    """Kills each kind of run, and reports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kills", type=int, default=24, help="Of all runs together.")
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        result = {
            kind: kill(kind, Path(name), arguments.kills // len(KINDS), generator)
            for kind in KINDS
        }
    report("kills", arguments.seed, result)


if __name__ == "__main__":
    main()
