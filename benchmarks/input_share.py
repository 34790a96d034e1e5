"""Whether the input keeps up with training: `python -m benchmarks.input_share`.

Reads, shuffles, normalises, tokenizes and batches, alone and under training of the
shipped language model, whose steps are the fastest that real models make.
"""

import tempfile
from pathlib import Path

import keras

from benchmarks import report
from benchmarks.contest import Contestant, contest
from benchmarks.tweets import REAL, texts
from siatl_keras.data import lm_dataset
from siatl_keras.models import LSTMCausalLM

LM = "saved_models/tweets_lstm_small_en"
BATCH = 96
# Alone, more than the pipeline has ready when its turn comes.
BATCHES_ALONE, BATCHES_TRAINED = 2_000, 50


def input_alone():
    """Makes the work of taking so many batches."""
    iterator = _batches(LSTMCausalLM.from_preset(LM).preprocessor)

    def work():
        for _ in range(BATCHES_ALONE):
            next(iterator)

    return work


def training():
    """Makes the work of training on so many batches."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    model = LSTMCausalLM.from_preset(LM)
    iterator = _batches(model.preprocessor)
    model.make_train_function()

    def work():
        for _ in range(BATCHES_TRAINED):
            logs = model.train_function(iterator)
        return float(logs["loss"])

    return work


def measure():
    """Measures both, one after the other: what is idle would read ahead."""
    rows = []
    for work, function, batches in (
        ("input alone", "input_alone", BATCHES_ALONE),
        ("training on it in bfloat16", "training", BATCHES_TRAINED),
    ):
        mine = {"ours": Contestant(f"benchmarks.input_share:{function}")}
        units = {"count": BATCH * batches, "name": "texts"}
        work = f"shipped language model, texts from files, {work}"
        rows.append({"work": work, "units": units, **contest(mine)})
    return rows


def _batches(preprocessor):
    path = REAL
    if not REAL.exists():
        path = Path(tempfile.mkdtemp()) / "texts.txt"
        path.write_text("\n".join(texts(50_000)), "utf-8")
    return iter(lm_dataset([path], preprocessor, BATCH, seed=0, repeat=True))


if __name__ == "__main__":
    report.show("input_share", measure())
