"""What all robustness runs share: random damage, and a tally of how each try ended."""

import json
import re
import time
import traceback
from collections import Counter
from pathlib import Path

from siatl_keras.atomic import write_json

RESULTS = Path(__file__).parents[1] / "results" / "robustness"
# Seconds; what takes longer counts as slow, whatever its answer.
SLOW = 30.0


def mutated(data, generator):
    """Returns `data` with one random piece of damage.

    Args:
        data: bytes, not empty.
        generator: `numpy.random.Generator`.

    Returns:
        bytes: flipped bits, overwritten, removed, repeated or inserted runs, a cut end,
        or a number blown up.
    """
    start = int(generator.integers(len(data)))
    length = min(int(2 ** generator.uniform(0, 10)), len(data) - start)
    middle = data[start : start + length]
    noise = generator.bytes(length)
    damage = generator.choice(
        ["flip", "overwrite", "remove", "repeat", "insert", "cut", "zeros", "number"]
    )
    if damage == "flip":
        bit = 1 << int(generator.integers(8))
        middle = bytes([middle[0] ^ bit]) + middle[1:]
    elif damage == "overwrite":
        middle = noise
    elif damage == "remove":
        middle = b""
    elif damage == "repeat":
        middle = middle * 3
    elif damage == "insert":
        middle = noise + middle
    elif damage == "zeros":
        middle = bytes(length)
    elif damage == "number":
        return _with_larger_number(data, generator)
    tail = b"" if damage == "cut" else data[start + length :]
    return data[:start] + middle + tail


def _with_larger_number(data, generator):
    numbers = list(re.finditer(rb"\d+", data))
    if not numbers:
        return data + b"0"
    chosen = numbers[int(generator.integers(len(numbers)))]
    value = generator.choice([b"-1", b"0", b"4294967296", b"99999999999999999999"])
    return data[: chosen.start()] + bytes(value) + data[chosen.end() :]


def tally(tries, refusals=(ValueError,)):
    """Runs each try and counts how it ended.

    Args:
        tries: iterable of `(description, function)`; the function raises or returns.
        refusals: exceptions that count as a refusal in words.

    Returns:
        dict of `tries`, `answered`, `refused`, `slow` (seconds by description) and
        `faults`, a list of what ended otherwise: description and exception.
    """
    ends, slow, faults = Counter(), {}, []
    for description, function in tries:
        begin = time.monotonic()
        try:
            function()
        except refusals:
            ends["refused"] += 1
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            faults.append(
                f"{description}: {type(error).__name__}: {str(error)[:200]} "
                f"({Path(where.filename).name}:{where.lineno})"
            )
        else:
            ends["answered"] += 1
        if (seconds := time.monotonic() - begin) > SLOW:
            slow[description] = round(seconds, 1)
    return {
        "tries": ends.total() + len(faults),
        "answered": ends["answered"],
        "refused": ends["refused"],
        "slow": slow,
        "faults": faults,
    }


def report(name, seed, result):
    """Writes `results/robustness/<name>.json` and prints the figures.

    Args:
        name: of the run.
        seed: int that reproduces it.
        result: dict of figures.
    """
    write_json(RESULTS / f"{name}.json", {"seed": seed, **result})
    print(json.dumps({"seed": seed, **result}, indent=2, ensure_ascii=False))
