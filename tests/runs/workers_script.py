"""Compares runs of two workers with the same of one process; kills a worker.

Takes a folder to work in, and prints, as JSON, what was found. Batches of 7 or 8 texts
do not divide by the workers, and the last one of an epoch may have a single text.
"""

import json
import os
import pickle
import random
import signal
import sys
from pathlib import Path

import keras
import numpy as np

from rigs.small_task import BAD, GOOD, WORDS, small_config
from rigs.workers import ends, recipe, start_alone, start_workers, wait_for
from siatl_keras.distribute import strategy_from_devices
from siatl_keras.models import (
    LSTMBackbone,
    LSTMCausalLM,
    LSTMCausalLMPreprocessor,
    SiATLClassifier,
)
from siatl_keras.runs import finetune
from siatl_keras.text import WordTokenizer

EPOCHS = 3


def prepare(folder):
    """Writes texts, a vocabulary and a language model."""
    generator = random.Random(0)
    for name, size in (("train", 25), ("validation", 11), ("test", 5)):
        rows = [(GOOD[0], "good"), (BAD[0], "bad")]
        while len(rows) < size:
            texts, label = generator.choice([(GOOD, "good"), (BAD, "bad")])
            rows.append((" ".join(generator.choices(texts, k=len(rows) % 3)), label))
            rows[-1] = (f"so {rows[-1][0]}".strip(), label)
        lines = ["text\tlabel", *("\t".join(row) for row in rows)]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *WORDS])
    tokenizer.save_assets(str(folder))
    keras.utils.set_random_seed(3)
    LSTMCausalLM(
        LSTMBackbone(len(WORDS) + 4, 6, hidden_dim=8, num_layers=1),
        LSTMCausalLMPreprocessor(tokenizer, 12),
    ).save_to_preset(str(folder / "lm"))


def fine_tune(folder, devices, name, found):
    """Runs all stages, with early stopping; keeps what this process ends with."""

    def run():
        strategy = strategy_from_devices(devices)
        files = [folder / f"{part}.tsv" for part in ("train", "validation", "test")]
        config = small_config(
            files,
            str(folder / "lm"),
            folder / name,
            epochs=EPOCHS,
            backbone_epoch=2,
            embedding_epoch=3,
            patience=2,
            task_learning_rate=0.01,
        )
        model, metrics = finetune(config, strategy, verbose=0)
        kept = {
            "history": metrics["history"],
            "test": metrics["test"]["macro_f1"],
            "weights": model.get_weights(),
            "predict": model.predict(GOOD + BAD, verbose=0),
        }
        (folder / found).write_bytes(pickle.dumps(kept))

    return run


def pretrain(folder, name, **flags):
    """Returns the recipe, which trains for eight epochs."""
    given = {
        "train": folder / "train.tsv",
        "validation": folder / "validation.tsv",
        "vocabulary": folder / "vocabulary.txt",
        "preset": folder / name / "preset",
        "output": folder / name / "run",
        "embedding_dim": 6,
        "hidden_dim": 8,
        "num_layers": 1,
        "batch_size": 7,
        "steps": 24,
        "steps_per_epoch": 3,
        "weights_dtype": "float32",
        "input_dropout": 0,
        "hidden_dropout": 0,
        "output_dropout": 0,
        "mixed_precision": "float32",
        **flags,
    }
    return recipe("pretrain_lm", *(f"--{k}={v}" for k, v in given.items()))


def largest_difference(some, others):
    """Compares numbers, large ones relatively; NaN equals NaN."""
    pairs = zip(keras.tree.flatten(some), keras.tree.flatten(others), strict=True)
    differences = [
        np.where(
            np.isnan(a) & np.isnan(b),
            0.0,
            np.abs(np.subtract(a, b)) / np.maximum(1.0, np.abs(a)),
        ).max(initial=0.0)
        for a, b in pairs
    ]
    return float(max(np.nan_to_num(differences, nan=np.inf)))


def compare_fine_tuning(folder):
    """Returns for each worker how far it is from one process, by part."""
    statuses = ends(
        [start_alone(fine_tune(folder, "cpu", "one", "one.pkl"), folder / "one.log")]
    )
    names = [f"worker_{index}.pkl" for index in range(2)]
    statuses += ends(
        start_workers(
            [fine_tune(folder, "workers", "workers", name) for name in names],
            [folder / f"{name}.log" for name in names],
        )
    )
    assert statuses == [0, 0, 0], statuses
    one, *workers = (
        pickle.loads((folder / name).read_bytes()) for name in ("one.pkl", *names)
    )
    return [
        {part: largest_difference(one[part], worker[part]) for part in one}
        for worker in workers
    ]


def trained_language_model(folder, name):
    """Returns the history and the weights of a preset."""
    preset = folder / name / "preset"
    metrics = json.loads((preset / "metrics.json").read_text("utf-8"))
    return metrics, LSTMCausalLM.from_preset(str(preset)).get_weights()


def kill_and_resume(folder):
    """Kills a worker, starts again without the shared folder, then with it."""
    logs = [folder / f"pretrain_{index}.log" for index in range(2)]
    found = {}
    found["alone"] = ends(
        [start_alone(pretrain(folder, "alone", devices="cpu"), folder / "alone.log")]
    )
    pids = start_workers([pretrain(folder, "killed")] * 2, logs)
    wait_for("epoch 2/8", logs[0])
    os.kill(pids[1], signal.SIGKILL)
    found["killed"] = ends(pids)
    found["message"] = logs[0].read_text("utf-8").splitlines()[-1]
    elsewhere = pretrain(folder, "killed", output=folder / "not_shared")
    found["not_shared"] = ends(
        start_workers([pretrain(folder, "killed"), elsewhere], logs)
    )
    found["refusals"] = [log.read_text("utf-8").splitlines()[-1] for log in logs]
    found["resumed"] = ends(start_workers([pretrain(folder, "killed")] * 2, logs))
    found["resumes"] = "Resuming after epoch" in logs[0].read_text("utf-8")
    found["said_by_others"] = logs[1].read_text("utf-8").splitlines()[1:]
    return found


def main(folder):
    """Does all of it, TensorFlow in children alone until they have ended."""
    assert ends([start_alone(lambda: prepare(folder), folder / "prepare.log")]) == [0]
    found = {
        "fine_tuning": compare_fine_tuning(folder),
        "kill": kill_and_resume(folder),
    }
    alone, resumed = (
        trained_language_model(folder, name) for name in ("alone", "killed")
    )
    found["pretraining"] = largest_difference(alone, resumed)
    found["files"] = {
        name: sorted(path.name for path in (folder / name).iterdir())
        for name in ("one", "workers", "alone/run", "killed/run")
    }
    found["strangers"] = (folder / "not_shared").exists()
    model = SiATLClassifier.from_preset(str(folder / "workers" / "model"))
    found["saved"] = len(model.label_names)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
