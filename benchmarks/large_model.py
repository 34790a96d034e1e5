"""SmolLM2-135M, ours beside transformers: `python -m benchmarks.large_model`.

Needs the extra [bench], and `siatl fetch-model --name=smollm2_135m`.
"""

import keras
import numpy as np
import tensorflow as tf

from benchmarks import report
from benchmarks.contest import Contestant, contest
from benchmarks.tweets import texts
from siatl_keras.models import SiATLClassifier

PRESET = "smollm2_135m"
BATCH, TIME, VOCABULARY = 32, 64, 49_152
# Of ours, and of PyTorch's automatic mixed precision.
DTYPES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
TEXTS = 256


def training_step(token_ids, labels, dtype):
    """Makes a step on the loss of the task and of all words; all weights learn."""
    model = _classifier(dtype)
    model.compile()
    ids = np.array(token_ids, "int32")
    x = {"token_ids": ids[:, :-1], "padding_mask": np.ones_like(ids[:, :-1])}
    y = {"task": np.array(labels), "lm": ids[:, 1:]}
    weights = {
        "task": np.ones(len(ids), "float32"),
        "lm": np.ones(x["token_ids"].shape, "float32"),
    }
    iterator = iter(tf.data.Dataset.from_tensors((x, y, weights)).cache().repeat())
    model.make_train_function()
    return lambda: float(model.train_function(iterator)["loss"])


def predicting(count, batch, dtype):
    """Makes the answering of tweets."""
    model, lines = _classifier(dtype), texts(count)
    return lambda: model.predict(lines, batch_size=batch, verbose=0)


def _classifier(dtype):
    keras.config.set_dtype_policy(dtype)
    keras.utils.set_random_seed(0)
    return SiATLClassifier.from_preset(PRESET, num_classes=2, pooling="last")


def measure():
    """Compares steps and answers, in single precision and in half."""
    generator = np.random.default_rng(0)
    token_ids = generator.integers(VOCABULARY, size=(BATCH, TIME + 1)).tolist()
    labels = generator.integers(2, size=BATCH).tolist()
    batch = {"token_ids": token_ids, "labels": labels}
    works = {
        f"step on {BATCH} × {TIME} tokens, exact LM loss": ("training_step", batch),
        f"answers to {TEXTS} tweets": ("predicting", {"count": TEXTS, "batch": BATCH}),
        "answer to one tweet": ("predicting", {"count": 1, "batch": 1}),
    }
    rows = []
    for work, (target, arguments) in works.items():
        # One precision after the other: four models and their moments are too many.
        for dtype, policy in DTYPES.items():
            ours = Contestant(
                f"benchmarks.large_model:{target}", {**arguments, "dtype": policy}
            )
            peer = Contestant(
                f"benchmarks.peers.transformers_lm:{target}",
                {**arguments, "dtype": dtype},
            )
            figures = contest({"ours": ours, "transformers": peer}, rounds=3)
            rows.append({"work": f"SmolLM2-135M, {work}, {dtype}", **figures})
            print(report.table(rows[-1:]), flush=True)
    return rows


if __name__ == "__main__":
    report.show("large_model", measure())
