"""Asks TF Serving about texts; prints a JSON line for each: what the model answers.

python serving/client.py "so glad" "what a day"
python serving/client.py --rest --label=stable < texts.txt

Speaks gRPC, for which it needs tensorflow-serving-api; with `--rest`, Python alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

# No more than `max_batch_size` in batching.config.
BATCH_SIZE = 32
# Between the two tries.
PAUSE_SECONDS = 0.5
# What nginx and TF Serving say when they cannot answer now.
UNAVAILABLE = (502, 503, 504)

Row = dict[str, Any]
Ask = Callable[[Sequence[str]], list[Row]]


class Address(NamedTuple):
    """Who is asked.

    Attributes:
        server: "host:port".
        model: its name.
        label: of the version, such as "stable"; the newest if empty.
        timeout: seconds that an answer may take.
    """

    server: str
    model: str
    label: str
    timeout: float


class UnavailableError(Exception):
    """The server cannot answer now, and may a moment later."""


class RefusedError(Exception):
    """The server does not answer this request, however often it is asked."""


def rest_asker(address: Address) -> Ask:
    """Returns what asks over REST.

    Args:
        address: of the REST port.

    Returns:
        a function from up to `BATCH_SIZE` texts to as many answers. It raises
        `UnavailableError` or `RefusedError`.
    """
    path = "/v1/models/" + urllib.parse.quote(address.model, safe="")
    if address.label:
        path += "/labels/" + urllib.parse.quote(address.label, safe="")
    url = f"http://{address.server}{path}:predict"

    def ask(texts: Sequence[str]) -> list[Row]:
        body = json.dumps({"instances": [*texts]}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=address.timeout) as response:
                rows = json.load(response)["predictions"]
        except urllib.error.HTTPError as error:
            message = f"HTTP {error.code}: {error.read().decode(errors='replace')}"
            kind = UnavailableError if error.code in UNAVAILABLE else RefusedError
            raise kind(message) from error
        except TimeoutError as error:
            raise RefusedError(f"no answer in {address.timeout:g} s") from error
        except OSError as error:
            raise UnavailableError(str(error)) from error
        # REST leaves the name out where a signature has one output: a regression's.
        return [row if isinstance(row, dict) else {"value": row} for row in rows]

    return ask


def grpc_asker(address: Address) -> Ask:
    """Returns what asks over gRPC.

    Args:
        address: of the gRPC port.

    Returns:
        a function from up to `BATCH_SIZE` texts to as many answers. It raises
        `UnavailableError` or `RefusedError`.
    """
    # Here, since TensorFlow comes with them, which REST does without.
    import grpc
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest
    from tensorflow_serving.apis.prediction_service_pb2_grpc import (
        PredictionServiceStub,
    )

    stub = PredictionServiceStub(grpc.insecure_channel(address.server))

    def ask(texts: Sequence[str]) -> list[Row]:
        request = PredictRequest()
        request.model_spec.name = address.model
        if address.label:
            request.model_spec.version_label = address.label
        request.inputs["text"].CopyFrom(tf.make_tensor_proto([*texts]))
        try:
            response = stub.Predict(request, timeout=address.timeout)
        except grpc.RpcError as error:
            unavailable = error.code() == grpc.StatusCode.UNAVAILABLE
            kind = UnavailableError if unavailable else RefusedError
            raise kind(f"{error.code().name}: {error.details()}") from error
        answers = {k: tf.make_ndarray(v) for k, v in response.outputs.items()}
        return [
            {name: _plain(values[row]) for name, values in answers.items()}
            for row in range(len(texts))
        ]

    return ask


def _plain(value: Any) -> Any:
    """Turns what an array holds into what JSON knows."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value.tolist()


def answers_to(texts: Sequence[str], ask: Ask) -> Iterator[Row]:
    """Asks in batches, each once more if the server is not available.

    Args:
        texts: any number of them.
        ask: of `rest_asker` or `grpc_asker`.

    Yields:
        an answer for each text, in order.

    Raises:
        UnavailableError: if the server was not available twice in a row.
        RefusedError: if the server does not answer these texts.
    """
    for start in range(0, len(texts), BATCH_SIZE):
        batch = texts[start : start + BATCH_SIZE]
        try:
            yield from ask(batch)
        except UnavailableError:
            time.sleep(PAUSE_SECONDS)
            yield from ask(batch)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "texts", nargs="*", metavar="TEXT", help="without any, the lines of stdin"
    )
    parser.add_argument(
        "--rest", action="store_true", help="REST in place of gRPC: Python alone"
    )
    parser.add_argument(
        "--server", help="localhost:8500 if not given; with --rest, localhost:8501"
    )
    parser.add_argument("--model", default="classifier", help="as in models.config")
    parser.add_argument(
        "--label", default="", help="of a version in models.config; else the newest"
    )
    parser.add_argument(
        "--timeout", type=float, default=10.0, help="seconds for 32 texts"
    )
    return parser.parse_args()


def main() -> None:
    """Answers the texts of the command line, or the lines of stdin."""
    given = _arguments()
    server = given.server or f"localhost:{8501 if given.rest else 8500}"
    address = Address(server, given.model, given.label, given.timeout)
    texts = given.texts or sys.stdin.read().splitlines()
    ask = rest_asker(address) if given.rest else grpc_asker(address)
    try:
        for row in answers_to(texts, ask):
            print(json.dumps(row, sort_keys=True, ensure_ascii=False))
    except (UnavailableError, RefusedError) as error:
        what = "is not available" if isinstance(error, UnavailableError) else "refuses"
        sys.exit(f"{server} {what}. {error}")


if __name__ == "__main__":
    main()
