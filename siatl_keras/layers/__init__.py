"""Keras layers of language models and task heads."""

from siatl_keras.layers.attention_pooling import AttentionPooling
from siatl_keras.layers.concat_pooling import ConcatPooling
from siatl_keras.layers.embedding_dropout import EmbeddingDropout
from siatl_keras.layers.last_pooling import LastPooling
from siatl_keras.layers.linear_block import LinearBlock
from siatl_keras.layers.lstm import LSTM
from siatl_keras.layers.mean_pooling import MeanPooling
from siatl_keras.layers.poolings import POOLINGS
from siatl_keras.layers.sampled_cross_entropy import sampled_cross_entropy
from siatl_keras.layers.sliced_cross_entropy import sliced_cross_entropy
from siatl_keras.layers.task_head import TaskHead
from siatl_keras.layers.token_embedding import TokenEmbedding

__all__ = [
    "LSTM",
    "POOLINGS",
    "AttentionPooling",
    "ConcatPooling",
    "EmbeddingDropout",
    "LastPooling",
    "LinearBlock",
    "MeanPooling",
    "TaskHead",
    "TokenEmbedding",
    "sampled_cross_entropy",
    "sliced_cross_entropy",
]
