"""A small classifier of each kind that is exported for TF Serving."""

import keras

from rigs import small_backbones as small
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.tasks import MultiLabel, Ordinal, Regression, SingleLabel
from siatl_keras.text import WordTokenizer

WORDS = ["so", "glad", "my", "flight", "is", "late", "what", "a", "day", "!", "not"]
TASKS = {
    "classes": SingleLabel(["no", "yes", "perhaps"]),
    "several labels": MultiLabel(["a", "b", "c"]),
    "ordinal": Ordinal([1, 2, 3, 4]),
    "regression": Regression.from_labels([30, 20, 40, 10]),
}


def classifier_of(task, tokenizer=None, **preprocessor):
    """Makes a classifier whose answers differ from text to text.

    Args:
        task: key of `TASKS`.
        tokenizer: of words if not given.
        **preprocessor: arguments of `SiATLPreprocessor`.
    """
    keras.utils.set_random_seed(3)
    if tokenizer is None:
        tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *WORDS])
    model = SiATLClassifier(
        LSTMBackbone(tokenizer.vocabulary_size(), 6, hidden_dim=8, num_layers=1),
        preprocessor=SiATLPreprocessor(tokenizer, 12, **preprocessor),
        task=TASKS[task],
        units=5,
        word_scores=preprocessor.get("long_texts") == "words",
    )
    for weight in model.task_head.trainable_variables:
        weight.assign(keras.random.normal(weight.shape, seed=5))
    return model


MAKERS = {
    **{task: lambda task=task: classifier_of(task) for task in TASKS},
    "pairs": lambda: classifier_of("classes", pairs=True),
    "windows": lambda: classifier_of("classes", long_texts="windows"),
    "word scores": lambda: classifier_of("classes", long_texts="words"),
    "byte pairs": lambda: classifier_of("classes", small.small_tokenizer("Qwen3")),
    "KerasHub": lambda: small.small_classifier("GPT2"),
}
