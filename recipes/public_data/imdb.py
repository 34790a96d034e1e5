"""Parts of the Large Movie Review Dataset: with their sentiment, and with their stars.

A review's file is `aclImdb/train/pos/4715_9.txt`: its side, number and stars.
"""

import io
import re
import tarfile
from pathlib import Path

from .drawing import generator_before

ARCHIVE = "aclImdb_v1.tar.gz"
# Split, side, number and stars of each review of `imdb_small`, in its order.
CHOSEN = Path(__file__).with_name("imdb_small.txt")
LABELS = {"neg": "negative", "pos": "positive"}
LINE_ENDS = re.compile(r"[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+")
REVIEW = re.compile(r"aclImdb/((?:train|test)/(?:neg|pos)/\d+_\d+)\.txt")


def small(read):
    """Returns rows of text and label by split: the reviews that imdb_small.txt names.

    Args:
        read: function that returns the bytes of a source file.
    """
    reviews = _reviews(read(ARCHIVE))
    splits = {}
    for line in CHOSEN.read_text("utf-8").splitlines():
        split, side, number = line.split("/")
        folder = "test" if split == "test" else "train"
        text = LINE_ENDS.sub(" ", reviews[f"{folder}/{side}/{number}"]).strip()
        splits.setdefault(split, []).append((text, LABELS[side]))
    return splits


def stars(read):
    """Returns rows of text and stars by split.

    Args:
        read: function that returns the bytes of a source file.
    """
    reviews = _reviews(read(ARCHIVE))
    generator = generator_before("imdb_stars")

    def drawn(folder, count):
        names = sorted(name for name in reviews if name.startswith(folder))
        return [
            (re.sub(r"(<br />\s*)+", " ", reviews[name]).strip(), name.split("_")[1])
            for name in generator.sample(names, count)
        ]

    train = drawn("train", 1400)
    return {
        "train": train[:1200],
        "validation": train[1200:],
        "test": drawn("test", 1500),
    }


def _reviews(archive):
    """Reads the labelled reviews by folder, side and name."""
    reviews = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:
            if match := REVIEW.fullmatch(member.name):
                reviews[match[1]] = files.extractfile(member).read().decode()
    return reviews
