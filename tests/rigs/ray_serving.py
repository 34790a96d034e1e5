"""A process that serves an exported model by `serving/ray.yaml`."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np
import psutil
import pytest
import yaml
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from siatl_keras.export import export_litert, export_saved_model

REPOSITORY = Path(__file__).parents[2]
# ONNX goes the way of LiteRT.
EXPORTS = {
    "litert": lambda model, folder: export_litert(model, folder, "float32"),
    "saved_model": export_saved_model,
}
TOLERANCE = {"litert": 1e-4, "saved_model": 1e-5}


class Served(NamedTuple):
    """A server that runs."""

    kind: str
    folder: Path
    model: Any
    http_port: int
    stub: PredictionServiceStub

    def ask(self, path, content=None):
        """Sends JSON, or bytes as they are; returns the status and the answer."""
        data = content
        if content is not None and not isinstance(content, bytes):
            data = json.dumps(content).encode()
        url = f"http://127.0.0.1:{self.http_port}{path}"
        try:
            answer = urllib.request.urlopen(
                urllib.request.Request(url, data), timeout=60
            )
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            body = answer.read().decode()
        is_json = answer.headers["content-type"].startswith("application/json")
        return answer.status, json.loads(body) if is_json else body

    def probabilities(self, texts):
        """Asks by REST."""
        status, answer = self.ask("/v1/models/m:predict", {"instances": texts})
        assert status == 200, answer
        return [row["probabilities"] for row in answer["predictions"]]

    def check(self, received, texts, model=None):
        """Compares with the model."""
        expected = (model or self.model).predict_proba(texts, verbose=0)
        np.testing.assert_allclose(received, expected, atol=TOLERANCE[self.kind])


def free_ports(count):
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


def ports_of_its_own(stats, metrics, http_start, grpc_start, http_proxy, grpc_proxy):
    """Keeps servers of one machine apart: HAProxy would pass requests to another's."""
    return {
        "RAY_SERVE_HAPROXY_STATS_PORT": str(stats),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(metrics),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(http_start),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(http_start + 20),
        "RAY_SERVE_DIRECT_INGRESS_MIN_GRPC_PORT": str(grpc_start),
        "RAY_SERVE_DIRECT_INGRESS_MAX_GRPC_PORT": str(grpc_start + 20),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(http_proxy),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(grpc_proxy),
    }


def write_config(home, limits, http_port, grpc_port):
    config = yaml.safe_load((REPOSITORY / "serving/ray.yaml").read_text())
    config["http_options"]["port"] = http_port
    config["grpc_options"]["port"] = grpc_port
    app = config["applications"][0]
    args = dict(limits)
    queue = dict.fromkeys(
        ("max_ongoing_requests", "max_queued_requests"), args.pop("queue")
    )
    app["args"] = {"folder": str(home / "versions"), "name": "m", **args}
    app["deployments"][0].update(queue)
    (home / "ray.yaml").write_text(yaml.safe_dump(config))


@contextlib.contextmanager
def running(kind, model, home, limits):
    """Starts a server of an exported model, and ends it.

    Args:
        kind: key of `EXPORTS`.
        model: to be exported.
        home: an empty folder.
        limits: `args` for the YAML file, and `queue`, of both kinds of requests.
    """
    EXPORTS[kind](model, home / "versions")
    http_port, grpc_port, *others = free_ports(8)
    write_config(home, limits, http_port, grpc_port)
    settings = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_LOG_TO_STDERR": "1",
        **ports_of_its_own(*others),
    }
    command = [sys.executable, "-m", "ray.serve.scripts", "run", "--address=local"]
    with open(home / "log", "w") as log:
        process = subprocess.Popen(
            [*command, home / "ray.yaml"],
            stdout=log,
            stderr=log,
            cwd=REPOSITORY,
            env={**os.environ, **settings},
            start_new_session=True,
        )
    channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}")
    stub = PredictionServiceStub(channel)
    server = Served(kind, home / "versions", model, http_port, stub)
    try:
        wait_for_answers(server, process, home / "log")
        yield server
    finally:
        channel.close()
        stop(process)


def answers(server):
    request = GetModelMetadataRequest()
    request.model_spec.name = "m"
    request.metadata_field.append("signature_def")
    try:
        server.stub.GetModelMetadata(request, timeout=5)
        return server.ask("/healthz")[0] == 200
    except (OSError, grpc.RpcError):
        return False


def wait_for_answers(server, process, log):
    end = time.monotonic() + 180
    while not answers(server):
        if process.poll() is not None or time.monotonic() > end:
            pytest.fail(f"The server does not start:\n{log.read_text()[-5000:]}")
        time.sleep(0.2)


def stop(process):
    """Ends the server as containers do; nothing of it may be left."""
    started = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    left = psutil.wait_procs(started, timeout=30)[1]
    for each in left:
        each.kill()
    assert not left
