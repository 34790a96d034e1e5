"""The embedding table: of a backbone of any precision, what it looks up."""

import keras
import keras_hub
import numpy as np
import pytest

from siatl_keras.models import LSTMBackbone
from siatl_keras.models.embedding_table import embedding_table

WORDS, WIDTH = 30, 16


def lstm(dtype):
    return LSTMBackbone(WORDS, WIDTH, hidden_dim=8, num_layers=1, dtype=dtype)


def gpt2(dtype):
    return keras_hub.models.GPT2Backbone(WORDS, 1, 2, WIDTH, 32, 0.0, 8, dtype=dtype)


@pytest.mark.parametrize("make", [lstm, gpt2])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "float16"])
def test_it_is_what_the_backbone_looks_up(make, dtype):
    backbone = make(dtype)
    table = embedding_table(backbone)
    assert table.dtype == "float32"
    kept = keras.ops.cast(backbone.token_embedding.embeddings, "float32")
    np.testing.assert_allclose(table, kept, atol=1e-2 if "16" in dtype else 0)


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_of_a_quantized_backbone_it_is_nearly_what_it_was(mode):
    backbone = gpt2("float32")
    before = embedding_table(backbone)
    backbone.quantize(mode)
    after = embedding_table(backbone)
    closest = np.abs(before).max() / (100 if mode == "int8" else 6)
    np.testing.assert_allclose(after, before, atol=closest)
