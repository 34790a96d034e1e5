"""A small experiment: texts that tell their class, a language model, a flag file."""

import random

import keras
import pytest

from siatl_keras.models import LSTMBackbone, LSTMCausalLM, LSTMCausalLMPreprocessor
from siatl_keras.runs.pretrain_language_model import save_preset
from siatl_keras.text import WordTokenizer

GOOD = ["so glad today", "what a lovely day", "really good flight", "i love this"]
BAD = ["so sad today", "what an awful day", "really bad flight", "i hate this"]
SIZES = {"train": 24, "validation": 8, "test": 12}


@pytest.fixture(scope="session")
def small_experiment(tmp_path_factory):
    """A folder with flags/small.flags, and the data and preset that it names."""
    folder = tmp_path_factory.mktemp("experiment")
    generator = random.Random(0)
    for name, size in SIZES.items():
        rows = [
            f"{generator.choice(texts)}{generator.choice(['', '!', ' again'])}\t{label}"
            for label, texts in (("good", GOOD), ("bad", BAD))
            for _ in range(size // 2)
        ]
        lines = ["text\tlabel", *rows]
        (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    words = sorted({word for text in GOOD + BAD for word in text.split()})
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "!", *words])
    # The same weights in every run: a search's scores must not tie by chance.
    keras.utils.set_random_seed(1)
    lm = LSTMCausalLM(
        LSTMBackbone(tokenizer.vocabulary_size(), 6, hidden_dim=8, num_layers=1),
        LSTMCausalLMPreprocessor(tokenizer, 16),
    )
    (folder / "lm").mkdir()
    save_preset(lm, folder / "lm", "float32")
    flags = [f"--{name}={folder}/{name}.tsv" for name in SIZES]
    flags += [f"--lm={folder}/lm", "--epochs=2", "--backbone_epoch=1", "--units=4"]
    flags += ["--embedding_epoch=2", "--batch_size=8", "--devices=cpu"]
    (folder / "flags").mkdir()
    (folder / "flags" / "small.flags").write_text("\n".join(flags) + "\n")
    return folder
