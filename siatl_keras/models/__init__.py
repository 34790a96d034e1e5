"""Language models and classifiers, as KerasHub backbones, preprocessors and tasks."""

from siatl_keras.models.average_embeddings import average_embeddings
from siatl_keras.models.backbone_class import (
    backbone_class,
    number_of_layers,
    vocabulary_size,
)
from siatl_keras.models.default_optimizer import default_optimizer
from siatl_keras.models.learn_word_scores import learn_word_scores
from siatl_keras.models.lstm_backbone import LSTMBackbone
from siatl_keras.models.lstm_causal_lm import LSTMCausalLM
from siatl_keras.models.lstm_causal_lm_preprocessor import LSTMCausalLMPreprocessor
from siatl_keras.models.siatl_classifier import SiATLClassifier
from siatl_keras.models.siatl_preprocessor import SiATLPreprocessor
from siatl_keras.models.word_share import word_outputs, word_share

__all__ = [
    "backbone_class",
    "LSTMBackbone",
    "LSTMCausalLM",
    "LSTMCausalLMPreprocessor",
    "SiATLClassifier",
    "SiATLPreprocessor",
    "average_embeddings",
    "default_optimizer",
    "learn_word_scores",
    "number_of_layers",
    "vocabulary_size",
    "word_outputs",
    "word_share",
]
