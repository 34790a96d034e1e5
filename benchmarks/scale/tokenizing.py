"""What one core reads: `python -m benchmarks.scale.tokenizing [PRESET]`.

By seconds of processor time: texts from a file, out of gzip, to token ids of words and,
with a preset that has them, of byte pairs; and how many distinct words turn up. On
tweets where they lie beside the repository, on made-up ones elsewhere.
"""

import gzip
import statistics
import sys
import tempfile
import time
from pathlib import Path

import keras_hub
import tensorflow as tf

from benchmarks.report import RESULTS, machine
from benchmarks.tweets import REAL, texts
from siatl_keras.atomic import write_json
from siatl_keras.data import read_texts
from siatl_keras.models import LSTMCausalLM
from siatl_keras.models.byte_pair_encoder import BytePairEncoder
from siatl_keras.text import TextNormalizer

WORD_PRESET = "saved_models/tweets_lstm_small_en"
TEXTS, BATCH, ROUNDS = 20_000, 512, 7
COUNTED = (100_000, 1_000_000)


def measure(encode, lines):
    """Times a function of a batch of texts that returns how many tokens they have.

    By the processor's time, which other work on the machine changes little.

    Returns:
        dict of tokens a text, and tokens a second: the median, lowest and highest.
    """
    batches = [tf.constant(lines[i : i + BATCH]) for i in range(0, len(lines), BATCH)]
    rates = []
    for _ in range(ROUNDS + 1):  # The first one traces.
        begin = time.process_time()
        tokens = sum(int(encode(batch)) for batch in batches)
        rates.append(tokens / (time.process_time() - begin))
    del rates[0]
    return {
        "tokens_per_text": tokens / len(lines),
        "tokens_per_second": statistics.median(rates),
        "spread": [min(rates), max(rates)],
    }


def words():
    """Makes the function that splits a batch and looks its words up."""
    tokenizer = LSTMCausalLM.from_preset(WORD_PRESET).preprocessor.tokenizer
    return tf.function(lambda batch: tf.size(tokenizer.tokenize(batch).flat_values))


def byte_pairs(preset):
    """Makes the function that gives a batch byte pairs."""
    encoder = BytePairEncoder(keras_hub.tokenizers.Tokenizer.from_preset(preset))
    return tf.function(lambda batch: tf.size(encoder.encode(batch, 64).flat_values))


def gunzip(lines):
    """Returns the bytes a second that one core gets out of gzip."""
    packed = gzip.compress("\n".join(lines).encode())
    begin = time.process_time()
    size = len(gzip.decompress(packed))
    return size / (time.process_time() - begin)


def reading(lines):
    """Returns the texts a second that the one thread of Python reads from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.txt"
        path.write_text("\n".join(lines), "utf-8")
        begin = time.process_time()
        count = sum(1 for _ in read_texts([path]))
        return count / (time.process_time() - begin)


def distinct_words(lines):
    """Counts the words of texts, all and distinct."""
    split = tf.function(TextNormalizer().split)
    found, total = set(), 0
    for begin in range(0, len(lines), BATCH):
        batch = split(tf.constant(lines[begin : begin + BATCH])).flat_values.numpy()
        total += len(batch)
        found.update(batch)
    return {"texts": len(lines), "tokens": total, "distinct": len(found)}


def main():
    """Measures, prints and writes `results/tokenizing.json`."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    lines = texts(max(COUNTED))
    some = lines[:TEXTS]
    found = {
        "machine": machine(),
        "texts": "tweets" if REAL.exists() else "made-up tweets",
        "bytes_per_text": sum(len(line.encode()) + 1 for line in some) / len(some),
        "gunzip_bytes_per_second": gunzip(lines),
        "texts_read_per_second": reading(lines),
        "words": measure(words(), some),
        "vocabulary": [distinct_words(lines[:count]) for count in COUNTED],
    }
    if sys.argv[1:]:
        found["byte_pairs"] = measure(byte_pairs(sys.argv[1]), some)
    write_json(Path(RESULTS) / "tokenizing.json", found)
    print({key: value for key, value in found.items() if key != "machine"})


if __name__ == "__main__":
    main()
