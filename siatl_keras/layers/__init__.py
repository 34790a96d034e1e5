"""Keras layers of language models."""

from siatl_keras.layers.embedding_dropout import EmbeddingDropout
from siatl_keras.layers.lstm import LSTM
from siatl_keras.layers.token_embedding import TokenEmbedding

__all__ = [
    "EmbeddingDropout",
    "LSTM",
    "TokenEmbedding",
]
