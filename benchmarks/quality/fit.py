"""One fit, in a process of its own: `python -m benchmarks.quality.fit SIDE SET …`."""

import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from benchmarks.contest import memory_status, reset_peak_memory
from benchmarks.quality.sets import SETS
from benchmarks.quality.sides import SIDES, UNLABELLED, write_texts
from siatl_keras.atomic import write_json


def measure(side, data_set, seed, data, kept):
    """Fits, answers the test texts, and writes the figures to the file `kept`.

    Args:
        side: name in `SIDES`.
        data_set: name in `SETS`.
        seed: int.
        data: folder of the data sets.
        kept: path of a JSON file.
    """
    texts, labels = SETS[data_set].train(data)
    tested, truth = SETS[data_set].test(data)
    module, name = SIDES[side].split(":")
    fit = getattr(import_module(module), name)
    reset_peak_memory()
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".partial-") as folder:
        write_texts(Path(folder) / UNLABELLED, SETS[data_set].unlabelled(data))
        started = time.perf_counter()
        answer, megabytes = fit(texts, labels, seed, Path(folder))
        fitted = time.perf_counter()
        answers = answer(tested)
        answered = time.perf_counter()
    write_json(
        kept,
        {
            **answers.figures(truth),
            "fit_seconds": fitted - started,
            "texts_per_second": len(tested) / (answered - fitted),
            "memory_mb": memory_status("VmHWM") / 1024,
            "size_mb": megabytes,
        },
    )


if __name__ == "__main__":
    side, data_set, seed, data, kept = sys.argv[1:]
    measure(side, data_set, int(seed), Path(data), Path(kept))
