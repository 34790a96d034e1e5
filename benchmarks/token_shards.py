"""What tokenizing once saves in pretraining: `python -m benchmarks.token_shards`.

Tokenizes the tweets of `benchmarks.tweets` with the shipped vocabulary, and takes
batches as `recipes.pretrain_lm` does, from the texts and from the tokens; each in a
process of its own, whose peak memory is shown.
"""

import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.tweets import REAL, texts

VOCABULARY = "saved_models/tweets_lstm_small_en/assets/tokenizer/vocabulary.txt"
BATCH, BATCHES = 96, 2_000
# Steps that are skipped; all of 50 000 windows over texts would take ten minutes.
SKIPS = {
    ("tokens", False): (0, 5_000, 50_000),
    ("tokens", True): (0, 5_000, 50_000),
    ("texts", False): (0, 5_000, 50_000),
    ("texts", True): (0, 5_000),
}


def tokenize(corpus, folder):
    """Writes the shards."""
    from siatl_keras.runs import TokenizeConfig, tokenize_corpus

    config = TokenizeConfig(corpus=(corpus,), vocabulary=VOCABULARY, output=folder)
    found = tokenize_corpus(config, progress=False)
    print(
        f"{found['texts']:,} texts, {found['tokens']:,} tokens: {found['bytes']:,} "
        f"bytes in {found['seconds']:.0f} s, peak {found['peak_memory_mb']:.0f} MB",
        flush=True,
    )


def read(source, path, stream):
    """Takes batches, and the first after so many that are skipped."""
    from siatl_keras.data import lm_dataset
    from siatl_keras.models import LSTMCausalLMPreprocessor
    from siatl_keras.text import WordTokenizer

    preprocessor = LSTMCausalLMPreprocessor(WordTokenizer(VOCABULARY), 64)

    def batches(skip):
        return iter(
            lm_dataset(
                path,
                preprocessor,
                BATCH,
                seed=0,
                stream=stream,
                repeat=True,
                skip_steps=skip,
            )
        )

    next(batches(0))  # What is done once in a process.
    rows = "windows" if stream else "sentences"
    for skip in SKIPS[source, stream]:
        started = time.perf_counter()
        iterator = batches(skip)
        next(iterator)
        seconds = time.perf_counter() - started
        print(f"{source}, {rows}: {seconds:.2f} s after {skip:,} steps", flush=True)
    iterator = batches(0)
    next(iterator)
    started = time.perf_counter()
    for _ in range(BATCHES):
        next(iterator)
    rate = BATCHES / (time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{source}, {rows}: {rate:.0f} batches/s, peak {peak:.0f} MB", flush=True)


def alone(function, *arguments):
    """Calls a function in a new process."""
    process = multiprocessing.get_context("spawn").Process(
        target=function, args=arguments
    )
    process.start()
    process.join()


def main():
    """Measures all of it, one after the other."""
    with tempfile.TemporaryDirectory() as work:
        corpus = str(REAL)
        if not REAL.exists():
            corpus = f"{work}/texts.txt"
            Path(corpus).write_text("\n".join(texts(900_000)), "utf-8")
        small = Path(work) / "small.txt"
        small.write_text("\n".join(texts(100_000)), "utf-8")
        alone(tokenize, str(small), f"{work}/small")
        alone(tokenize, corpus, f"{work}/tokens")
        for source, stream in SKIPS:
            path = f"{work}/tokens" if source == "tokens" else corpus
            alone(read, source, path, stream)


if __name__ == "__main__":
    main()
