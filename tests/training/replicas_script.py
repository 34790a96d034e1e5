"""Compares one device with several logical CPU devices; run by test_replicas.py.

Takes their number and prints, as JSON, the largest difference in each case.
Batches of 8 texts: 25 leave one text in the last, so that other replicas get none.
"""

import json
import sys
import tempfile
from pathlib import Path

import keras
import keras_hub
import numpy as np
import tensorflow as tf
from tiny_classifier import WORDS, tiny_classifier, tiny_texts

from siatl_keras.callbacks import (
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    WeightAveraging,
)
from siatl_keras.models import (
    LSTMBackbone,
    LSTMCausalLM,
    LSTMCausalLMPreprocessor,
    SiATLClassifier,
)
from siatl_keras.text import WordTokenizer
from siatl_keras.training import (
    GroupedOptimizer,
    SyncedLossScaleOptimizer,
    discriminative_optimizer,
)
from siatl_keras.training.replica_share import LossOverReplicas
