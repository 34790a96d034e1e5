"""Small models and wrong values that the tables of wrong inputs share."""

import functools

import tensorflow as tf

from siatl_keras import (
    models,
    text,
)

NAN, INF = float("nan"), float("inf")
NO_SIZE = (0, -1, 2.5, "4", None, NAN, True)
# Of what may be left out.
NO_SIZE_GIVEN = tuple(value for value in NO_SIZE if value is not None)
NO_COUNT = (-1, 2.5, "4", NAN)
NO_SHARE = (-0.1, 1.0, 1.5, NAN, "0.5", None)
NO_RATE = (0.0, -1e-3, NAN, INF, "fast", None)
NO_EPOCH = (0, -1, 2.5, "2", NAN)
NO_FLAG = ("yes", 2, None)
NO_NAMES = ([], ["a"], ["a", "a"], ["a", "a\u200b"], ["é", "e\u0301"], None, "ab")
WORDS = ["<pad>", "<s>", "</s>", "<unk>", "good", "bad", "day", "!"]
TEXTS = ["good day", "bad day", "good !", "bad !"] * 2
LABELS = ["yes", "no"] * 4
ANY = None  # Where there is no argument to name.


def tokenizer():
    """Returns a tokenizer of four words."""
    return text.WordTokenizer(WORDS)


def backbone(**arguments):
    """Returns a backbone of a few units."""
    sizes = {"embedding_dim": 4, "hidden_dim": 4, "num_layers": 1}
    return models.LSTMBackbone(**{"vocabulary_size": len(WORDS), **sizes, **arguments})


def classifier(**arguments):
    """Returns a classifier of a few units."""
    defaults = {
        "backbone": backbone(),
        "preprocessor": models.SiATLPreprocessor(tokenizer(), 8),
        "label_names": ["no", "yes"],
        "units": 4,
    }
    return models.SiATLClassifier(**{**defaults, **arguments})


def language_model(**arguments):
    """Returns a language model of a few units."""
    preprocessor = models.LSTMCausalLMPreprocessor(tokenizer(), 8)
    defaults = {"backbone": backbone(), "preprocessor": preprocessor}
    return models.LSTMCausalLM(**{**defaults, **arguments})


def call_layer(layer, *inputs):
    """Makes a layer's weights too: some arguments are only used then."""
    layer(*(tf.ones(shape) for shape in inputs))


def argument_rows(description, function, right, wrong, name=True):
    """Yields a row for each wrong value: description, argument to name, function.

    Args:
        description: of the function.
        function: to be called.
        right: dict of arguments that are right.
        wrong: dict of argument to wrong values.
        name: bool, whether the message must name the argument.
    """
    for argument, values in wrong.items():
        for value in values:
            call = functools.partial(function, **{**right, argument: value})
            yield (
                f"{description}({argument}={value!r})",
                argument if name else ANY,
                call,
            )
