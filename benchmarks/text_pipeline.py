"""How fast texts become tokens: `python -m benchmarks.text_pipeline`.

Synthetic tweets, so that it runs anywhere; prints texts a second over tf.data with all
cores, median of five runs after a warm-up, as JSON.
"""

import json
import os
import random
import statistics
import time

import tensorflow as tf

import recipes  # noqa: F401  (quiet start of TensorFlow)
from siatl_keras.text import TextNormalizer, WordTokenizer

TEXTS = 40_000
RUNS = 5
PARTS = [
    "so glad my flight is late again",
    "what a day",
    "can't wait for it",
    "really not my thing",
    "@somebody",
    "http://t.co/abcde",
    "#MondayMood",
    "soooo good",
    "NEVER AGAIN",
    "at 10:30 pm",
    "5%",
    ":-)",
    "!!!",
    "😀",
    "&amp;",
]


def main():
    """Measures and prints."""
    generator = random.Random(0)
    texts = [" ".join(generator.choices(PARTS, k=4)) for _ in range(TEXTS)]
    words = sorted({word for part in PARTS for word in part.lower().split()})
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *words])
    results = {"texts": TEXTS, "cores": os.cpu_count()}
    for name, function in (
        ("normalise", TextNormalizer()),
        ("normalise, split, look up", tokenizer.tokenize),
    ):
        dataset = tf.data.Dataset.from_tensor_slices(texts).batch(2048)
        dataset = dataset.map(function, num_parallel_calls=tf.data.AUTOTUNE)
        rates = []
        for _ in range(RUNS + 1):
            started = time.perf_counter()
            for _ in dataset:
                pass
            rates.append(TEXTS / (time.perf_counter() - started))
        results[name] = round(statistics.median(rates[1:]))
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
