"""Wrong files, columns and settings of what reads files."""

import functools

import numpy as np

from benchmarks.robustness.wrong_inputs.parts import (
    ANY,
    NAN,
    NO_COUNT,
    NO_SIZE,
    NO_SIZE_GIVEN,
    TEXTS,
    WORDS,
    argument_rows,
    classifier,
    tokenizer,
)
from siatl_keras import (
    data,
    export,
    inputs,
    models,
    runs,
    tasks,
    text,
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
        "utf16.tsv": "text\tlabel\na\tb\n".encode("utf-16-le"),
        "columns.csv": b"a,b\nno words,no\nof this,or\n",
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
    for column in ("tweet", "", 3):
        row = functools.partial(data.read_examples, good, text_column=column)
        yield f"read_examples(text_column={column!r})", "text_column", row
        row = functools.partial(data.read_examples, good, label_column=column)
        yield f"read_examples(label_column={column!r})", "label_column", row
    for column in ("text", "tweet", 3):
        row = functools.partial(data.read_examples, good, pair_column=column)
        yield f"read_examples(pair_column={column!r})", "pair_column", row
    one = folder / "one.tsv"
    one.write_text("text\tlabel\na\tyes\nb\tyes\n")
    column = inputs.Column.of_file(data.read_examples(one))
    for kind in tasks.TASKS.values():
        yield (
            f"one label, {kind.kind}",
            "one.tsv",
            functools.partial(kind.from_labels, column),
        )
    column = inputs.Column.of_file(data.read_examples(good))
    for task in (
        tasks.SingleLabel(["no", "maybe"]),
        tasks.MultiLabel(["no", "maybe"]),
        tasks.Ordinal(["no", "maybe"]),
        tasks.Regression(),
    ):
        yield (
            f"unknown label, {task.kind}",
            "good.tsv",
            functools.partial(task.encode, column),
        )
    words_only = functools.partial(tasks.Ordinal.from_labels, column)
    yield "levels without an order", "good.tsv", words_only

    preprocessor = models.LSTMCausalLMPreprocessor(tokenizer(), 8)
    right = {"paths": [good], "preprocessor": preprocessor, "batch_size": 2}
    wrong = {
        "paths": ([], [folder / "missing.tsv"]),
        "batch_size": NO_SIZE,
        "skip_steps": NO_COUNT,
        "text_column": ("tweet",),
    }
    yield from argument_rows("lm_dataset", data.lm_dataset, right, wrong)
    right = {"paths": [good], "size": 10, "progress": False}
    wrong = {
        "size": (4, *NO_SIZE),
        "min_count": NO_COUNT,
        "words_held": (1, NAN, "x"),
        "normalizer": ("lowercase", 3),
    }
    yield from argument_rows("build_vocabulary", text.build_vocabulary, right, wrong)
    right = {
        "texts": TEXTS,
        "targets": [0, 1] * 4,
        "preprocessor": models.SiATLPreprocessor(tokenizer(), 8),
        "batch_size": 2,
    }
    wrong = {
        "texts": ([], "one text", [None], [3], 3),
        "targets": ([0], ["a"] * 8, [NAN] * 8),
        "batch_size": NO_SIZE,
        "sample_weight": ([1.0], [NAN] * 8, ["a"] * 8, [-1.0] * 8),
    }
    yield from argument_rows(
        "classification_dataset", data.classification_dataset, right, wrong
    )
    wrong = {
        "class_weight": ("unbalanced", {0: 1.0, 1: NAN}, {0: 1.0, 1: -1.0}, {0: "a"}, 3)
    }
    names = tasks.LabelNames(["no", "yes"])
    right = {"classes": names, "labels": np.array([0, 1])}
    yield from argument_rows("class_weights", tasks.class_weights, right, wrong)
    wrong = {"vocabulary": (str(folder), str(folder / "missing.txt"), str(good))}
    yield from argument_rows("WordTokenizer", text.WordTokenizer, {}, wrong, name=False)

    presets = (str(folder), str(folder / "missing"), "", None)
    for preset in presets:
        for kind in (models.SiATLClassifier, models.LSTMCausalLM):
            yield (
                f"{kind.__name__}.from_preset({preset!r})",
                ANY,
                functools.partial(kind.from_preset, preset),
            )
    right = {
        "train": str(good),
        "validation": str(good),
        "lm": str(folder / "missing"),
        "output": str(folder / "run"),
    }
    for argument, values in {
        "method": ("nonsense", 3),
        "text_column": ("tweet",),
        "label_column": ("stars",),
        "epochs": NO_SIZE_GIVEN,
        "gamma_initial": (0.0, -1.0, NAN),
        "schedule": ("cosine",),
        "task": ("nonsense",),
        "levels": ("no,yes",),
    }.items():
        for value in values:
            row = functools.partial(_finetune, **{**right, argument: value})
            yield f"finetune({argument}={value!r})", argument, row
    for task in ("ordinal", "regression"):
        row = functools.partial(_finetune, **{**right, "task": task})
        yield f"finetune(task={task!r} of words)", "good.tsv", row
    yield (
        "finetune(train=missing)",
        "nowhere.tsv",
        functools.partial(_finetune, **{**right, "train": "nowhere.tsv"}),
    )
    yield (
        "finetune(output missing)",
        "output",
        functools.partial(_finetune, **{**right, "output": None}),
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
        lambda: runs.explain([], ["a"], folder / "e"),
    )


def _finetune(**settings):
    return runs.finetune(runs.FinetuneConfig(**settings))
