"""A whole fine-tuning to early stopping: `python -m benchmarks.whole_run`.

The shipped language model on the paper's sarcasm texts where they lie beside the
repository. Ours decides after how many epochs to stop, PyTorch, a model of the same
size, then does as many. (At the paper's size PyTorch's side takes an hour.)
"""

import json
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

from benchmarks import report
from benchmarks.contest import Contestant, contest
from benchmarks.sizes import Sizes
from benchmarks.tweets import texts
from siatl_keras.callbacks import GammaDecay, SequentialUnfreezing
from siatl_keras.data import classification_dataset, read_examples
from siatl_keras.inputs import Column
from siatl_keras.models import SiATLClassifier, SiATLPreprocessor
from siatl_keras.optimizers import paper_optimizer
from siatl_keras.plans import stages
from siatl_keras.tasks import SingleLabel
from siatl_keras.text import WordTokenizer

SCV2 = Path(__file__).parents[2] / "shared" / "data" / "scv2"
LM = "saved_models/tweets_lstm_small_en"
# Of the shipped language model.
SIZES = Sizes(vocabulary=20_000, embedding=300, hidden=640, time=80)
# As in recipes/flags/scv2.flags, but for the authors' patience and epochs, and a lower
# rate of the pretrained layers.
BACKBONE_EPOCH, EMBEDDING_EPOCH, PATIENCE, MOST_EPOCHS = 2, 4, 6, 30
TASK_RATE, PRETRAINED_RATE = 2e-3, 0.3


def ours(answer, dtype="float32"):
    """Makes a fine-tuning of ours; it writes its number of epochs to `answer`."""
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(dtype)
    model = SiATLClassifier.from_preset(
        LM, num_classes=SIZES.classes, sequence_length=SIZES.time
    )
    model.compile(paper_optimizer(TASK_RATE, PRETRAINED_RATE))
    train, validation = _data()

    def work():
        history = model.fit(
            *train,
            validation_data=validation,
            batch_size=SIZES.batch,
            epochs=MOST_EPOCHS,
            callbacks=[
                GammaDecay(),
                SequentialUnfreezing(stages(BACKBONE_EPOCH, EMBEDDING_EPOCH)),
                keras.callbacks.EarlyStopping(
                    "val_task_loss", mode="min", patience=PATIENCE
                ),
            ],
            verbose=2,
        )
        Path(answer).write_text(json.dumps({"epochs": len(history.epoch)}))

    return work


def pytorch(answer, epochs):
    """Makes the same in PyTorch; it writes its seconds by part to `answer`.

    As the authors' code does it: batches by length, full work in every stage, and
    after each epoch an evaluation on the validation and on the training texts.
    """
    from benchmarks.peers.pytorch import Finetuning

    train, validation = (_batches(*part) for part in _data())
    peer = Finetuning(SIZES)

    def work():
        seconds = dict.fromkeys(("training", "validation", "training texts"), 0.0)
        for epoch in range(1, epochs + 1):
            stage = 1 + (epoch >= BACKBONE_EPOCH) + (epoch >= EMBEDDING_EPOCH)
            for part, batches in (
                ("training", train),
                ("validation", validation),
                ("training texts", train),
            ):
                started = time.perf_counter()
                for batch in batches:
                    if part == "training":
                        peer.step(stage, *batch)
                    else:
                        peer.evaluate(*batch)
                seconds[part] += time.perf_counter() - started
        Path(answer).write_text(json.dumps(seconds))

    return work


def measure():
    """Runs each once: a run is an average over hundreds of steps by itself."""
    rows = []
    module = "benchmarks.whole_run"
    with tempfile.TemporaryDirectory() as folder:
        answer = str(Path(folder) / "answer.json")

        def run(name, function, **arguments):
            arguments = {"answer": answer, **arguments}
            result = contest(
                {name: Contestant(f"{module}:{function}", arguments)},
                rounds=1,
                warm_up=False,
            )
            return result, json.loads(Path(answer).read_text())

        float32, counted = run("ours", "ours")
        epochs = counted["epochs"]
        bfloat16, counted = run("ours, bfloat16", "ours", dtype="mixed_bfloat16")
        peer, parts = run("PyTorch", "pytorch", epochs=epochs)
    without = parts["training"] + parts["validation"]
    for text, seconds in (
        (
            "training texts evaluated too, as the authors' code does",
            sum(parts.values()),
        ),
        ("validation texts evaluated", without),
    ):
        # In bfloat16 early stopping may end elsewhere: an epoch is compared.
        scaled = {
            "ours": float32["seconds"]["ours"],
            "ours, bfloat16": bfloat16["seconds"]["ours, bfloat16"]
            * epochs
            / counted["epochs"],
        }
        rows.append(
            {
                "work": f"fine-tuning on scv2 to early stopping, {epochs} epochs, "
                f"shipped language model; PyTorch: {text}",
                "seconds": {**scaled, "PyTorch": seconds},
                "memory_mb": {
                    name: megabytes
                    for result in (float32, bfloat16, peer)
                    for name, megabytes in result["memory_mb"].items()
                },
                "ratio": {
                    name: {"PyTorch": seconds / own} for name, own in scaled.items()
                },
            }
        )
    return rows


def _data():
    """Reads the training and the validation texts with class numbers."""
    if not SCV2.exists():
        lines = texts(900)
        labels = np.random.default_rng(0).integers(2, size=900)
        return (lines[:800], labels[:800]), (lines[800:], labels[800:])
    files = [read_examples(SCV2 / f"{name}.tsv") for name in ("train", "validation")]
    labels = [Column.of_file(file) for file in files]
    task = SingleLabel.from_labels(labels[0])
    return tuple(
        (file.texts, task.encode(column))
        for file, column in zip(files, labels, strict=True)
    )


def _batches(lines, labels):
    preprocessor = SiATLPreprocessor(
        WordTokenizer(f"{LM}/assets/tokenizer/vocabulary.txt"), SIZES.time
    )
    dataset = classification_dataset(lines, labels, preprocessor, SIZES.batch, seed=0)
    return [
        (x["token_ids"], y["lm"], y["task"]) for x, y, _ in dataset.as_numpy_iterator()
    ]


if __name__ == "__main__":
    report.show("whole_run", measure())
