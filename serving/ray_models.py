"""The model that `serving/ray_server.py` serves: its versions, and its batches.

The folder of a model holds numbered versions, each a SavedModel, or a LiteRT or ONNX
model with its `standalone` package. The highest is served; a higher one that appears is
loaded and warmed up beside it, and then takes its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

DEFAULT = "serving_default"
WARM_UP_TEXT = b"A short sentence, such as people send to be classified!"
# Of what waits, so many calls' texts are looked through for those of like length.
CALLS_AHEAD = 8
# Below this, texts are about as long whatever their lengths.
LENGTH_MARGIN = 50
LOG = logging.getLogger("ray.serve")

Columns = dict[str, list[bytes]]
Outputs = dict[str, np.ndarray]


def number_of_texts(columns: Columns) -> int:
    """Counts the texts of a request, which all of its columns have."""
    return len(next(iter(columns.values())))


@dataclass(frozen=True)
class Settings:
    """What `args` of the YAML file say.

    Attributes:
        folder: of the versions.
        name: of the model, in addresses and requests.
        batch_size: most texts of a call of the model.
        wait_ms: how long a call waits for more texts. Those that come while the model
            computes share the next call in any case.
        threads: calls of the model at once, about one a core.
        most_bytes: of a text.
        most_texts: of a request.
    """

    folder: str
    name: str
    batch_size: int = 32
    wait_ms: float = 0
    threads: int = 2
    most_bytes: int = 20_000
    most_texts: int = 512


@dataclass(frozen=True)
class Version:
    """A loaded model.

    Attributes:
        number: its folder's name.
        signatures: what it takes and returns, by name.
        labels: names of the classes; empty if there are none.
        run: function of a signature's name and columns of texts, to arrays
            `[texts, …]`, in a thread.
        batcher: of the requests to `serving_default`.
    """

    number: int
    signatures: dict[str, SignatureDef]
    labels: list[str]
    run: Callable[[str, Columns], Outputs]
    batcher: Batcher

    async def answer(self, signature: str, columns: Columns) -> Outputs:
        """Answers texts.

        Args:
            signature: its name.
            columns: texts by the name of the input, lists of one length.

        Returns:
            arrays `[texts, …]` by the name of the output.
        """
        if signature == DEFAULT:
            return await self.batcher.answer(columns)
        return await self.batcher.in_thread(signature, columns)


@dataclass(eq=False)
class _Waiting:
    """A request whose answer is computed, in one part or several."""

    columns: Columns
    answer: asyncio.Future[Outputs]
    rows: list[int] = field(default_factory=list)
    parts: list[Outputs] = field(default_factory=list)

    def add(self, rows: list[int], part: Outputs) -> None:
        self.rows += rows
        self.parts.append(part)
        if len(self.rows) == number_of_texts(self.columns) and not self.answer.done():
            order = np.argsort(self.rows)
            joined = {k: np.concatenate([p[k] for p in self.parts]) for k in part}
            self.answer.set_result({k: value[order] for k, value in joined.items()})


@dataclass(eq=False)
class _Row:
    request: _Waiting
    number: int
    length: int

    def is_like(self, other: _Row) -> bool:
        """Tells whether both are about as long, in bytes."""
        lengths = self.length + LENGTH_MARGIN, other.length + LENGTH_MARGIN
        return max(lengths) <= 2 * min(lengths)


class Batcher:
    """Joins the texts of many requests to calls of the model, and splits the answers.

    What comes while all threads compute makes the next calls.

    Args:
        run: see `Version`.
        settings: of the server.
    """

    def __init__(
        self, run: Callable[[str, Columns], Outputs], settings: Settings
    ) -> None:
        self.run = run
        self.size, self.wait = settings.batch_size, settings.wait_ms / 1000
        self.most_calls = settings.threads
        self.threads = ThreadPoolExecutor(settings.threads)
        self.rows: list[_Row] = []
        self.calls: set[asyncio.Task[None]] = set()

    async def in_thread(self, signature: str, columns: Columns) -> Outputs:
        """Calls the model as soon as a thread is free; see `Version.answer`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.threads, self.run, signature, columns)

    async def answer(self, columns: Columns) -> Outputs:
        """Answers texts together with those of others; see `Version.answer`."""
        request = _Waiting(columns, asyncio.get_running_loop().create_future())
        self.rows += [
            _Row(request, number, sum(map(len, texts)))
            for number, texts in enumerate(zip(*columns.values(), strict=True))
        ]
        if len(self.calls) < self.most_calls:
            call = asyncio.create_task(self._work())
            self.calls.add(call)
            call.add_done_callback(self.calls.discard)
        return await request.answer

    async def _work(self) -> None:
        while self.rows:
            if self.wait and len(self.rows) < self.size:
                await asyncio.sleep(self.wait)
            rows = self._take()
            columns: Columns = {}
            for row in rows:
                for name, texts in row.request.columns.items():
                    columns.setdefault(name, []).append(texts[row.number])
            by_request: dict[_Waiting, list[int]] = {}
            for place, row in enumerate(rows):
                by_request.setdefault(row.request, []).append(place)
            try:
                outputs = await self.in_thread(DEFAULT, columns) if rows else {}
            except Exception as error:
                LOG.exception("The model failed.")
                for request in by_request:
                    if not request.answer.done():
                        request.answer.set_exception(error)
                continue
            for request, places in by_request.items():
                part = {name: value[places] for name, value in outputs.items()}
                request.add([rows[place].number for place in places], part)

    def _take(self) -> list[_Row]:
        """Takes the text that waits longest, and others that are about as long.

        The longest text of a call sets its price.
        """
        waiting = [row for row in self.rows if not row.request.answer.done()]
        near = sorted(
            (
                row
                for row in waiting[: CALLS_AHEAD * self.size]
                if row.is_like(waiting[0])
            ),
            key=lambda row: row.length,
        )
        start = max(0, near.index(waiting[0]) - self.size + 1) if waiting else 0
        taken = near[start : start + self.size]
        gone = set(taken)
        self.rows = [row for row in waiting if row not in gone]
        return taken


def load_version(folder: Path, settings: Settings) -> Version:
    """Loads a version, and computes with it once.

    Args:
        folder: of the version, named by its number.
        settings: of the server.

    Raises:
        ValueError: if it takes no texts.
    """
    if (folder / "saved_model.pb").exists():
        run, signatures, labels = _saved_model(folder)
    else:
        run, signatures, labels = _standalone(folder, settings.threads)
    inputs = sorted(signatures[DEFAULT].inputs)
    if inputs not in (["text"], ["text", "text_pair"]):
        raise ValueError(f"{folder} takes {inputs}, not texts, which are served here.")
    for signature, columns in _warm_up_requests(folder, inputs):
        run(signature, columns)
    number = int(folder.name)
    return Version(number, signatures, labels, run, Batcher(run, settings))


def _saved_model(folder: Path) -> tuple[Any, dict[str, SignatureDef], list[str]]:
    import tensorflow_text  # noqa: F401  Its operations are in the graph.

    loaded = tf.saved_model.load(str(folder))

    def run(signature: str, columns: Columns) -> Outputs:
        texts = {k: tf.constant(value, tf.string) for k, value in columns.items()}
        outputs = loaded.signatures[signature](**texts)
        return {name: value.numpy() for name, value in outputs.items()}

    graph = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    known = graph.meta_graphs[0].signature_def
    signatures = {name: known[name] for name in loaded.signatures}
    served = folder / "assets.extra" / "served.json"
    labels = json.loads(served.read_text("utf-8"))["labels"] if served.exists() else []
    return run, signatures, labels


def _standalone(
    folder: Path, threads: int
) -> tuple[Any, dict[str, SignatureDef], list[str]]:
    # A name of its own, since each version brings its own code.
    name = f"standalone_{folder.name}_{time.time_ns()}"
    start = folder / "standalone" / "__init__.py"
    spec = importlib.util.spec_from_file_location(name, start)
    if spec is None or spec.loader is None or not start.exists():
        raise ValueError(f"{folder} holds neither saved_model.pb nor standalone/.")
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    make = importlib.import_module(f"{name}.answer").Classifier
    # Of LiteRT, each can be asked by one thread at a time.
    classifiers = [make(folder, threads=1) for _ in range(threads)]
    free: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for classifier in classifiers:
        free.put(classifier)
    labels = classifiers[0].labels
    pairs = classifiers[0].reader.settings["pairs"]
    inputs = ["text", "text_pair"] if pairs else ["text"]

    def run(_: str, columns: Columns) -> Outputs:
        texts = [[t.decode(errors="replace") for t in columns[k]] for k in inputs]
        rows = list(zip(*texts, strict=True)) if pairs else texts[0]
        classifier = free.get()
        try:
            return _as_arrays(classifier.answer(rows), labels)
        finally:
            free.put(classifier)

    signature = SignatureDef(method_name="tensorflow/serving/predict")
    for key in inputs:
        signature.inputs[key].dtype = tf.string.as_datatype_enum
        signature.inputs[key].tensor_shape.dim.add(size=-1)
    for key, value in run("", {k: [WARM_UP_TEXT] for k in inputs}).items():
        signature.outputs[key].dtype = tf.as_dtype(value.dtype).as_datatype_enum
        for size in (-1, *value.shape[1:]):
            signature.outputs[key].tensor_shape.dim.add(size=size)
    return run, {DEFAULT: signature}, labels


def _as_arrays(rows: list[dict[str, Any]], labels: list[str]) -> Outputs:
    """Makes of rows what a SavedModel returns."""
    if "value" in rows[0]:
        return {"value": np.array([row["value"] for row in rows], np.float32)}
    shares = [list(row["probabilities"].values()) for row in rows]
    probabilities = {"probabilities": np.array(shares, np.float32)}
    if "labels" in rows[0]:
        names = [",".join(row["labels"]).encode() for row in rows]
        is_label = [[label in row["labels"] for label in labels] for row in rows]
        kinds = {"labels": np.array(names, object), "is_label": np.array(is_label)}
        return kinds | probabilities
    given = [row["label"] for row in rows]
    ids = [-1 if label is None else labels.index(label) for label in given]
    names = [(label or "").encode() for label in given]
    kinds = {"label": np.array(names, object), "label_id": np.array(ids, np.int32)}
    return kinds | probabilities


def _warm_up_requests(folder: Path, inputs: list[str]) -> Iterable[tuple[str, Columns]]:
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    if not path.exists():
        for count in (1, 8):
            yield DEFAULT, dict.fromkeys(inputs, [WARM_UP_TEXT] * count)
        return
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        log = PredictionLog.FromString(record)
        if log.HasField("predict_log"):
            request = log.predict_log.request
            columns = {k: list(v.string_val) for k, v in request.inputs.items()}
            yield request.model_spec.signature_name or DEFAULT, columns


class Versions:
    """The version that is served, and the search for a higher one, in a thread.

    Args:
        settings: of the server.

    Raises:
        ValueError: if no version can be loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.failed: set[tuple[str, int]] = set()
        self.served: Version | None = None
        while self.served is None:
            if not self.look():
                raise ValueError(
                    f"{settings.folder} has no version that can be loaded: none of its "
                    "subfolders with a number for a name. Export a model into it."
                )
        threading.Thread(target=self._watch, daemon=True).start()

    def look(self) -> bool:
        """Loads the highest version, if it is higher; tells whether there was one."""
        least = self.served.number if self.served else -1
        found = [
            (int(path.name), path)
            for path in Path(self.settings.folder).glob("*")
            if path.name.isdecimal()
            and path.is_dir()
            and _stamp(path) not in self.failed
        ]
        number, path = max(found, default=(least, Path()))
        if number <= least:
            return False
        stamp = _stamp(path)
        try:
            self.served = load_version(path, self.settings)
            LOG.info("Version %s is served.", number)
        except Exception:
            self.failed.add(stamp)
            LOG.exception("%s cannot be loaded; it is left out.", path)
        return True

    def _watch(self) -> None:
        while True:
            time.sleep(1)
            # A folder may go while it is looked at.
            with contextlib.suppress(OSError):
                self.look()


def _stamp(path: Path) -> tuple[str, int]:
    """Tells a folder from another of the same name."""
    return path.name, path.stat().st_mtime_ns
