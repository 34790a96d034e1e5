"""SNIPS: validation is 5 % of each intent's official training texts."""

import json
import random

INTENTS = (
    "AddToPlaylist",
    "BookRestaurant",
    "GetWeather",
    "PlayMusic",
    "RateBook",
    "SearchCreativeWork",
    "SearchScreeningEvent",
)
FOLDER = "2017-06-custom-intent-engines"


def rows(read):
    """Returns rows of text and label by split.

    Args:
        read: function that returns the bytes of a source file.
    """
    generator = random.Random(42)
    train, validation, test = [], [], []
    for intent in INTENTS:
        texts = _texts(read(f"{FOLDER}/{intent}/train_{intent}_full.json"), intent)
        generator.shuffle(texts)
        held_out = round(0.05 * len(texts))
        validation += [(text, intent) for text in texts[:held_out]]
        train += [(text, intent) for text in texts[held_out:]]
        official = read(f"{FOLDER}/{intent}/validate_{intent}.json")
        test += [(text, intent) for text in _texts(official, intent)]
    generator.shuffle(validation)
    generator.shuffle(train)
    return {"train": train, "validation": validation, "test": test}


def _texts(content, intent):
    requests = json.loads(_decoded(content))[intent]
    texts = ["".join(part["text"] for part in each["data"]) for each in requests]
    return [text.replace("\t", " ").replace("\n", " ").strip() for text in texts]


def _decoded(content):
    """Decodes UTF-8; the few bytes that are none one by one, as cp1252."""
    text = ""
    while content:
        try:
            return text + content.decode()
        except UnicodeDecodeError as error:
            good, wrong = content[: error.start], content[error.start :]
            text += good.decode() + wrong[:1].decode("cp1252")
            content = wrong[1:]
    return text
