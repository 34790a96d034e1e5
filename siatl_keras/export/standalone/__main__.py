"""Answers texts, a line of JSON each: `python -m standalone "a text" "another"`.

Without texts, those of the lines of the standard input; of a model of pairs, the two
texts of a line with a tab between.
"""

import json
import sys

from .answer import Classifier


def main() -> None:
    """Answers what the command line or the standard input has."""
    lines = sys.argv[1:] or sys.stdin.read().splitlines()
    classifier = Classifier()
    pairs = classifier.reader.settings["pairs"]
    texts = [tuple(line.split("\t", 1)) for line in lines] if pairs else lines
    for answer in classifier.answer(texts):
        print(json.dumps(answer, ensure_ascii=False))


if __name__ == "__main__":
    main()
