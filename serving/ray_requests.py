"""What TF Serving's clients send and receive: JSON and protocol buffers, and columns.

All that is wrong with a request is found here, before it meets those of others.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import tensorflow as tf
from grpc import StatusCode
from tensorflow_serving.apis.classification_pb2 import ClassificationResponse
from tensorflow_serving.apis.input_pb2 import Input
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from serving.ray_models import Columns, Outputs, Settings, number_of_texts

HTTP_STATUS = {
    StatusCode.INVALID_ARGUMENT: 400,
    StatusCode.NOT_FOUND: 404,
    StatusCode.RESOURCE_EXHAUSTED: 413,
}


class Refusal(Exception):
    """What is wrong with a request.

    Args:
        message: for who sent it.
        code: of gRPC; HTTP's follows from it.
    """

    def __init__(
        self, message: str, code: StatusCode = StatusCode.INVALID_ARGUMENT
    ) -> None:
        super().__init__(message)
        self.code = code


def too_large(message: str) -> Refusal:
    """Makes the refusal of what is above a limit."""
    return Refusal(message, StatusCode.RESOURCE_EXHAUSTED)


def check_columns(columns: Columns, inputs: Iterable[str], settings: Settings) -> None:
    """Refuses what the model does not take.

    Args:
        columns: texts by the name of the input.
        inputs: the names that the model has.
        settings: with the limits.

    Raises:
        Refusal: names the input or the row, from 1, and what was found.
    """
    if columns.keys() != set(inputs):
        raise Refusal(f"Inputs must be {sorted(inputs)}. Received: {sorted(columns)}.")
    counts = {name: len(texts) for name, texts in columns.items()}
    if len(set(counts.values())) > 1:
        raise Refusal(f"All inputs must have as many texts. Received: {counts}.")
    count = number_of_texts(columns)
    if not count:
        raise Refusal("A request must have a text or more. Received: none.")
    if count > settings.most_texts:
        raise too_large(
            f"A request may have {settings.most_texts} texts. Received: {count}. "
            "Send several requests."
        )
    for name, texts in columns.items():
        for number, text in enumerate(texts, start=1):
            if len(text) > settings.most_bytes:
                raise too_large(
                    f"Row {number}: `{name}` may have {settings.most_bytes} bytes. "
                    f"Received: {len(text)}. Shorten it."
                )


def json_object(body: bytes) -> dict[str, Any]:
    """Reads the body of a REST request.

    Raises:
        Refusal: if it is no JSON object.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"The body must be JSON. Received: {body[:60]!r}.") from error
    if not isinstance(value, dict):
        raise Refusal(f"The body must be a JSON object. Received: {value!r:.60}.")
    return value


def columns_of_json(body: dict[str, Any], inputs: list[str]) -> Columns:
    """Reads `instances`, row by row, or `inputs`, by columns.

    Args:
        body: of a `:predict` request.
        inputs: names that the model has.

    Raises:
        Refusal: if it has neither or both, or what is no text.
    """
    if ("instances" in body) == ("inputs" in body):
        raise Refusal(
            "The body must have either `instances` or `inputs`. Received: "
            f"{sorted(body)}."
        )
    if "instances" in body:
        return columns_of_rows(body["instances"], inputs, "instances")
    given = body["inputs"]
    if not isinstance(given, dict) and len(inputs) == 1:
        given = {inputs[0]: given}
    if not isinstance(given, dict):
        raise Refusal(
            f"`inputs` must be an object of {inputs}. Received: {given!r:.60}."
        )
    columns = {}
    for name, texts in given.items():
        if not isinstance(texts, list):
            raise Refusal(f"`{name}` must be a list of texts. Received: {texts!r:.60}.")
        numbered = enumerate(texts, start=1)
        columns[name] = [_bytes(text, number, name) for number, text in numbered]
    return columns


def columns_of_rows(rows: Any, inputs: list[str], where: str) -> Columns:
    """Reads a list of texts, or of objects with a text by the name of each input.

    Args:
        rows: what was sent.
        inputs: names that the model has.
        where: what the list is called.

    Raises:
        Refusal: names the row, from 1.
    """
    if not isinstance(rows, list):
        raise Refusal(f"`{where}` must be a list. Received: {rows!r:.60}.")
    columns: Columns = {name: [] for name in inputs}
    for number, row in enumerate(rows, start=1):
        is_bare = not isinstance(row, dict) or row.keys() == {"b64"}
        named = {inputs[0]: row} if is_bare and len(inputs) == 1 else row
        if not isinstance(named, dict) or named.keys() != columns.keys():
            raise Refusal(
                f"Row {number} must be an object of {inputs}. Received: {row!r:.60}."
            )
        for name, texts in columns.items():
            texts.append(_bytes(named[name], number, name))
    return columns


def _bytes(text: Any, number: int, name: str) -> bytes:
    try:
        if isinstance(text, str):
            return text.encode()
        if isinstance(text, dict) and isinstance(text.get("b64"), str):
            return base64.b64decode(text["b64"], validate=True)
    except ValueError as error:
        raise Refusal(f"Row {number}: `{name}` is no text: {error}.") from error
    raise Refusal(
        f'Row {number}: `{name}` must be a string, or {{"b64": "…"}} of its bytes. '
        f"Received: {text!r:.60}."
    )


def columns_of_tensors(request: PredictRequest) -> Columns:
    """Reads the inputs of a `Predict` request.

    Raises:
        Refusal: names the input that is no vector of texts.
    """
    columns = {}
    for name, tensor in request.inputs.items():
        shape = [dim.size for dim in tensor.tensor_shape.dim]
        columns[name] = list(tensor.string_val)
        is_text = tensor.dtype == tf.string.as_datatype_enum
        if not is_text or shape != [len(columns[name])]:
            kind = tf.as_dtype(tensor.dtype).name if tensor.dtype else "nothing"
            raise Refusal(
                f"`{name}` must be strings of shape [batch]. Received: {kind} of shape "
                f"{shape} with {len(columns[name])} strings."
            )
    return columns


def columns_of_examples(given: Input, inputs: list[str]) -> Columns:
    """Reads tf.Examples, of which each has a text by the name of each input.

    Raises:
        Refusal: names the row, from 1.
    """
    lists = given.example_list_with_context
    examples = [*given.example_list.examples, *lists.examples]
    shared = lists.context.features.feature
    columns: Columns = {name: [] for name in inputs}
    for number, example in enumerate(examples, start=1):
        features = example.features.feature
        for name, texts in columns.items():
            feature = (features if name in features else shared).get(name)
            values = [] if feature is None else feature.bytes_list.value
            if len(values) != 1:
                raise Refusal(
                    f"Row {number} must have one text in the feature `{name}`. "
                    f"Received: {len(values)}, and the features {sorted(features)}."
                )
            texts.append(values[0])
    return columns


def rows_or_columns(body: dict[str, Any], outputs: Outputs) -> dict[str, Any]:
    """Makes the answer to a `:predict` request, in the form in which it came."""
    lists = {name: _plain(value.tolist()) for name, value in outputs.items()}
    if "inputs" in body:
        only = next(iter(lists.values()))
        return {"outputs": only if len(lists) == 1 else lists}
    if len(lists) == 1:
        return {"predictions": next(iter(lists.values()))}
    rows = zip(*lists.values(), strict=True)
    return {"predictions": [dict(zip(lists, row, strict=True)) for row in rows]}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def tensors(outputs: Outputs, asked: Iterable[str]) -> PredictResponse:
    """Makes the answer to a `Predict` request.

    Args:
        outputs: arrays by name.
        asked: names of those that are wanted; all if empty.

    Raises:
        Refusal: if there is none of a name.
    """
    names = list(asked) or list(outputs)
    if unknown := set(names) - outputs.keys():
        raise Refusal(
            f"`output_filter` may have {sorted(outputs)}. Received: {sorted(unknown)}."
        )
    response = PredictResponse()
    for name in names:
        response.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
    return response


def ranked(outputs: Outputs, labels: list[str]) -> list[list[tuple[str, float]]]:
    """Names all classes of each text with their probabilities, the likeliest first.

    Raises:
        Refusal: if the model has no classes, or does not tell their names.
    """
    if "probabilities" not in outputs or not labels:
        raise Refusal(
            "This version has no names of classes, which `classify` answers: ask it to "
            "`predict`, or export the model again."
        )
    shares = outputs["probabilities"]
    return [
        [
            (labels[place], float(row[place]))
            for place in np.argsort(-row, kind="stable")
        ]
        for row in shares
    ]


def classifications(rows: list[list[tuple[str, float]]]) -> ClassificationResponse:
    """Makes the answer to a `Classify` request of what `ranked` returns."""
    response = ClassificationResponse()
    for row in rows:
        classes = response.result.classifications.add().classes
        for label, score in row:
            classes.add(label=label, score=score)
    return response
