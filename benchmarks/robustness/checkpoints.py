"""Checkpoints with one random piece of damage: each is imported, or refused in words.

Language models as the authors' code saves them, in both of PyTorch's formats, and a
small GGUF file.

    python -m benchmarks.robustness.checkpoints
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.robustness.outcomes import mutated, report, tally
from siatl_keras.importers.gguf_import import import_gguf
from siatl_keras.importers.torch import import_language_model

REPOSITORY = Path(__file__).parents[2]
SEED = 21
TRIES = 900


def made_checkpoints(folder):
    """Makes the whole files.

    Args:
        folder: `Path` to write the GGUF file in.

    Returns:
        dict of bytes and the function that imports them, by file name.
    """
    # The tests' writers: none of them is ours.
    if str(REPOSITORY / "tests") not in sys.path:
        sys.path.append(str(REPOSITORY / "tests"))
    from rigs.authors_files import checkpoint, legacy_bytes, weights, zip_bytes
    from rigs.gguf_files import random_tensors, write

    saved = checkpoint(weights())
    whole = write(folder / "whole.gguf", random_tensors()).read_bytes()
    return {
        "legacy.pt": (legacy_bytes(saved), import_language_model),
        "zip.pt": (zip_bytes(saved), import_language_model),
        # Most of its bytes are weights: damage to what is before them tells more.
        "lm.gguf": (whole, import_gguf),
    }


def run(tries, folder, seed=SEED):
    """Imports damaged checkpoints and tells how each import ended.

    Args:
        tries: int.
        folder: `Path` to work in.
        seed: int.

    Returns:
        see `tally`.
    """
    generator = np.random.default_rng(seed)
    checkpoints = made_checkpoints(folder)

    def damaged():
        for number in range(tries):
            name = list(checkpoints)[number % len(checkpoints)]
            data, load = checkpoints[name]
            head = len(data) if generator.random() < 0.5 else min(len(data), 2500)
            path = folder / name
            path.write_bytes(mutated(data[:head], generator) + data[head:])
            yield (
                f"{number}: {name}",
                lambda path=path, load=load: load(
                    path, folder / "preset", overwrite=True
                ),
            )

    return tally(damaged())


def main():
    """Runs all tries and reports the figures."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(TRIES, Path(folder))
    report("checkpoints", SEED, result)


if __name__ == "__main__":
    main()
