"""Wrong arguments of `compile`, `fit`, `evaluate`, `predict` and comparisons."""

import functools

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from benchmarks.robustness.wrong_inputs.parts import (
    LABELS,
    NAN,
    NO_SIZE,
    TEXTS,
    argument_rows,
    classifier,
    language_model,
)
from recipes.reproduction.paired_bootstrap import paired_bootstrap
from siatl_keras import (
    callbacks,
    evaluation,
)


def evaluation_rows():
    """Yields rows of what compares predictions."""
    right = {"labels": [0, 1], "predictions": [0, 1], "label_names": ["a", "b"]}
    wrong = {
        "labels": ([0], []),
        "predictions": ([0], [], [0, 2], [[NAN, 0.0], [0.0, 1.0]]),
        "label_names": (["a"], ["only one"], []),
    }
    yield from argument_rows("evaluate", evaluation.evaluate_predictions, right, wrong)
    right = {"targets": [0, 1], "first": [[0, 1]], "second": [[1, 1]], "num_classes": 2}
    wrong = {
        "targets": ([], [0]),
        "measure": ("f2", "spearman", None),
        "first": ([[0]], [[]]),
        "num_classes": (1, 0),
        "samples": (0, -1),
    }
    yield from argument_rows("paired_bootstrap", paired_bootstrap, right, wrong)


def model_rows():
    """Yields rows of `compile`, `fit`, `evaluate` and `predict`."""
    model = classifier()
    right = {"x": TEXTS, "y": LABELS, "verbose": 0}
    wrong = {
        "x": (
            "one text",
            [],
            [None, *TEXTS[1:]],
            [NAN, *TEXTS[1:]],
            [3, *TEXTS[1:]],
            [["a"], ["b"]],
            np.ones((8, 2)),
            None,
            3,
            pd.Series([None, *TEXTS[1:]]),
        ),
        "y": (
            None,
            LABELS[:3],
            ["maybe", *LABELS[1:]],
            [0.4, 0.9] * 4,
            [0, 2] * 4,
            [-1, 0] * 4,
            [NAN, 0] * 4,
            [None, *LABELS[1:]],
            "yes",
        ),
        "batch_size": NO_SIZE[:4],
        "sample_weight": ([1.0], [NAN] * 8, ["a"] * 8, np.ones((8, 2))),
        "class_weight": ("unbalanced", {"maybe": 1.0}, {0: NAN}, {5: 1.0}, [1.0], 3),
        "validation_data": (TEXTS, (TEXTS, ["maybe"] * 8), (TEXTS, LABELS[:2]), "x", 3),
        "validation_split": (1.0, -0.5, 1.5, NAN),
        "seed": ("x", 0.5, NAN),
        "epoch": (2,),
    }
    yield from argument_rows("fit", model.fit, right, wrong)
    dataset = tf.data.Dataset.from_tensor_slices((TEXTS, [0, 1] * 4))
    strange = {
        "y": {"x": dataset.batch(2), "y": LABELS},
        "sample_weight": {"x": dataset.batch(2), "sample_weight": [1.0] * 8},
        "batch_size": {"x": dataset.batch(2), "batch_size": 2},
        "class_weight": {"x": dataset.batch(2), "class_weight": {3: 1.0}},
        "batch": {"x": dataset},
    }
    for argument, arguments in strange.items():
        call = functools.partial(model.fit, **arguments, verbose=0)
        yield f"fit(dataset, {argument})", argument, call
    keys = ("x", "y", "sample_weight")
    for argument, value in ((key, value) for key in keys for value in wrong[key]):
        call = functools.partial(model.evaluate, **{**right, argument: value})
        yield f"evaluate({argument}={value!r})"[:80], argument, call
    # None is how Keras says that there is no text at all, [] that there are none.
    for value in (v for v in wrong["x"] if not (isinstance(v, list) and not v)):
        call = functools.partial(model.predict, x=value, verbose=0)
        yield f"predict(x={value!r})"[:80], "x", call
    wrong = {
        "optimizer": ("nonsense", 3, None),
        "loss": ("nonsense", "cosine_similarity", 3),
        "metrics": (["nonsense"], 3),
        "sampled_words": (1, 0, -1, 99, 2.5, "3"),
        "jit_compile": (True,),
        "optimiser": ("adam",),
    }
    yield from argument_rows(
        "compile", lambda **kw: classifier().compile(**kw), {}, wrong
    )
    yield from argument_rows(
        "LSTMCausalLM.compile",
        lambda **kw: language_model().compile(**kw),
        {},
        {name: wrong[name] for name in ("optimizer", "sampled_words", "jit_compile")},
    )
    plain = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    plain.compile("sgd", "mse")
    for callback in (
        callbacks.GammaDecay(),
        callbacks.SequentialUnfreezing(),
    ):
        yield (
            f"{type(callback).__name__} on another model",
            type(callback).__name__,
            functools.partial(
                plain.fit, np.ones((2, 1)), np.ones(2), verbose=0, callbacks=[callback]
            ),
        )
