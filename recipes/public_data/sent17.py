"""SemEval-2017 task 4A: the tweets of 2013 to 2016, 10 % of each class held out."""

import html
import random
import re

FOLDER = "datasets/semeval_2017_4A"
TRAIN_FILES = (
    "2013dev",
    "2013test",
    "2013train",
    "2014sarcasm",
    "2014test",
    "2015test",
    "2015train",
    "2016dev",
    "2016devtest",
    "2016test",
    "2016train",
)


def rows(read):
    """Returns rows of text and label by split, in the order of the source files.

    Args:
        read: function that returns the bytes of a source file.
    """
    tweets = {}
    for name in TRAIN_FILES:
        tweets.update(_tweets(read(f"{FOLDER}/train/twitter-{name}-A.tsv")))
    merged = list(tweets.values())
    generator = random.Random(42)
    validation = set()
    for label in ("negative", "neutral", "positive"):
        indices = [index for index, row in enumerate(merged) if row[1] == label]
        generator.shuffle(indices)
        validation.update(indices[: round(0.1 * len(indices))])
    test = read(f"{FOLDER}/test/SemEval2017-task4-test.subtask-A.english.txt")
    return {
        "train": [row for i, row in enumerate(merged) if i not in validation],
        "validation": [merged[index] for index in sorted(validation)],
        "test": list(_tweets(test).values()),
    }


def _tweets(content):
    """Returns text and label by the tweet's number; a later one replaces an earlier."""
    tweets = {}
    for line in content.decode().rstrip("\n").split("\n"):
        number, label, *texts = line.rstrip().split("\t")
        tweets[number] = (_cleaned(" ".join(texts)), label)
    return tweets


def _cleaned(text):
    r"""Undoes CSV's quoting, `\uXXXX` and HTML's escapes.

    >>> _cleaned('"a ""great\\u002c"" day &amp; night"')
    'a "great," day & night'
    """
    if '""' in text:
        if text[0] == text[-1] == '"':
            text = text[1:-1]
        text = text.replace('\\""', '"').replace('""', '"')
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
    return " ".join(html.unescape(text).split())
