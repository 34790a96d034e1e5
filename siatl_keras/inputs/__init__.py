"""What users pass to `fit`, `evaluate` and `predict`, turned into one form."""

from siatl_keras.inputs.batches import packed_batches
from siatl_keras.inputs.class_labels import ClassLabels
from siatl_keras.inputs.class_weights import class_weights
from siatl_keras.inputs.labelled_texts import LabelledTexts, labelled_texts
from siatl_keras.inputs.plain_texts import plain_texts
from siatl_keras.inputs.texts import as_text_tensor, as_texts
from siatl_keras.inputs.validation_split import validation_split

__all__ = [
    "ClassLabels",
    "LabelledTexts",
    "as_text_tensor",
    "as_texts",
    "class_weights",
    "labelled_texts",
    "packed_batches",
    "plain_texts",
    "validation_split",
]
