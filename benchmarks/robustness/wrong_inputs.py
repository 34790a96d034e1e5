"""Wrong inputs over the public API: each is refused in words that name the argument.

python -m benchmarks.robustness.wrong_inputs
"""

import functools
import itertools
import re
import tempfile
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from benchmarks.robustness.outcomes import report, tally
from siatl_keras import (
    callbacks,
    data,
    distribute,
    evaluation,
    export,
    layers,
    models,
    text,
    training,
    workflows,
)

NAN, INF = float("nan"), float("inf")
NO_SIZE = (0, -1, 2.5, "4", None, NAN, True)
NO_COUNT = (-1, 2.5, "4", NAN)
NO_SHARE = (-0.1, 1.0, 1.5, NAN, "0.5", None)
NO_RATE = (0.0, -1e-3, NAN, INF, "fast", None)
NO_EPOCH = (0, -1, 2.5, "2", NAN)
NO_FLAG = ("yes", 2, None)
WORDS = ["<pad>", "<s>", "</s>", "<unk>", "good", "bad", "day", "!"]
TEXTS = ["good day", "bad day", "good !", "bad !"] * 2
LABELS = ["yes", "no"] * 4
ANY = None  # Where there is no argument to name.
# Where a message may speak of what the argument holds.
SAME = {
    "x": "texts",
    "y": "labels",
    "paths": "missing.tsv",
    "predictions": "label_names",
    "models": "model",
}


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


# Function, arguments that are right, and by argument what is wrong.
CONSTRUCTORS = {
    "LSTMBackbone": (
        backbone,
        {},
        {
            "vocabulary_size": NO_SIZE,
            "embedding_dim": NO_SIZE,
            "hidden_dim": NO_SIZE,
            "num_layers": NO_SIZE,
            "embedding_noise": (-1.0, NAN, "x"),
            "embedding_dropout": NO_SHARE,
            "input_dropout": NO_SHARE,
            "hidden_dropout": NO_SHARE,
            "output_dropout": NO_SHARE,
            "recurrent_weight_dropout": NO_SHARE,
            "input_droput": (0.5,),
        },
    ),
    "SiATLClassifier": (
        classifier,
        {},
        {
            "backbone": (None, "a preset", keras.layers.Dense(2)),
            "num_classes": (0, 1, 3, -1, 2.5, "2"),
            "label_names": (
                [],
                ["one"],
                ["a", "a"],
                {"a", "b"},
                "ab",
                [None, "a"],
                ["a", "a\u200b"],
                ["é", "e\u0301"],
            ),
            "preprocessor": (tokenizer(), "a preset"),
            "auxiliary_loss": NO_FLAG,
            "units": NO_SIZE,
            "num_layers": NO_COUNT,
            "bidirectional": NO_FLAG,
            "pooling": ("max", None, 1),
            "input_dropout": NO_SHARE,
            "lstm_dropout": NO_SHARE,
            "attention_dropout": NO_SHARE,
            "output_dropout": NO_SHARE,
            "block_units": NO_COUNT,
            "block_dropout": NO_SHARE,
            "gradient_checkpointing": (True, "yes"),
            "input_droput": (0.5,),
        },
    ),
    "LSTMCausalLM": (
        language_model,
        {},
        {"backbone": (None, "a preset"), "preprocesor": (None,)},
    ),
    "SiATLPreprocessor": (
        models.SiATLPreprocessor,
        {"tokenizer": tokenizer()},
        {
            "tokenizer": (None, "words"),
            "sequence_length": (1, *NO_SIZE),
            "add_start_token": NO_FLAG,
            "add_end_token": NO_FLAG,
            "pad_to_sequence_length": NO_FLAG,
            "sequence_lenght": (8,),
        },
    ),
    "LSTMCausalLMPreprocessor": (
        models.LSTMCausalLMPreprocessor,
        {"tokenizer": tokenizer()},
        {"tokenizer": (None, "words"), "sequence_length": (1, *NO_SIZE)},
    ),
    "TaskHead": (
        layers.TaskHead,
        {"num_classes": 2, "units": 4},
        {
            "num_classes": (1, *NO_SIZE),
            "units": NO_SIZE,
            "num_layers": (None, *NO_COUNT),
            "bidirectional": NO_FLAG,
            "pooling": ("max", None),
            "input_dropout": NO_SHARE,
            "lstm_dropout": NO_SHARE,
            "attention_dropout": NO_SHARE,
            "output_dropout": NO_SHARE,
            "block_units": (None, *NO_COUNT),
            "block_dropout": NO_SHARE,
        },
    ),
    "LSTM": (
        layers.LSTM,
        {"units": 4},
        {"units": NO_SIZE, "recurrent_weight_dropout": NO_SHARE},
    ),
    "AttentionPooling": (layers.AttentionPooling, {}, {"dropout": NO_SHARE}),
    "EmbeddingDropout": (
        layers.EmbeddingDropout,
        {"vocabulary_size": 4, "rate": 0.5},
        {"vocabulary_size": NO_SIZE, "rate": NO_SHARE},
    ),
    "LinearBlock": (
        layers.LinearBlock,
        {"units": 4},
        {"units": NO_SIZE, "dropout": NO_SHARE, "activation": ("nonsense",)},
    ),
    "TokenEmbedding": (
        layers.TokenEmbedding,
        {"input_dim": 4, "output_dim": 4},
        {"input_dim": NO_SIZE, "output_dim": NO_SIZE},
    ),
    "GammaDecay": (
        callbacks.GammaDecay,
        {},
        {
            "initial": NO_RATE,
            "final": NO_RATE,
            "epochs": NO_SIZE,
            "per": ("batch", None),
            "schedule": (0.5, "constant"),
        },
    ),
    "SequentialUnfreezing": (
        callbacks.SequentialUnfreezing,
        {},
        {
            "backbone_epoch": NO_EPOCH,
            "embedding_epoch": (1, *NO_EPOCH),
            "optimizers": ({1: "sgd"}, {"2": "sgd"}, {2: "nonsense"}, "sgd"),
            "layers_per_epoch": NO_EPOCH,
        },
    ),
    "WeightAveraging": (callbacks.WeightAveraging, {}, {"momentum": NO_SHARE}),
    "BackupAndRestore": (callbacks.BackupAndRestore, {}, {"backup_dir": ("", None, 3)}),
    "SetEpoch": (callbacks.SetEpoch, {}, {"counter": (None, 3)}),
    "SlantedTriangular": (
        training.SlantedTriangular,
        {"max_rate": 0.1, "steps": 10},
        {
            "max_rate": NO_RATE,
            "steps": NO_SIZE,
            "cut_fraction": NO_SHARE,
            "ratio": (0.5, NAN, INF, "x"),
        },
    ),
    "OneCycle": (
        training.OneCycle,
        {"max_rate": 0.1, "steps": 10},
        {
            "max_rate": NO_RATE,
            "steps": NO_SIZE,
            "div": (0.5, NAN, INF, "x"),
            "final_div": (0.5, NAN, INF, "x"),
            "start_fraction": NO_SHARE,
        },
    ),
    "OneCycleMomentum": (
        training.OneCycleMomentum,
        {"steps": 10},
        {
            "steps": NO_SIZE,
            "high": (0.5, *NO_SHARE),
            "low": (0.99, *NO_SHARE),
            "start_fraction": NO_SHARE,
        },
    ),
    "paper_optimizer": (
        training.paper_optimizer,
        {},
        {
            "task_learning_rate": NO_RATE,
            "pretrained_learning_rate": NO_RATE[:-1],
            "clipnorm": (-1.0, 0.0, NAN, "x"),
            "schedule": ("nonsense", None),
            "task_steps": NO_SIZE,
            "pretrained_steps": NO_SIZE,
            "pretrained_optimizer": ("rmsprop", None),
        },
    ),
    "discriminative_optimizer": (
        training.discriminative_optimizer,
        {"steps": {"task": 2}, "learning_rate": 0.1},
        {
            "steps": ({}, {"task": 0}, {"task": "2"}, 3),
            "learning_rate": NO_RATE,
            "divisor": (0.0, -1.0, NAN, "x"),
            "clipnorm": (-1.0, 0.0, NAN, "x"),
            "schedule": ("nonsense",),
            "beta_1": NO_SHARE,
            "beta_2": NO_SHARE,
        },
    ),
    "scheduled_sgd": (
        training.scheduled_sgd,
        {"schedule": "constant", "rate": 0.1, "steps": 2},
        {"schedule": ("nonsense", None), "rate": NO_RATE, "steps": NO_SIZE},
    ),
    "GroupedOptimizer": (
        training.GroupedOptimizer,
        {},
        {"optimizers": ({}, {"task": 3}, {"task": None}, "sgd", ["sgd"])},
    ),
    "MacroF1": (training.MacroF1, {}, {"num_classes": (1, *NO_SIZE)}),
    "WordTokenizer": (
        text.WordTokenizer,
        {},
        {
            "vocabulary": (
                [],
                ["a", "b"],
                [*WORDS, "good"],
                [*WORDS, ""],
                [*WORDS, "two words"],
                [*WORDS, None],
                [*WORDS, 3],
                3,
            ),
            "normalizer": ("lowercase", 3),
        },
    ),
    "TextNormalizer": (
        text.TextNormalizer,
        {},
        {"lowercase": (*NO_FLAG, 1), "lowercas": (True,)},
    ),
    "LabelMap": (
        data.LabelMap,
        {},
        {
            "names": (
                [],
                ["a"],
                ["a", "a"],
                ["a", "a\u200b"],
                ["é", "e\u0301"],
                None,
                "ab",
            )
        },
    ),
    "strategy_from_devices": (
        distribute.strategy_from_devices,
        {},
        {"devices": ("tpu", "gpu:99", "cpu:0", "cpu:x", "", None)},
    ),
    "set_mixed_precision": (
        distribute.set_mixed_precision,
        {},
        {"policy": ("float8", "", None)},
    ),
    "experiment_grid": (
        workflows.experiment_grid,
        {"datasets": {"a": 10}, "methods": ["siatl"], "seeds": 1},
        {
            "methods": (["nonsense"],),
            "seeds": (0, -1),
            "subset_sizes": ([0], [-1]),
            "gammas": ([-1.0], [NAN]),
        },
    ),
}


def constructor_rows():
    """Yields a row for each wrong argument: description, argument, function."""
    for name, (function, right, wrong) in CONSTRUCTORS.items():
        for argument, values in wrong.items():
            for value in values:
                yield (
                    f"{name}({argument}={value!r})",
                    argument,
                    functools.partial(function, **{**right, argument: value}),
                )


def file_rows(folder):
    """Yields a row for each wrong file, column or setting of what reads files."""
    good = folder / "good.tsv"
    good.write_text("text\tlabel\ngood day\tyes\nbad day\tno\n")
    words = folder / "words.txt"
    words.write_text("".join(f"{word}\n" for word in WORDS))
    contents = {
        "empty.tsv": b"",
        "header.tsv": b"text\tlabel\n",
        "fields.tsv": b"text\tlabel\na\n",
        "bytes.tsv": b"text\tlabel\n\xff\ta\n",
        "quotes.csv": b'text,label\n"a,b\n',
        "number.jsonl": b'{"text": 1, "label": "a"}\n',
        "list.jsonl": b"[]\n",
        "broken.jsonl": b"{\n",
        "utf16.tsv": "text\tlabel\na\tb\n".encode("utf-16"),
        "not.gz.tsv.gz": b"text\tlabel\n",
        "book.xlsx": b"PK\x03\x04",
        "zip.tsv": b"PK\x03\x04",
        "none.unknown": b"a",
        "labels.txt": b"a\n",
    }
    for name, content in contents.items():
        path = folder / name
        path.write_bytes(content)
        yield (
            f"read_examples({name})",
            name,
            functools.partial(data.read_examples, path),
        )
    paths = [folder, folder / "missing.tsv", "gs://b/a.tsv", "", None, 3]
    for path in paths:
        yield (
            f"read_examples({path!r})",
            ANY,
            functools.partial(data.read_examples, path),
        )
        texts = functools.partial(lambda p: list(data.read_texts(p)), path)
        yield f"read_texts({path!r})", ANY, texts
    for column in ("tweet", "", None, 3):
        row = functools.partial(data.read_examples, good, text_column=column)
        yield f"read_examples(text_column={column!r})", "text_column", row
        row = functools.partial(data.read_examples, good, label_column=column)
        yield f"read_examples(label_column={column!r})", "label_column", row
    one = folder / "one.tsv"
    one.write_text("text\tlabel\na\tyes\nb\tyes\n")
    label_map = data.LabelMap(["no", "maybe"])
    examples = data.read_examples(good)
    yield (
        "one class",
        "one.tsv",
        lambda: data.LabelMap.from_examples(data.read_examples(one)),
    )
    yield "unknown label", "good.tsv", lambda: label_map.encode(examples)

    preprocessor = models.LSTMCausalLMPreprocessor(tokenizer(), 8)
    right = {"paths": [good], "preprocessor": preprocessor, "batch_size": 2}
    wrong = {
        "paths": ([], [folder / "missing.tsv"]),
        "batch_size": NO_SIZE,
        "skip_steps": NO_COUNT,
        "shuffle_buffer": (0, -1),
        "text_column": ("tweet",),
    }
    yield from _rows("lm_dataset", data.lm_dataset, right, wrong)
    right = {"paths": [good], "size": 10, "progress": False}
    wrong = {
        "size": (4, *NO_SIZE),
        "min_count": NO_COUNT,
        "words_held": (1, NAN, "x"),
        "normalizer": ("lowercase", 3),
    }
    yield from _rows("build_vocabulary", text.build_vocabulary, right, wrong)
    right = {
        "texts": TEXTS,
        "labels": [0, 1] * 4,
        "preprocessor": models.SiATLPreprocessor(tokenizer(), 8),
        "batch_size": 2,
    }
    wrong = {
        "texts": ([], "one text", [None], [3], 3),
        "labels": ([0], ["a"] * 8, [0.5] * 8),
        "batch_size": NO_SIZE,
        "sample_weight": ([1.0], [NAN] * 8, ["a"] * 8, [-1.0] * 8),
    }
    yield from _rows(
        "classification_dataset", data.classification_dataset, right, wrong
    )
    wrong = {
        "class_weight": ("unbalanced", {0: 1.0, 1: NAN}, {0: 1.0, 1: -1.0}, {0: "a"}, 3)
    }
    right = {"labels": [0, 1]}
    yield from _rows("class_weight", data.class_weight_to_sample_weight, right, wrong)
    wrong = {"vocabulary": (str(folder), str(folder / "missing.txt"), str(good))}
    yield from _rows("WordTokenizer", text.WordTokenizer, {}, wrong, name=False)

    presets = (str(folder), str(folder / "missing"), "", None)
    for preset in presets:
        for kind in (models.SiATLClassifier, models.LSTMCausalLM):
            yield (
                f"{kind.__name__}.from_preset({preset!r})",
                ANY,
                functools.partial(kind.from_preset, preset),
            )
    files = [str(good), str(good), "", str(folder / "missing"), str(folder / "run")]
    for argument, values in {
        "method": ("nonsense", None),
        "text_column": ("tweet",),
        "label_column": ("stars",),
    }.items():
        for value in values:
            row = functools.partial(workflows.finetune, *files, **{argument: value})
            yield f"finetune({argument}={value!r})", argument, row
    yield (
        "finetune(train=missing)",
        "nowhere.tsv",
        functools.partial(workflows.finetune, "nowhere.tsv", *files[1:]),
    )
    yield (
        "export(no preprocessor)",
        "preprocessor",
        lambda: export.export_saved_model(
            classifier(preprocessor=None), folder / "served"
        ),
    )
    yield (
        "export(a word)",
        "model",
        lambda: export.export_saved_model("x", folder / "s"),
    )
    yield (
        "explain(no model)",
        "models",
        lambda: workflows.explain([], ["a"], folder / "e"),
    )


def _rows(description, function, right, wrong, name=True):
    for argument, values in wrong.items():
        for value in values:
            call = functools.partial(function, **{**right, argument: value})
            yield (
                f"{description}({argument}={value!r})",
                argument if name else ANY,
                call,
            )


def evaluation_rows():
    """Yields rows of what compares predictions."""
    right = {"labels": [0, 1], "predictions": [0, 1], "label_names": ["a", "b"]}
    wrong = {
        "labels": ([0], []),
        "predictions": ([0], [], [0, 2], [[NAN, 0.0], [0.0, 1.0]]),
        "label_names": (["a"], ["only one"], []),
    }
    yield from _rows("evaluate", evaluation.evaluate_predictions, right, wrong)
    right = {"labels": [0, 1], "first": [[0, 1]], "second": [[1, 1]], "num_classes": 2}
    wrong = {
        "labels": ([], [0]),
        "first": ([[0]], [[]]),
        "num_classes": (1, 0),
        "samples": (0, -1),
    }
    yield from _rows("paired_bootstrap", evaluation.paired_bootstrap, right, wrong)


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
    yield from _rows("fit", model.fit, right, wrong)
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
        "loss": ("nonsense", "sparse_categorical_crossentropy", 3),
        "metrics": (["nonsense"], 3),
        "sampled_words": (1, 0, -1, 99, 2.5, "3"),
        "jit_compile": (True,),
        "optimiser": ("adam",),
    }
    yield from _rows("compile", lambda **kw: classifier().compile(**kw), {}, wrong)
    yield from _rows(
        "LSTMCausalLM.compile",
        lambda **kw: language_model().compile(**kw),
        {},
        {name: wrong[name] for name in ("optimizer", "sampled_words", "jit_compile")},
    )
    plain = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    plain.compile("sgd", "mse")
    for callback in (
        callbacks.GammaDecay(),
        callbacks.SequentialUnfreezing(verbose=0),
    ):
        yield (
            f"{type(callback).__name__} on another model",
            type(callback).__name__,
            functools.partial(
                plain.fit, np.ones((2, 1)), np.ones(2), verbose=0, callbacks=[callback]
            ),
        )


def rows(folder):
    """Returns all rows: description, argument that must be named, function."""
    return list(
        itertools.chain(
            constructor_rows(), file_rows(folder), evaluation_rows(), model_rows()
        )
    )


def refused(argument, function):
    """Calls a function that must refuse, and checks what it says.

    Args:
        argument: str that the message must hold, or `ANY`.
        function: without arguments.

    Raises:
        ValueError: or `TypeError`, as it should be.
        AssertionError: if it answers, or names no argument.
    """
    try:
        function()
    except (ValueError, TypeError) as error:
        names = (argument, SAME.get(argument, argument))
        named = argument is ANY or any(
            re.search(rf"\b{re.escape(name)}\b", str(error)) for name in names
        )
        assert named, f"does not name {argument}: {type(error).__name__}: {error}"
        raise
    raise AssertionError("answered")


def check(rows):
    """Tries rows.

    Args:
        rows: iterable of description, argument that must be named, function.

    Returns:
        what `tally` returns.
    """
    tries = (
        (description, functools.partial(refused, argument, function))
        for description, argument, function in rows
    )
    return tally(tries, refusals=(ValueError, TypeError))


def run():
    """Tries all rows; returns what `tally` returns."""
    with tempfile.TemporaryDirectory() as folder:
        return check(rows(Path(folder)))


if __name__ == "__main__":
    report("wrong_inputs", 0, run())
