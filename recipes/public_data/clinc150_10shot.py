"""CLINC150: ten training texts an intent, two of validation, half of the test texts."""

import json

from .drawing import generator_before


def rows(read):
    """Returns rows of text and label by split; `out_of_scope` has texts of no intent.

    Args:
        read: function that returns the bytes of a source file.
    """
    corpus = json.loads(read("data/data_full.json"))
    intents = sorted({intent for _, intent in corpus["train"]})
    generator = generator_before("clinc150_10shot")

    def of_each_intent(part, count):
        drawn = []
        for intent in intents:
            texts = [text for text, label in corpus[part] if label == intent]
            drawn += [(text, intent) for text in generator.sample(texts, count)]
        return drawn

    train, validation = of_each_intent("train", 10), of_each_intent("val", 2)
    test = corpus["test"]
    generator.shuffle(test)
    return {
        "train": train,
        "validation": validation,
        "test": test[: len(test) // 2],
        "out_of_scope": corpus["oos_test"],
    }
