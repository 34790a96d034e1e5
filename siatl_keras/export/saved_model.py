"""`export_saved_model`: a classifier as TF Serving takes it, strings in.

The tokenizer, its vocabulary and the names of the classes are inside; the LM head is
not. The graph runs where only TensorFlow and tensorflow_text are installed.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from siatl_keras.arguments import check_whole
from siatl_keras.atomic import partial_folder, write_json, write_text
from siatl_keras.export.served import (
    check_reads_texts,
    description,
    portable_lstms,
    text_endpoints,
    text_inputs,
    token_endpoints,
    token_inputs,
    tokenizes_in_graph,
)
from siatl_keras.export.serving_warmup import write_warmup_requests
from siatl_keras.export.versions import as_next_version
from siatl_keras.extras import install_command, is_installed
from siatl_keras.models.raw_text_task import RawTextTask

WARMUP_BATCHES = (1, 8, 32)


def export_saved_model(
    model: Any,
    directory: str | os.PathLike[str],
    model_card: str = "",
    top_k: int = 5,
) -> str:
    """Writes a SavedModel into the next free version of a folder.

    Its signatures take `text`, string `[batch]`, and for a model of pairs `text_pair`,
    the second texts; or, with a warning, what the preprocessor makes of texts, int32
    `[batch, time]`, where the tokenizer runs Python code.
    `serving_default` returns what the task answers: `label` (string `[batch]`),
    `label_id` (int32 `[batch]`) and `probabilities` (float32 `[batch, classes]`) of
    classes and levels; `labels` (string `[batch]`, commas between), `is_label` (bool
    `[batch, labels]`) and `probabilities` where texts have several; `value` (float32
    `[batch]`) of a regression. `tokens`, for texts, also returns
    `tokens` (string `[batch, time]`, "" at padding) and, unless the model's pooling has
    no weights ("mean", "concat"), `attention` (float32 `[batch, time]`). `top_k`, of
    labels, returns the most probable ones, best first: `labels` (string `[batch, k]`)
    and `probabilities`. `classify` and, of a regression, `regress` answer TF Serving's
    APIs of these names, whose examples have the features `text` and `text_pair`.

    `assets.extra` holds `served.json`, what is served (labels, task and its settings),
    and, for texts, requests that warm the server up.

    Args:
        model: a `SiATLClassifier` with a preprocessor.
        directory: folder of the served model; versions are its numbered subfolders.
        model_card: Markdown, what the model is, which goes into `assets.extra` as
            README.md; "" for none.
        top_k: int, how many labels the signature `top_k` returns, if there are so many.

    Returns:
        the folder written, `<directory>/<version>`.

    Raises:
        ValueError: if the model is no classifier, or has no preprocessor, or `top_k` is
            no whole number, at least 1.

    Example:
    >>> path = export_saved_model(model, "saved_models/sarcasm")  # doctest: +SKIP
    >>> served = tf.saved_model.load(path)  # doctest: +SKIP
    """
    check_reads_texts(model)
    check_whole(1, top_k=top_k)
    root = Path(directory)
    texts_in = tokenizes_in_graph(model.preprocessor)
    with partial_folder(root) as folder:
        archive = keras.export.ExportArchive()
        if texts_in:
            # In a module: Keras tracks no layer that was never called.
            tables = tf.Module(name="tables")
            tables.tables = model.preprocessor.tables
            archive.track(tables)
        endpoints = (text_endpoints if texts_in else token_endpoints)(model, top_k)
        with portable_lstms(model):
            for name, (function, inputs) in endpoints.items():
                archive.add_endpoint(name, function, inputs)
            archive.write_out(str(folder), verbose=False)
        extra = folder / "assets.extra"
        extra.mkdir()
        write_json(extra / "served.json", description(model))
        if texts_in:
            _warm_up(extra, text_inputs(model), list(endpoints))
        else:
            taken = " and ".join(f"`{name}`" for name in token_inputs(model))
            warnings.warn(
                f"{type(model.preprocessor.tokenizer).__name__} runs Python code, "
                f"which a SavedModel cannot hold: this one takes {taken}, as "
                "`model.preprocessor` makes them, not `text`.",
                stacklevel=2,
            )
        if model_card:
            write_text(extra / "README.md", model_card)
        return str(as_next_version(folder, root))


def _warm_up(folder: Path, inputs: Sequence[str], signatures: Sequence[str]) -> None:
    if is_installed("tensorflow_serving"):
        write_warmup_requests(folder, WARMUP_BATCHES, inputs, signatures)
        return
    warnings.warn(
        "No warm-up requests: tensorflow_serving is not installed. TF Serving takes "
        "the model all the same, and is slow to answer first; "
        f"{install_command('tensorflow_serving')}.",
        stacklevel=3,
    )


RawTextTask.export_writers["tf_saved_model"] = export_saved_model
