"""Answers as TF Serving does, from a SavedModel, over gRPC and REST.

No registry that tests reach has TF Serving's binary. This is its outside: its messages,
its checks of signatures (predict_util.cc, classifier.cc, regressor.cc) and its REST
forms, in front of TensorFlow's own reader of SavedModels.

python -m rigs.tf_serving_stand_in FOLDER prints {"grpc": port, "rest": port}.
"""

import base64
import http.server
import json
import re
import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc
import tensorflow as tf
import tensorflow_text  # noqa: F401  (its operations)
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

NAME = "classifier"
LABELS = {"stable": 1, "canary": 2}
# (gRPC's code, HTTP's)
INVALID = grpc.StatusCode.INVALID_ARGUMENT, 400
NOT_FOUND = grpc.StatusCode.NOT_FOUND, 404
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION, 412
PATH = re.compile(
    r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?(?::(predict))?"
)


class RefusedError(Exception):
    """Has a status, `INVALID` or another, and a message."""


def check(condition, message, status=INVALID):
    if not condition:
        raise RefusedError(status, message)


class Version:
    """A SavedModel, and the signatures that are written in it."""

    def __init__(self, folder):
        file = saved_model_pb2.SavedModel()
        file.ParseFromString((Path(folder) / "saved_model.pb").read_bytes())
        self.number = int(Path(folder).name)
        self.signature_defs = dict(file.meta_graphs[0].signature_def)
        self.loaded = tf.saved_model.load(str(folder))

    def signature(self, name, status):
        name = name or "serving_default"
        check(name in self.signature_defs, f"no signature {name}", status)
        return name, self.signature_defs[name]

    def run(self, name, inputs):
        """Answers tensors by name with arrays by name."""
        try:
            answer = self.loaded.signatures[name](**inputs)
        except tf.errors.InvalidArgumentError as error:
            raise RefusedError(INVALID, error.message) from error
        return {key: value.numpy() for key, value in answer.items()}


class Servable:
    """The versions of a model: what `Predict`, `Classify` and the others answer."""

    def __init__(self, folder):
        folders = [p for p in Path(folder).iterdir() if p.name.isdigit()]
        self.versions = {int(path.name): Version(path) for path in folders}

    def version(self, spec):
        check(spec.name == NAME, f"no model {spec.name}", NOT_FOUND)
        number = max(self.versions)
        if spec.WhichOneof("version_choice") == "version_label":
            check(spec.version_label in LABELS, f"no label {spec.version_label}")
            number = LABELS[spec.version_label]
        elif spec.WhichOneof("version_choice") == "version":
            number = spec.version.value
        check(number in self.versions, f"no version {number}", NOT_FOUND)
        return self.versions[number]

    def predict(self, request):
        version = self.version(request.model_spec)
        name, signature = version.signature(
            request.model_spec.signature_name, PRECONDITION
        )
        check(
            {*request.inputs} == {*signature.inputs},
            f"inputs {[*request.inputs]}, expected {[*signature.inputs]}",
        )
        wanted = [*request.output_filter] or [*signature.outputs]
        check(len({*wanted}) == len(wanted), f"twice the same output: {wanted}")
        check({*wanted} <= {*signature.outputs}, f"no such outputs: {wanted}")
        inputs = {
            key: tf.constant(tf.make_ndarray(value), tf.dtypes.as_dtype(value.dtype))
            for key, value in request.inputs.items()
        }
        answer = version.run(name, inputs)
        response = predict_pb2.PredictResponse()
        self._tell_version(response, name, version)
        for key in wanted:
            response.outputs[key].CopyFrom(tf.make_tensor_proto(answer[key]))
        return response

    def classify(self, request):
        version, name, answer = self._run_examples(request, {"classes", "scores"})
        count = len(serialized_examples(request.input))
        for key, dtype in (("classes", object), ("scores", "float32")):
            check(answer[key].ndim == 2, f"{key} are not [batch, classes]")
            check(answer[key].dtype == dtype, f"{key} are {answer[key].dtype}")
            check(len(answer[key]) == count, f"{len(answer[key])} rows of {key}")
        check(answer["classes"].shape == answer["scores"].shape, "not as many scores")
        response = classification_pb2.ClassificationResponse()
        self._tell_version(response, name, version)
        for row in range(count):
            classes = response.result.classifications.add().classes
            for label, score in zip(
                answer["classes"][row], answer["scores"][row], strict=True
            ):
                classes.add(label=label, score=score)
        return response

    def regress(self, request):
        version, name, answer = self._run_examples(request, {"outputs"})
        values = answer["outputs"]
        count = len(serialized_examples(request.input))
        check(values.shape in ((count,), (count, 1)), f"outputs are {values.shape}")
        check(values.dtype == "float32", f"outputs are {values.dtype}")
        response = regression_pb2.RegressionResponse()
        self._tell_version(response, name, version)
        for value in values.reshape(-1):
            response.result.regressions.add(value=value)
        return response

    def metadata(self, request):
        check([*request.metadata_field] == ["signature_def"], "ask signature_def")
        version = self.version(request.model_spec)
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = NAME
        response.model_spec.version.value = version.number
        found = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in version.signature_defs.items():
            found.signature_def[name].CopyFrom(signature)
        response.metadata["signature_def"].Pack(found)
        return response

    def _run_examples(self, request, outputs):
        version = self.version(request.model_spec)
        name, signature = version.signature(request.model_spec.signature_name, INVALID)
        check([*signature.inputs] == ["inputs"], f"inputs {[*signature.inputs]}")
        check(
            {*signature.outputs} == outputs,
            f"outputs {[*signature.outputs]}, expected {sorted(outputs)}",
        )
        examples = serialized_examples(request.input)
        check(examples, "Input is empty.")
        return version, name, version.run(name, {"inputs": tf.constant(examples)})

    def _tell_version(self, response, signature_name, version):
        response.model_spec.name = NAME
        response.model_spec.version.value = version.number
        response.model_spec.signature_name = signature_name


def serialized_examples(given):
    """Returns a request's examples as TF Serving feeds them: the context, then each."""
    if given.WhichOneof("kind") == "example_list_with_context":
        own = given.example_list_with_context
        context = own.context.SerializeToString()
        return [context + one.SerializeToString() for one in own.examples]
    return [one.SerializeToString() for one in given.example_list.examples]


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """gRPC's side."""

    def __init__(self, servable):
        self.servable = servable

    def Predict(self, request, context):  # noqa: N802
        return self._answer(self.servable.predict, request, context)

    def Classify(self, request, context):  # noqa: N802
        return self._answer(self.servable.classify, request, context)

    def Regress(self, request, context):  # noqa: N802
        return self._answer(self.servable.regress, request, context)

    def GetModelMetadata(self, request, context):  # noqa: N802
        return self._answer(self.servable.metadata, request, context)

    def _answer(self, function, request, context):
        try:
            return function(request)
        except RefusedError as error:
            (code, _), message = error.args
            return context.abort(code, message)


class Handler(http.server.BaseHTTPRequestHandler):
    """REST's side: a model's state, and `predict` in rows."""

    servable: Servable

    def do_GET(self):
        match = PATH.fullmatch(self.path)
        if not match or match[1] != NAME:
            return self._reply(404, {"error": f"no model at {self.path}"})
        states = [
            {
                "version": str(number),
                "state": "AVAILABLE",
                "status": {"error_code": "OK"},
            }
            for number in self.servable.versions
        ]
        return self._reply(200, {"model_version_status": states})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        match = PATH.fullmatch(self.path)
        try:
            check(match and match[4], f"Malformed request: POST {self.path}", NOT_FOUND)
            self._reply(200, {"predictions": self._rows(match, json.loads(body))})
        except RefusedError as error:
            (_, code), message = error.args
            self._reply(code, {"error": message})

    def _rows(self, match, asked):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = match[1]
        if match[2]:
            request.model_spec.version.value = int(match[2])
        if match[3]:
            request.model_spec.version_label = match[3]
        request.model_spec.signature_name = asked.get("signature_name", "")
        instances = asked["instances"]
        check(instances, "no instances")
        version = self.servable.version(request.model_spec)
        _, signature = version.signature(request.model_spec.signature_name, INVALID)
        if not isinstance(instances[0], dict) or "b64" in instances[0]:
            check(len(signature.inputs) == 1, f"name inputs: {[*signature.inputs]}")
            (name,) = signature.inputs
            instances = [{name: one} for one in instances]
        for name in instances[0]:
            column = [_from_json(one[name]) for one in instances]
            request.inputs[name].CopyFrom(tf.make_tensor_proto(column))
        outputs = self.servable.predict(request).outputs
        columns = {key: tf.make_ndarray(value) for key, value in outputs.items()}
        rows = [
            {key: _to_json(value[row]) for key, value in columns.items()}
            for row in range(len(instances))
        ]
        return rows if len(columns) > 1 else [next(iter(row.values())) for row in rows]

    def _reply(self, code, answer):
        body = json.dumps(answer, indent=1).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


def _from_json(value):
    return base64.b64decode(value["b64"]) if isinstance(value, dict) else value.encode()


def _to_json(value):
    return value.decode() if isinstance(value, bytes) else value.tolist()


def serve(folder):
    """Serves until stdin ends, so that no server outlives its test."""
    servable = Servable(folder)
    server = grpc.server(futures.ThreadPoolExecutor(4))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(servable), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    handler = type("Handler", (Handler,), {"servable": servable})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as rest:
        threading.Thread(target=rest.serve_forever, daemon=True).start()
        print(json.dumps({"grpc": port, "rest": rest.server_port}), flush=True)
        sys.stdin.read()
        rest.shutdown()
    server.stop(None)


if __name__ == "__main__":
    serve(sys.argv[1])
