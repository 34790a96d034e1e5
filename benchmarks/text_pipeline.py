"""Raw texts to token ids in tf.data: `python -m benchmarks.text_pipeline`.

On tweets where they lie beside the repository, on made-up ones elsewhere.
"""

import tensorflow as tf

from benchmarks import report
from benchmarks.contest import Contestant, contest
from benchmarks.tweets import REAL, texts
from siatl_keras.text import TextNormalizer, WordTokenizer

TEXTS = 60_000


def normalize_all():
    """Makes the work of normalising all texts."""
    return _run(TextNormalizer(), texts(TEXTS))


def tokenize_all():
    """Makes the work of normalising, splitting and looking up."""
    lines = texts(TEXTS)
    words = {word for line in lines for word in line.lower().split()}
    words -= {"<pad>", "<s>", "</s>", "<unk>"}
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *sorted(words)])
    return _run(tokenizer.tokenize, lines)


def measure():
    """Compares ours with ekphrasis."""
    peer = Contestant(
        "benchmarks.peers.ekphrasis_tweets:normalize_all", {"count": TEXTS}
    )
    kind = "tweets" if REAL.exists() else "made-up tweets"
    return [
        {
            "work": f"{work}, {kind}",
            "units": {"count": TEXTS, "name": "texts"},
            **contest(
                {
                    "ours": Contestant(f"benchmarks.text_pipeline:{function}"),
                    "ekphrasis": peer,
                },
                rounds=9,
            ),
        }
        for work, function in (
            ("normalise", "normalize_all"),
            ("normalise, split and look up", "tokenize_all"),
        )
    ]


def _run(function, lines):
    dataset = tf.data.Dataset.from_tensor_slices(lines).batch(512)
    dataset = dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.prefetch(tf.data.AUTOTUNE)

    def work():
        for _ in dataset:
            pass

    return work


if __name__ == "__main__":
    report.show("text_pipeline", measure())
