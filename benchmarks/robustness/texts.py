"""Strange texts: as many finite answers as texts, whatever else is in the batch.

python -m benchmarks.robustness.texts
"""

import unicodedata

import keras
import numpy as np
import tensorflow as tf

from benchmarks.robustness.outcomes import mutated, report, tally
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.text import WordTokenizer

SEED = 17
BATCHES = 150
TEXTS_PER_BATCH = 32
LONGEST = 2_000_000
SAMPLES = [
    "so glad my flight is delayed again :-) #NotFunny @somebody https://t.co/abc",
    "SOOO much $5,000.00 on 8/21/82 at 9:30 pm, call 555-123-4567 !!! 50%",
    "&amp;lt; &#128514; &#99999999; &#x2019; &nbsp; &&&;;; <user> </s> <pad> <unk>",
    "你好，世界 привет мир שלום مرحبا नमस्ते 안녕 \N{GRINNING FACE}",
    "e\u0301 \u200b\u200d\u2060\ufeff\u202e \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "it isn't; he's 'quoted' \"twice\" ... --- ((( ))) \x02user\x03 \x05\x0f_\x10_",
]
# Pieces whose repetition is hard on patterns, or on what counts characters.
PIECES = ["a", "A", "!", "#", "@a", "&", "&#1;", "\u0301", "\0", "<", "1.", "a.", "ﷺ"]
CHARACTERS = [0x80, 0x800, 0x3000, 0x10000, 0x110000]


def strange_texts(count, generator, longest=LONGEST):
    """Yields texts as bytes, not all of them UTF-8.

    Args:
        count: int, how many.
        generator: `numpy.random.Generator`.
        longest: int, bytes of the longest ones; these are rare.
    """
    for _ in range(count):
        kind = generator.choice(
            ["mutated", "characters", "bytes", "repeated", "empty", "long"],
            p=[0.45, 0.25, 0.1, 0.15, 0.03, 0.02],
        )
        if kind == "mutated":
            text = _one_of(SAMPLES, generator)
            for _ in range(generator.integers(1, 5)):
                text = mutated(text, generator) or b"a"
        elif kind == "characters":
            text = _characters(generator).encode()
        elif kind == "bytes":
            text = generator.bytes(int(generator.integers(1, 200)))
        elif kind == "repeated":
            piece = _one_of(PIECES, generator)
            text = piece * int(2 ** generator.uniform(0, 12))
        elif kind == "long":
            piece = _one_of(PIECES + SAMPLES, generator)
            text = piece * (longest // len(piece))
        else:
            text = [b"", b" ", b"\n", b"\0", b"\xff"][generator.integers(5)]
        yield text


def _one_of(texts, generator):
    return texts[generator.integers(len(texts))].encode()  # numpy would drop a "\0".


def _characters(generator):
    limit = int(generator.choice(CHARACTERS))
    codes = generator.integers(0, limit, int(generator.integers(1, 100)))
    return "".join(chr(c) for c in codes if not 0xD800 <= c < 0xE000)


def tiny_classifier():
    """Returns an untrained classifier, the same at every call."""
    keras.utils.set_random_seed(1)
    words = [
        "so",
        "glad",
        "my",
        "flight",
        "is",
        "a",
        "!",
        "<user>",
        "<url>",
        "<number>",
    ]
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *words])
    return SiATLClassifier(
        LSTMBackbone(tokenizer.vocabulary_size(), 8, hidden_dim=12, num_layers=2),
        num_classes=3,
        preprocessor=SiATLPreprocessor(tokenizer, 20),
        units=6,
    )


class Checks:
    """What must hold of every batch of texts."""

    def __init__(self):
        self.model = tiny_classifier()
        self.tokenizer = self.model.preprocessor.tokenizer
        text = tf.TensorSpec([None], tf.string)
        self.split = tf.function(self.tokenizer.split, input_signature=[text])
        self.tokenize = tf.function(
            self.model.preprocessor.tokenize, input_signature=[text]
        )
        self.classify = tf.function(self.model.classify_texts, input_signature=[text])

    def check(self, texts, generator):
        """Raises `AssertionError` if something does not hold.

        Args:
            texts: list of bytes.
            generator: chooses what shares a batch.
        """
        order = generator.permutation(len(texts))
        some = order[: max(1, len(texts) // 4)]
        whole, shuffled, part = (
            [texts[i] for i in chosen] for chosen in (range(len(texts)), order, some)
        )

        words = self.split(whole).to_list()
        assert self.split(part).to_list() == [words[i] for i in some], "other words"
        for word in {word for row in words for word in row}:
            characters = word.decode("utf-8")  # Raises if it is not whole.
            assert characters and not any(
                unicodedata.category(c) in ("Cc", "Zs", "Zl", "Zp") for c in characters
            ), f"a word that holds {characters[:20]!r}"

        token_ids = self.tokenize(whole)
        assert token_ids.nrows() == len(texts), "other rows"
        assert 2 <= min(token_ids.row_lengths()) <= max(token_ids.row_lengths()) <= 20
        ids = token_ids.flat_values.numpy()
        assert ids.min() >= 1 and ids.max() < self.tokenizer.vocabulary_size()

        logits = self.classify(whole).numpy()
        assert logits.shape == (len(texts), 3) and np.isfinite(logits).all()
        for name, chosen, batch in (("all", order, shuffled), ("some", some, part)):
            difference = abs(self.classify(batch).numpy() - logits[chosen]).max()
            assert difference < 1e-5, f"{difference} apart in a batch of {name}"

    def check_predict(self, texts):
        """Compares `predict` on str with the graph's answers on bytes."""
        texts = [text.decode("utf-8", errors="replace") for text in texts]
        predicted = self.model.predict(texts, verbose=0)
        logits = self.classify([text.encode() for text in texts]).numpy()
        assert predicted.shape == logits.shape
        assert abs(predicted - logits).max() < 1e-5, "predict says something else"


def run(batches=BATCHES, seed=SEED, longest=LONGEST):
    """Asks a tiny classifier about strange texts.

    Args:
        batches: int, of `TEXTS_PER_BATCH` texts.
        seed: int.
        longest: int, bytes of the longest texts.

    Returns:
        what `tally` returns, and the number of texts.
    """
    generator = np.random.default_rng(seed)
    checks = Checks()

    def attempts():
        for number in range(batches):
            texts = list(strange_texts(TEXTS_PER_BATCH, generator, longest))
            yield f"batch {number}", lambda t=texts: checks.check(t, generator)
            if number % 10 == 0:
                yield f"predict {number}", lambda t=texts: checks.check_predict(t)

    return {"texts": batches * TEXTS_PER_BATCH, **tally(attempts(), refusals=())}


if __name__ == "__main__":
    report("texts", SEED, run())
