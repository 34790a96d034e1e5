"""From the states of a language model to the outputs of a task: poolings, layers."""

from siatl_keras.heads.attention_pooling import AttentionPooling
from siatl_keras.heads.concat_pooling import ConcatPooling
from siatl_keras.heads.last_pooling import LastPooling
from siatl_keras.heads.linear_block import LinearBlock
from siatl_keras.heads.mean_pooling import MeanPooling
from siatl_keras.heads.poolings import POOLINGS
from siatl_keras.heads.task_head import TaskHead
from siatl_keras.heads.word_scores import WordScores

__all__ = [
    "AttentionPooling",
    "ConcatPooling",
    "LastPooling",
    "LinearBlock",
    "MeanPooling",
    "POOLINGS",
    "TaskHead",
    "WordScores",
]
