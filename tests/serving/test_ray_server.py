"""`serving/ray_server.py`, run as its documentation says, asked by REST and gRPC."""

import base64
import itertools
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    SignatureDefMap,
)
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from rigs.ray_serving import EXPORTS, running
from rigs.served_models import classifier_of

pytestmark = pytest.mark.slow  # Ray takes half a minute to start.

MOST_BYTES, MOST_TEXTS = 5000, 40
LIMITS = {
    "batch_size": 8,
    "wait_ms": 1,
    "most_bytes": MOST_BYTES,
    "most_texts": MOST_TEXTS,
    "queue": 32,
}
TEXTS = [
    "so glad my flight",
    "",
    "What a DAY!!!",
    "never seen 😀 words",
    "so\x00late",
    "not so glad " * 20,
    *(f"{word} day, not late" for word in ("so", "my", "glad", "is", "what", "a")),
]


@pytest.fixture(scope="module", params=list(EXPORTS))
def served(request, tmp_path_factory):
    model = classifier_of("classes")
    home = tmp_path_factory.mktemp(request.param)
    with running(request.param, model, home, LIMITS) as server:
        yield server


def predict_request(texts, **spec):
    request = PredictRequest()
    request.model_spec.name = spec.pop("name", "m")
    if "version" in spec:
        request.model_spec.version.value = spec["version"]
    request.model_spec.signature_name = spec.get("signature", "")
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(texts))
    return request


def classify_request(texts, feature="text"):
    request = ClassificationRequest()
    request.model_spec.name = "m"
    for text in texts:
        example = request.input.example_list.examples.add()
        example.features.feature[feature].bytes_list.value.append(text.encode())
    return request


def by_grpc(call, request):
    """Returns the response, or the status and its message."""
    try:
        return call(request, timeout=60)
    except grpc.RpcError as error:
        return error.code(), error.details()


def test_every_form_of_rest_answers_as_the_model_does(served):
    assert served.ask("/healthz") == (200, {"status": "ok"})
    served.check(served.probabilities(TEXTS), TEXTS)
    served.check(served.probabilities([{"text": text} for text in TEXTS]), TEXTS)
    for path in ("/v1/models/m:predict", "/v1/models/m/versions/1:predict"):
        for inputs in (TEXTS, {"text": TEXTS}):
            status, answer = served.ask(path, {"inputs": inputs})
            assert status == 200
            served.check(answer["outputs"]["probabilities"], TEXTS)
    names = served.model.label_names
    likeliest = np.argmax(answer["outputs"]["probabilities"], -1)
    assert answer["outputs"]["label"] == [names[place] for place in likeliest]
    assert answer["outputs"]["label_id"] == likeliest.tolist()


def test_grpc_answers_as_the_model_does(served):
    response = served.stub.Predict(predict_request(TEXTS, version=1))
    assert response.model_spec.version.value == 1
    outputs = {k: tf.make_ndarray(value) for k, value in response.outputs.items()}
    served.check(outputs["probabilities"], TEXTS)
    names = [name.encode() for name in served.model.label_names]
    assert [names[place] for place in outputs["label_id"]] == [*outputs["label"]]
    request = predict_request(TEXTS)
    request.output_filter.append("label")
    assert [*served.stub.Predict(request).outputs] == ["label"]


def test_texts_classified_with_all_labels_the_likeliest_first(served):
    if served.kind == "saved_model":
        extra = served.folder / "1/assets.extra/served.json"
        assert extra.exists(), "the export does not tell the names of the classes"
    examples = [{"text": text} for text in TEXTS]
    status, answer = served.ask("/v1/models/m:classify", {"examples": examples})
    assert status == 200
    response = served.stub.Classify(classify_request(TEXTS))
    by_stub = [
        [[each.label, each.score] for each in row.classes]
        for row in response.result.classifications
    ]
    for rows in (answer["results"], by_stub):
        shares = [[share for _, share in row] for row in rows]
        assert shares == [sorted(row, reverse=True) for row in shares]
        named = [[dict(row)[name] for name in served.model.label_names] for row in rows]
        served.check(named, TEXTS)


def test_metadata_tells_signatures_and_status_the_version(served):
    state = served.ask("/v1/models/m")[1]["model_version_status"][0]
    assert (state["version"], state["state"]) == ("1", "AVAILABLE")
    status, answer = served.ask("/v1/models/m/metadata")
    assert status == 200
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    text = signatures["serving_default"]["inputs"]["text"]
    assert text["dtype"] == "DT_STRING"
    assert [dim["size"] for dim in text["tensor_shape"]["dim"]] == ["-1"]
    request = GetModelMetadataRequest()
    request.model_spec.name = "m"
    request.metadata_field.append("signature_def")
    received = SignatureDefMap()
    served.stub.GetModelMetadata(request).metadata["signature_def"].Unpack(received)
    outputs = received.signature_def["serving_default"].outputs
    assert {*outputs} == {"label", "label_id", "probabilities"}
    assert outputs["probabilities"].tensor_shape.dim[1].size == 3


def test_another_signature_answers_if_there_is_one(served):
    body = {"instances": ["so glad"], "signature_name": "tokens"}
    status, answer = served.ask("/v1/models/m:predict", body)
    if served.kind == "saved_model":
        tokens = answer["predictions"][0]["tokens"]
        assert (status, tokens) == (200, ["<s>", "so", "glad", "</s>"])
        response = served.stub.Predict(predict_request(["so"], signature="tokens"))
        assert "attention" in response.outputs
    else:
        assert status == 400
        assert "['serving_default']" in answer["error"]
        assert "'tokens'" in answer["error"]


def test_bytes_that_are_no_utf_8_are_read_as_replacements(served):
    broken, read = b"so \xff glad", "so \ufffd glad"
    row = {"b64": base64.b64encode(broken).decode()}
    served.check(served.probabilities([row, {"text": row}]), [read, read])
    response = served.stub.Predict(predict_request([broken]))
    served.check(tf.make_ndarray(response.outputs["probabilities"]), [read])


LONG = "a" * (MOST_BYTES + 1)
BAD_BODIES = [
    (b"{", 400, "must be JSON"),
    (b"\xff\xfe\xfa", 400, "must be JSON"),
    (b"[" * 100_000, 400, "must be JSON"),
    ([1], 400, "JSON object"),
    ({}, 400, "either `instances` or `inputs`"),
    ({"instances": ["a"], "inputs": ["a"]}, 400, "either `instances` or `inputs`"),
    ({"instances": []}, 400, "Received: none"),
    ({"instances": "a"}, 400, "must be a list"),
    ({"instances": ["a", 3]}, 400, "Row 2: `text` must be a string"),
    ({"instances": ["a", None]}, 400, "Row 2"),
    ({"instances": [["a"]]}, 400, "Row 1"),
    ({"instances": [{"txt": "a"}]}, 400, "Row 1 must be an object of ['text']"),
    ({"instances": ["a", {"b64": "?"}]}, 400, "Row 2: `text` is no text"),
    (b'{"instances": ["\\ud800"]}', 400, "Row 1: `text` is no text"),
    ({"inputs": {"text": "a"}}, 400, "`text` must be a list"),
    ({"inputs": {"text": ["a"], "more": ["b"]}}, 400, "['more', 'text']"),
    ({"instances": ["a"], "signature_name": "none"}, 400, "'none'"),
    ({"instances": ["a", LONG]}, 413, f"Row 2: `text` may have {MOST_BYTES} bytes"),
    ({"instances": ["a"] * (MOST_TEXTS + 1)}, 413, f"Received: {MOST_TEXTS + 1}"),
    ({"instances": ["a" * 2 * MOST_BYTES * MOST_TEXTS]}, 413, "A body may have"),
]

NOT_ALLOWED = grpc.StatusCode.INVALID_ARGUMENT
TOO_LARGE = grpc.StatusCode.RESOURCE_EXHAUSTED


@pytest.mark.parametrize("body, status, words", BAD_BODIES)
def test_what_is_wrong_with_a_body_is_said(served, body, status, words):
    received, answer = served.ask("/v1/models/m:predict", body)
    assert received == status
    assert words in answer["error"]


@pytest.mark.parametrize("rows", [None, [], ["a", 1], [{"text": "a"}, {"a": "b"}]])
def test_what_is_wrong_with_examples_is_said(served, rows):
    status, answer = served.ask("/v1/models/m:classify", {"examples": rows})
    assert status == 400
    assert "Received: " in answer["error"]


def test_what_is_not_there_is_not_found(served):
    body = {"instances": ["a"]}
    for path in ("/v1/models/n:predict", "/v1/models/m/versions/9:predict", "/v2"):
        status, answer = served.ask(path, body)
        assert (status, [*answer]) == (404, ["error"])
    assert served.ask("/v1/models/m/versions/9")[0] == 404
    assert served.ask("/v1/models/m:predict")[0] == 400
    for spec in ({"name": "n"}, {"version": 9}):
        code, words = by_grpc(served.stub.Predict, predict_request(["a"], **spec))
        assert code is grpc.StatusCode.NOT_FOUND
        assert "is served. Received:" in words


def test_what_is_wrong_with_tensors_is_said(served):
    filtered = predict_request(["a"])
    filtered.output_filter.append("nothing")
    without = predict_request(["a"])
    without.inputs["more"].CopyFrom(without.inputs["text"])
    cases = [
        (predict_request([1.5]), NOT_ALLOWED, "Received: float32 of shape [1]"),
        (predict_request("a"), NOT_ALLOWED, "of shape [] with 1 strings"),
        (predict_request([["a"]]), NOT_ALLOWED, "of shape [1, 1]"),
        (predict_request(["a"], signature="b"), NOT_ALLOWED, "Received: 'b'"),
        (without, NOT_ALLOWED, "['more', 'text']"),
        (filtered, NOT_ALLOWED, "['nothing']"),
        (predict_request(["a", LONG]), TOO_LARGE, "Row 2: `text` may have"),
        (predict_request(["a"] * (MOST_TEXTS + 1)), TOO_LARGE, "A request may have"),
    ]
    for request, code, words in cases:
        received = by_grpc(served.stub.Predict, request)
        assert received[0] is code
        assert words in received[1]
    request = classify_request(["a"], feature="txt")
    code, words = by_grpc(served.stub.Classify, request)
    assert code is NOT_ALLOWED
    assert "the features ['txt']" in words


def test_of_many_clients_each_gets_its_own_answer(served):
    good = [[TEXTS[(i + j) % len(TEXTS)] for j in range(i % 11 + 1)] for i in range(60)]

    def ask(number):
        texts = good[number]
        if number % 3 == 0:
            status, answer = served.ask(
                "/v1/models/m:predict", {"instances": [*texts, number]}
            )
            words = f"Row {len(texts) + 1}: `text` must be a string"
            return status == 400 and words in answer["error"]
        if number % 3 == 1:
            return served.probabilities(texts)
        response = served.stub.Predict(predict_request(texts))
        return tf.make_ndarray(response.outputs["probabilities"])

    with ThreadPoolExecutor(16) as clients:
        received = [*clients.map(ask, range(len(good)))]
    for number, (texts, answer) in enumerate(zip(good, received, strict=True)):
        if number % 3:
            served.check(answer, texts)
        else:
            assert answer is True


def test_when_too_many_wait_some_are_refused_and_all_others_answered(served):
    texts = ["so late " * 500] * MOST_TEXTS

    def ask(_):
        status, answer = served.ask("/v1/models/m:predict", {"instances": texts})
        return status, answer["predictions"][0] if status == 200 else None

    with ThreadPoolExecutor(150) as clients:
        received = [*clients.map(ask, range(150))]
    assert {status for status, _ in received} == {200, 503}
    for status, row in received:
        if status == 200:
            served.check([row["probabilities"]], texts[:1])


def test_a_new_version_is_taken_up_and_no_request_fails(served):
    newer = classifier_of("classes")
    for weight in newer.task_head.trainable_variables:
        weight.assign(-2 * weight)
    statuses, is_over = [], threading.Event()

    def load():
        while not is_over.is_set():
            statuses.append(
                served.ask("/v1/models/m:predict", {"instances": TEXTS[:3]})[0]
            )
            code = by_grpc(served.stub.Predict, predict_request(TEXTS))
            statuses.append("refused" if isinstance(code, tuple) else 200)

    with ThreadPoolExecutor(4) as clients:
        for _ in range(4):
            clients.submit(load)
        try:
            broken = served.folder / "3"
            shutil.copytree(served.folder / "1", served.folder / "partial")
            for each in (served.folder / "partial").glob("*"):
                if each.is_file():
                    each.write_bytes(b"broken")
            (served.folder / "partial").rename(broken)
            EXPORTS[served.kind](newer, served.folder / "more")
            (served.folder / "more/1").rename(served.folder / "2")
            version = wait_for_version(served, "2")
        finally:
            is_over.set()
    assert version == "2"
    assert set(statuses) == {200}
    served.check(served.probabilities(TEXTS), TEXTS, newer)
    assert served.ask("/v1/models/m/versions/1:predict", {"instances": ["a"]})[0] == 404


def wait_for_version(served, number):
    for _ in itertools.repeat(None, 300):
        state = served.ask("/v1/models/m")[1]["model_version_status"][0]
        if state["version"] == number:
            break
        time.sleep(0.2)
    return state["version"]
