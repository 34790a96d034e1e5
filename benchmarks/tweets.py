"""Texts to measure with: real tweets where they lie beside the repository."""

import gzip
import itertools
import random
from pathlib import Path

REAL = Path(__file__).parents[2] / "shared" / "data" / "tweets" / "train.txt.gz"
PARTS = [
    "so glad my flight is late again",
    "what a day",
    "can't wait for it",
    "really not my thing",
    "@somebody",
    "http://t.co/abcde",
    "#MondayMood",
    "soooo good",
    "NEVER AGAIN",
    "at 10:30 pm",
    "5%",
    ":-)",
    "!!!",
    "😀",
    "&amp;",
]


def texts(count):
    """Reads or makes up `count` short texts."""
    if REAL.exists():
        with gzip.open(REAL, "rt", encoding="utf-8") as file:
            return [line.rstrip("\n") for line in itertools.islice(file, count)]
    generator = random.Random(0)
    return [" ".join(generator.choices(PARTS, k=4)) for _ in range(count)]
