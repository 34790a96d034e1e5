"""What `import_gguf` makes of a file, beside what transformers makes of it.

python -m benchmarks.gguf --checkpoint=model.gguf --texts=texts.txt

Needs the extras [bench] and [gguf], and a file that transformers can read.
"""

import itertools
import os
import tempfile

import numpy as np
import torch
from absl import app, flags
from transformers import AutoModelForCausalLM, AutoTokenizer

from siatl_keras.data import read_texts
from siatl_keras.importers import import_gguf

FLAGS = flags.FLAGS
flags.DEFINE_string("checkpoint", None, "The .gguf file.", required=True)
flags.DEFINE_string("texts", None, "English texts.", required=True)
flags.DEFINE_integer("most_texts", 100, "Of these, from the top.", lower_bound=1)
LENGTH = 128


def ours(checkpoint):
    """Returns functions that give a text's token ids, and a row's logits."""
    with tempfile.TemporaryDirectory() as folder:
        model = import_gguf(checkpoint, os.path.join(folder, "preset"))
    preprocessor = model.preprocessor
    tokenizer = preprocessor.tokenizer
    start = [tokenizer.start_token_id] if preprocessor.add_start_token else []

    def logits(row):
        rows = np.array([row])
        return np.asarray(model({"token_ids": rows, "padding_mask": rows * 0 + 1}))[0]

    return lambda text: start + [int(token) for token in tokenizer(text)], logits


def theirs(checkpoint):
    """Does the same by transformers."""
    folder, name = os.path.split(os.path.abspath(checkpoint))
    model = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=name, dtype=torch.float32
    )
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)

    @torch.no_grad()
    def logits(row):
        return model(torch.tensor([row])).logits[0].numpy()

    return lambda text: tokenizer(text)["input_ids"], logits


def loss_of(logits, row):
    """Sums -log p of each token but the first."""
    logits = logits[:-1].astype("float64")
    highest = logits.max(-1)
    total = highest + np.log(np.exp(logits - highest[:, None]).sum(-1))
    return (total - logits[np.arange(len(row) - 1), row[1:]]).sum()


def main(_):
    """Compares token ids and logits, and measures the perplexity of each."""
    texts = list(itertools.islice(read_texts(FLAGS.texts), FLAGS.most_texts))
    sides = [ours(FLAGS.checkpoint), theirs(FLAGS.checkpoint)]
    tokens = [[encode(text) for text in texts] for encode, _ in sides]
    differ = sum(one != other for one, other in zip(*tokens, strict=True))
    largest, difference, losses, count = 0.0, 0.0, np.zeros(2), 0
    for row in (row[:LENGTH] for row in tokens[0] if len(row) > 1):
        logits = [logits_of(row) for _, logits_of in sides]
        largest = max(largest, np.abs(logits[1]).max())
        difference = max(difference, np.abs(logits[0] - logits[1]).max())
        losses += [loss_of(each, row) for each in logits]
        count += len(row) - 1
    perplexities = np.exp(losses / count)
    print(f"texts with other tokens: {differ} of {len(texts)}")
    print(f"largest difference of logits: {difference:.2g}, of {largest:.3g} at most")
    print(
        f"perplexity: {perplexities[0]:.2f}, by transformers {perplexities[1]:.2f} "
        f"({count} tokens)"
    )


if __name__ == "__main__":
    app.run(main)
