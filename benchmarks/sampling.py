"""What sampled words save of a fine-tuning step: `python -m benchmarks.sampling`.

Stage 3, at the size of the shipped language model and at the paper's.
"""

from benchmarks.contest import Contestant, contest

SHIPPED = {
    "vocabulary": 20_000,
    "embedding": 300,
    "hidden": 640,
    "time": 128,
}
SIZES = {"shipped, 128 tokens": SHIPPED, "the paper's, 40 tokens": {}}
DTYPES = ("float32", "mixed_bfloat16")
WORDS = (2048, 8192)


def measure(dtype, sizes):
    """Makes steps on all words and on samples, in turn; returns what `contest` does."""
    step = {"stage": 3, "dtype": dtype, **sizes}
    function = "benchmarks.ours:finetuning_step"
    sampled = {
        f"ours, {words} words": Contestant(function, {**step, "sampled_words": words})
        for words in WORDS
    }
    return contest({"all words": Contestant(function, step), **sampled})


def main():
    """Prints a line for each size and dtype."""
    for name, sizes in SIZES.items():
        for dtype in DTYPES:
            figures = measure(dtype, sizes)
            parts = [f"all words {1e3 * figures['seconds']['all words']:,.0f} ms"]
            for ours, ratios in figures["ratio"].items():
                own = f"{1e3 * figures['seconds'][ours]:,.0f} ms"
                parts.append(
                    f"{ours.removeprefix('ours, ')} {own} "
                    f"({ratios['all words']:.2f} times as fast)"
                )
            print(f"{name}, {dtype}: {', '.join(parts)}", flush=True)


if __name__ == "__main__":
    main()
