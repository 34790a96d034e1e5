"""The Microsoft Research Paraphrase Corpus: a part of it, and all test pairs."""

from .drawing import generator_before

FOLDER = "data/para/msr"


def rows(read):
    """Returns rows of both sentences and the label by split.

    Args:
        read: function that returns the bytes of a source file.
    """
    generator = generator_before("msrp_pairs")
    train = _pairs(read(f"{FOLDER}/msr-para-train.tsv"))
    validation = _pairs(read(f"{FOLDER}/msr-para-val.tsv"))
    generator.shuffle(train)
    generator.shuffle(validation)
    return {
        "train": train[:2000],
        "validation": validation[:300],
        "test": _pairs(read(f"{FOLDER}/msr-para-test.tsv")),
    }


def _pairs(content):
    pairs = []
    for line in content.decode().splitlines()[1:]:
        quality, _, _, first, second = line.split("\t")
        label = "paraphrase" if quality == "1" else "other"
        pairs.append((first.strip(), second.strip(), label))
    return pairs
