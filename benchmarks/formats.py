"""The formats of an export: `python -m benchmarks.formats NAME=PRESET,TEXTS …`.

Each model answers the labelled texts of a file by `predict`, and by each of its
exports, in a process of its own, on one thread: size, seconds to load, the first
answer, texts per second, a single text's latency, and how the answers differ.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from sklearn.metrics import f1_score

from benchmarks import report
from siatl_keras.atomic import write_json
from siatl_keras.data import read_examples
from siatl_keras.export import export_litert, export_onnx, export_saved_model
from siatl_keras.models import SiATLClassifier

MOST_TEXTS = 2_000
SINGLES = 200
FORMATS = {
    "SavedModel": export_saved_model,
    "ONNX": export_onnx,
    "LiteRT, float32": lambda model, to: export_litert(model, to, "float32"),
    "LiteRT, float16": lambda model, to: export_litert(model, to, "float16"),
    "LiteRT, int8": lambda model, to: export_litert(model, to, "int8"),
}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


def measure(preset, file):
    """Measures one model.

    Args:
        preset: path of a classifier of one label.
        file: labelled texts, of which no more than `MOST_TEXTS` are asked.
    """
    model = SiATLClassifier.from_preset(preset)
    examples = read_examples(file)
    texts, labels = examples.texts[:MOST_TEXTS], examples.labels[:MOST_TEXTS]
    own = np.array(model.predict_proba(texts, verbose=0))
    truth = [model.label_names.index(label) for label in labels]
    rows = {"predict": {"macro_f1": f1_score(truth, own.argmax(1), average="macro")}}
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "texts.json"
        asked.write_text(json.dumps(texts), "utf-8")
        for name, export in FORMATS.items():
            started = time.perf_counter()
            path = export(model, Path(folder) / "served")
            seconds = time.perf_counter() - started
            rows[name] = {"export_seconds": seconds, **_answered(path, asked)}
            answers = np.array(rows[name].pop("probabilities"))
            away = np.abs(answers - own).max(1)
            rows[name] |= {
                "macro_f1": f1_score(truth, answers.argmax(1), average="macro"),
                "same_label": float((answers.argmax(1) == own.argmax(1)).mean()),
                "away_mean": float(away.mean()),
                "away_99": float(np.quantile(away, 0.99)),
            }
    return rows


def _answered(path, asked):
    """Lets a process of its own answer; returns what it measured."""
    command = [sys.executable, "-m", "benchmarks.formats", "--answer", path, asked]
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **ONE_THREAD},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def answer(folder, asked):
    """Measures one export, in the process that it is alone in."""
    texts = json.loads(Path(asked).read_text("utf-8"))
    started = time.perf_counter()
    ask = _of_standalone(folder) if _is_standalone(folder) else _of_saved_model(folder)
    loaded = time.perf_counter()
    ask(texts[:1])
    first = time.perf_counter()
    ask(texts)
    warm = time.perf_counter()
    probabilities = ask(texts)
    done = time.perf_counter()
    singles = []
    for text in texts[:SINGLES]:
        before = time.perf_counter()
        ask([text])
        singles.append(time.perf_counter() - before)
    singles.sort()
    return {
        "megabytes": sum(p.stat().st_size for p in Path(folder).rglob("*")) / 1e6,
        "load_seconds": loaded - started,
        "first_answer_seconds": first - loaded,
        "texts_per_second": len(texts) / (done - warm),
        "single_median_ms": 1e3 * singles[len(singles) // 2],
        "single_99_ms": 1e3 * singles[len(singles) * 99 // 100],
        "probabilities": probabilities,
    }


def _is_standalone(folder):
    return (Path(folder) / "standalone").is_dir()


def _of_standalone(folder):
    sys.path.insert(0, folder)
    from standalone.answer import Classifier

    classifier = Classifier(threads=1)
    return lambda texts: [
        list(row["probabilities"].values()) for row in classifier.answer(texts)
    ]


def _of_saved_model(folder, batch=32):
    import tensorflow as tf

    served = tf.saved_model.load(folder).signatures["serving_default"]

    def ask(texts):
        order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
        rows = [None] * len(texts)
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            batch_of = tf.constant([texts[row] for row in part])
            found = served(text=batch_of)["probabilities"].numpy().tolist()
            for row, probabilities in zip(part, found, strict=True):
                rows[row] = probabilities
        return rows

    return ask


if __name__ == "__main__":
    if sys.argv[1] == "--answer":
        print(json.dumps(answer(*sys.argv[2:])))
    else:
        pairs = (argument.split("=", 1) for argument in sys.argv[1:])
        found = {name: measure(*value.split(",")) for name, value in pairs}
        target = report.RESULTS / "formats.json"
        write_json(target, {"machine": report.machine(), "models": found})
        print(json.dumps(found, indent=2))
