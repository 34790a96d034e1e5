"""Texts to ask a server about, and what the model answers.

python -m benchmarks.serving.asked TO TEXTS [FOLDER PRESET]

A process of its own, which needs TensorFlow; those who ask the server read its file.
"""

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.serving.mixes import HOSTILE_TEXTS, written
from benchmarks.tweets import texts as tweets
from siatl_keras.data import read_examples
from siatl_keras.export.standalone.answer import Classifier
from siatl_keras.models import SiATLClassifier

REVIEWS = Path(__file__).parents[3] / "shared" / "data" / "reviews" / "validation.txt"
EACH = 500
TOLERANCE = 1e-4
# Padding changes the last bit of a sum, which eight bits may then round to either side,
# layer by layer: answers of SmolLM2 were up to 0.007 apart.
TOLERANCE_OF_FEWER_BITS = 0.02


def main(to, file, folder=None, preset=None):
    """Writes a JSON file of texts, their kinds, and the answers.

    Args:
        to: path of the file.
        file: texts of the model's task, labelled.
        folder: of the export, down to its version; without it nobody knows the answers.
        preset: of the classifier that was exported.
    """
    groups = _groups(file)
    texts = [text for group in groups.values() for text in group]
    numbers, kinds = iter(range(len(texts))), {}
    for kind, group in groups.items():
        kinds[kind] = [next(numbers) for _ in group]
    answers = {"labels": None, "probabilities": None, "judge": None}
    answers["tolerance"] = TOLERANCE
    if folder:
        answers = _answers(folder, preset, texts)
    found = {"texts": [*map(written, texts)], "kinds": kinds, **answers}
    Path(to).write_text(json.dumps(found), "utf-8")


def _groups(file):
    short = read_examples(file).texts[:EACH] + tweets(EACH)
    return {"short": short, "review": _reviews(), **HOSTILE_TEXTS}


def _reviews():
    """Reads reviews, or makes texts of their length."""
    if REVIEWS.exists():
        return REVIEWS.read_text("utf-8").splitlines()[:EACH]
    parts = tweets(20 * EACH)
    return [" ".join(parts[i::EACH]) for i in range(EACH)]


def _answers(folder, preset, texts):
    """Asks the preset, or an export whose weights are not those of the preset."""
    if _keeps_fewer_bits(folder):
        lines = [
            text.decode(errors="replace") if isinstance(text, bytes) else text
            for text in texts
        ]
        rows = Classifier(folder).answer(lines)
        return {
            "labels": [row["label"] for row in rows],
            "probabilities": [[*row["probabilities"].values()] for row in rows],
            "judge": "the export, in process",
            "tolerance": TOLERANCE_OF_FEWER_BITS,
        }
    model = SiATLClassifier.from_preset(preset)
    lines = [text if isinstance(text, bytes) else text.encode() for text in texts]
    probabilities = np.asarray(model.predict_proba(lines, verbose=0))
    return {
        "labels": [model.label_names[number] for number in probabilities.argmax(1)],
        "probabilities": probabilities.tolist(),
        "judge": "predict_proba",
        "tolerance": TOLERANCE,
    }


def _keeps_fewer_bits(folder):
    file = Path(folder) / "model.tflite"
    if not file.exists():
        return False
    from ai_edge_litert.interpreter import Interpreter

    tensors = Interpreter(str(file)).get_tensor_details()
    return any(tensor["dtype"] in (np.int8, np.float16) for tensor in tensors)


if __name__ == "__main__":
    main(*sys.argv[1:])
