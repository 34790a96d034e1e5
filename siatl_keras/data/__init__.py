"""Readers and tf.data pipelines."""

from siatl_keras.data.batch_order import batch_order
from siatl_keras.data.classification import classification_dataset
from siatl_keras.data.epoch_counter import EpochCounter
from siatl_keras.data.language_modeling import lm_dataset
from siatl_keras.data.length_order import length_order
from siatl_keras.data.padding_share import padding_share
from siatl_keras.data.readers import Examples, read_examples, read_texts
from siatl_keras.data.row_error import BadRows, RowError
from siatl_keras.data.table_formats import FORMATS
from siatl_keras.data.text_batches import (
    arriving_batches,
    in_batches,
    pairs_of_lines,
)
from siatl_keras.data.text_coverage import TextCoverage, text_coverage
from siatl_keras.data.token_index import TokenIndex
from siatl_keras.data.token_shards import TokenShards
from siatl_keras.data.write_token_shards import write_token_shards

__all__ = [
    "BadRows",
    "FORMATS",
    "EpochCounter",
    "Examples",
    "RowError",
    "TextCoverage",
    "TokenIndex",
    "TokenShards",
    "arriving_batches",
    "batch_order",
    "classification_dataset",
    "in_batches",
    "length_order",
    "lm_dataset",
    "padding_share",
    "pairs_of_lines",
    "read_examples",
    "read_texts",
    "text_coverage",
    "write_token_shards",
]
