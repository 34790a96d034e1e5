"""Files and a language model for whole runs of methods."""

import random

import keras
import keras_hub
import pytest

from rigs.small_task import BAD, GOOD, TELLING, WORDS
from siatl_keras.models import LSTMBackbone, LSTMCausalLM, LSTMCausalLMPreprocessor
from siatl_keras.text import WordTokenizer


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    generator = random.Random(0)
    paths = []
    for name, size in (("train", 32), ("validation", 8), ("test", 12)):
        rows = [
            f"{generator.choice(texts)}\t{label}"
            for label, texts in (("good", GOOD), ("bad", BAD))
            for _ in range(size // 2)
        ]
        path = folder / f"{name}.tsv"
        path.write_text("\n".join(["text\tlabel", *rows]) + "\n", "utf-8")
        paths.append(str(path))
    return paths


@pytest.fixture(scope="module")
def lm(tmp_path_factory):
    """A preset whose embedding's first number tells the class of a word."""
    keras.utils.set_random_seed(3)
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *WORDS])
    backbone = LSTMBackbone(len(WORDS) + 4, 6, hidden_dim=8, num_layers=2)
    table = backbone.token_embedding.embeddings.numpy()
    table[4:, 0] = [TELLING.get(word, 0.0) for word in WORDS]
    backbone.token_embedding.embeddings.assign(table)
    folder = tmp_path_factory.mktemp("lm") / "preset"
    model = LSTMCausalLM(backbone, LSTMCausalLMPreprocessor(tokenizer, 12))
    model.save_to_preset(str(folder))
    return str(folder)


@pytest.fixture(scope="module")
def transformer(tmp_path_factory):
    """A preset of a small random GPT-2, as KerasHub saves it."""
    keras.utils.set_random_seed(3)
    letters = ["<|endoftext|>", *sorted({*"".join(WORDS)}), "Ġ", "so"]
    tokenizer = keras_hub.models.GPT2Tokenizer(
        {letter: number for number, letter in enumerate(letters)}, merges=["s o"]
    )
    causal_lm = keras_hub.models.GPT2CausalLM(
        keras_hub.models.GPT2Backbone(len(letters), 2, 2, 8, 16),
        keras_hub.models.GPT2CausalLMPreprocessor(tokenizer),
    )
    folder = tmp_path_factory.mktemp("transformer") / "preset"
    causal_lm.save_to_preset(str(folder))
    return str(folder)
