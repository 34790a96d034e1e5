"""Damaged files of texts: each is read, or refused with its name.

python -m benchmarks.robustness.files
"""

import gzip
import json
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.robustness.outcomes import mutated, report, tally
from siatl_keras.data import (
    RowError,
    arriving_batches,
    read_examples,
    read_texts,
)
from siatl_keras.data.text_file import UTF_16_MARKS
from siatl_keras.inputs import Column
from siatl_keras.tasks import SingleLabel

SEED = 17
TRIES = 20_000
ROWS = [
    ("so glad my flight is delayed", "no"),
    ('she said "never again", twice', "yes"),
    ("a\ttab, and a\nline", "no"),
    ("10 % café 你好 \N{GRINNING FACE}", "yes"),
    ('"all of it"', "no"),
    ("", "yes"),
]


def sample_files():
    """Returns the files that are damaged: name and bytes."""
    plain = [(" ".join(text.split()), label) for text, label in ROWS]
    quoted = [
        (f'"{text.replace(chr(34), chr(34) * 2)}"', label) for text, label in ROWS
    ]
    lines = {
        "corpus.tsv": ["text\tlabel", *map("\t".join, plain)],
        "pandas.tsv": ["text\tlabel", *map("\t".join, quoted)],
        "all-quoted.tsv": [
            '"text"\t"label"',
            *(f'{text}\t"{label}"' for text, label in quoted),
        ],
        "rows.csv": ["text,label", *map(",".join, quoted)],
        "rows.jsonl": [json.dumps({"text": t, "label": y}) for t, y in ROWS],
        "ids.jsonl": [
            json.dumps({"text": text, "label": number}, ensure_ascii=False)
            for number, (text, _) in enumerate(ROWS)
        ],
        "lines.txt": [text for text, _ in plain],
    }
    return {name: "\n".join(rows).encode() + b"\n" for name, rows in lines.items()}


def damaged_files(tries, generator):
    """Yields a file's name and damaged bytes, half of them gzipped.

    Args:
        tries: int, how many.
        generator: `numpy.random.Generator`.
    """
    files = list(sample_files().items())
    for number in range(tries):
        name, data = files[number % len(files)]
        if generator.random() < 0.1:
            data = data.decode().encode(str(generator.choice(["utf-16", "utf-16-le"])))
        where = generator.choice(["plain", "inside", "outside"], p=[0.5, 0.2, 0.3])
        if where == "outside":
            data = gzip.compress(data, 1, mtime=0)
        for _ in range(1 + generator.binomial(2, 0.15)):
            data = mutated(data, generator) or b"\n"
        if where == "inside":
            data = gzip.compress(data, 1, mtime=0)
        # Now and then the name does not tell whether it is packed.
        packed = (where != "plain") != (generator.random() < 0.05)
        yield name + ".gz" * packed, data


def read(path):
    """Reads a file in all ways, and checks what comes of it.

    Args:
        path: the file.

    Raises:
        ValueError: if it is refused in words that name it.
        AssertionError: if what is read is not whole, or the refusal names no file.
    """
    refusal = None
    for function in (_read_as_texts, _read_as_examples):
        try:
            function(path)
        except ValueError as error:
            is_meant = type(error) in (ValueError, RowError)
            assert is_meant, f"a bare {type(error).__name__}"
            message = str(error)
            assert message.startswith(path), f"does not name the file: {message}"
            assert len(message) < len(path) + 1200, "quotes too much"
            refusal = error
    if refusal:
        raise refusal


def _read_as_texts(path):
    for text in read_texts(path):
        text.encode("utf-8")
    every = list(read_texts(path, blank_lines=True, on_bad_line=len))
    for text in every:
        text.encode("utf-8")
    # Pipes are in UTF-8.
    if path.endswith(".txt") and not Path(path).read_bytes().startswith(UTF_16_MARKS):
        with open(path, "rb") as file:
            piped = sum(arriving_batches(file.fileno(), 4, len), [])
        assert piped == every, "a pipe gives other texts than a file"


def _read_as_examples(path):
    if ".txt" in path:
        return
    examples = read_examples(path)
    assert len(examples.texts) == len(examples.labels) == len(examples.lines)
    assert examples.lines == sorted(set(examples.lines))
    labels = Column.of_file(examples)
    assert len(SingleLabel.from_labels(labels).encode(labels)) == len(examples.texts)


def run(tries=TRIES, seed=SEED):
    """Reads damaged files.

    Args:
        tries: int, how many.
        seed: int.

    Returns:
        what `tally` returns.
    """
    generator = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:

        def attempts():
            for number, (name, data) in enumerate(damaged_files(tries, generator)):
                path = Path(folder) / name
                path.write_bytes(data)
                yield f"{number} {name}", lambda path=path: read(str(path))

        return tally(attempts())


if __name__ == "__main__":
    report("files", SEED, run())
