"""A part of GoEmotions, drawn from each of its splits; labels are joined by commas."""

from .drawing import generator_before

FOLDER = "data/original"
SPLITS = {"train": ("train", 2000), "validation": ("dev", 400), "test": ("test", 2000)}


def rows(read):
    """Returns rows of text and labels by split.

    Args:
        read: function that returns the bytes of a source file.
    """
    emotions = read(f"{FOLDER}/labels.txt").decode().split()
    generator = generator_before("goemotions_small")
    splits = {}
    for split, (official, count) in SPLITS.items():
        drawn = []
        for line in read(f"{FOLDER}/{official}.tsv").decode().splitlines():
            text, indices, _ = line.split("\t")
            labels = [emotions[int(index)] for index in indices.split(",")]
            drawn.append((text.strip(), ",".join(labels)))
        generator.shuffle(drawn)
        splits[split] = drawn[:count]
    return splits
