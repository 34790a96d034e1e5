"""An exported model with a byte-pair tokenizer reads 100 000 new words: memory, speed.

KerasHub's tokenizer keeps each of them. The first words fill TensorFlow's own buffers;
growth is counted after them.

    python -m benchmarks.robustness.new_words
"""

import random
import tempfile
import time
from pathlib import Path

import keras_hub
import numpy as np
import tensorflow as tf

from benchmarks.robustness.outcomes import report
from siatl_keras.export import export_saved_model
from siatl_keras.models import SiATLClassifier, SiATLPreprocessor

SEED = 22
WORDS = 100_000
PER_TEXT, TEXTS = 10, 250
LETTERS = "abcdefghilmnoprstwy"
MERGES = ["d a", "da y", "Ġ day", "g o", "o d", "go od", "Ġ good"]


def small_model():
    """Makes a classifier on a small GPT-2."""
    words = ["<|endoftext|>", *LETTERS, "Ġ", *(m.replace(" ", "") for m in MERGES)]
    tokenizer = keras_hub.models.GPT2Tokenizer(
        {word: number for number, word in enumerate(words)}, MERGES
    )
    backbone = keras_hub.models.GPT2Backbone(
        len(words), 1, num_heads=2, hidden_dim=4, intermediate_dim=8
    )
    return SiATLClassifier(backbone, 2, SiATLPreprocessor(tokenizer, 64))


def new_texts(count, generator):
    """Makes texts of words of twelve letters, which nobody has seen."""
    return [
        " ".join("".join(generator.choices(LETTERS, k=12)) for _ in range(PER_TEXT))
        for _ in range(count)
    ]


def resident_bytes():
    """Returns the memory of this process."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * 4096


def growth(answer, words, generator):
    """Returns the bytes that a function keeps of so many new words, and its speed."""
    batch = PER_TEXT * TEXTS
    for _ in range(4):
        answer(tf.constant(new_texts(TEXTS, generator)))
    before, begin = resident_bytes(), time.monotonic()
    for _ in range(-(-words // batch)):
        answer(tf.constant(new_texts(TEXTS, generator)))
    return resident_bytes() - before, words / (time.monotonic() - begin)


def main():
    """Measures the served model and, for comparison, KerasHub's tokenizer."""
    model = small_model()
    generator = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        path = export_saved_model(model, folder)
        served = tf.saved_model.load(path).signatures["serving_default"]
        texts = new_texts(50, generator)
        expected = tf.nn.softmax(model.predict(texts, verbose=0)).numpy()
        answers = served(text=tf.constant(texts))["probabilities"].numpy()
        kept, speed = growth(lambda x: served(text=x), WORDS, generator)
    tokenizer = model.preprocessor.tokenizer
    cached = tf.function(
        tokenizer.tokenize, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    kept_before, speed_before = growth(cached, WORDS, generator)
    report(
        "new_words",
        SEED,
        {
            "words": WORDS,
            "served_kept_bytes": kept,
            "served_words_per_second": round(speed),
            "keras_hub_tokenizer_kept_bytes": kept_before,
            "keras_hub_tokenizer_words_per_second": round(speed_before),
            "largest_difference": float(np.abs(answers - expected).max()),
        },
    )


if __name__ == "__main__":
    main()
