"""Text in the graph: normaliser, word tokenizer, vocabulary building."""

from siatl_keras.text.build_vocabulary import VocabularyReport, build_vocabulary
from siatl_keras.text.mix_corpora import mix_corpora
from siatl_keras.text.text_normalizer import TextNormalizer
from siatl_keras.text.word_tokenizer import WordTokenizer

__all__ = [
    "TextNormalizer",
    "VocabularyReport",
    "WordTokenizer",
    "build_vocabulary",
    "mix_corpora",
]
