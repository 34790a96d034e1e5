"""Sarcasm Corpus V2, GEN, in the splits that its file holds."""

import io
import pickle

LABELS = ("not_sarcastic", "sarcastic")
INDICES = {"train": "train_ind", "validation": "val_ind", "test": "test_ind"}


class _PlainData(pickle.Unpickler):
    """Loads containers, numbers and strings, and imports nothing.

    `RestrictedUnpickler`, which trusts no file, knows PyTorch's protocol 2 alone, and
    this one is of protocol 0. Before it is read, its sum has been checked.
    """

    def find_class(self, module_name, global_name):
        raise pickle.UnpicklingError(
            f"The file names {module_name}.{global_name}; it must hold plain data."
        )


def rows(read):
    """Returns rows of text and label by split.

    Args:
        read: function that returns the bytes of a source file.
    """
    corpus = _PlainData(io.BytesIO(read("data/SCv2-GEN/raw.pickle"))).load()
    texts = [text.replace("\n", " ").strip() for text in corpus["texts"]]
    labels = [LABELS[info["label"]] for info in corpus["info"]]
    return {
        split: [(texts[index], labels[index]) for index in corpus[key]]
        for split, key in INDICES.items()
    }
