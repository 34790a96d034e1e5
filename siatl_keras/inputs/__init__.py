"""What users pass to `fit`, `evaluate` and `predict`, turned into one form."""

from siatl_keras.inputs.batches import packed_batches
from siatl_keras.inputs.column import Column
from siatl_keras.inputs.labelled_texts import LabelledTexts, labelled_texts
from siatl_keras.inputs.plain_texts import plain_texts
from siatl_keras.inputs.texts import as_text_tensor, as_texts
from siatl_keras.inputs.validation_split import validation_split

__all__ = [
    "Column",
    "LabelledTexts",
    "as_text_tensor",
    "as_texts",
    "labelled_texts",
    "packed_batches",
    "plain_texts",
    "validation_split",
]
