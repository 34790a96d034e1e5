"""TF Serving's requests, as they travel, answered by exported models.

What its sources demand of signatures (2.20.0: classifier.cc, regressor.cc,
predict_util.cc, batching_session.cc) is demanded here, and by the stand-in.
"""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    SignatureDefMap,
)
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from rigs.served_models import MAKERS
from rigs.tf_serving_stand_in import NAME, RefusedError, Servable
from siatl_keras.export import export_saved_model

TEXTS = ["so glad my flight is late", "", "What a DAY!!!", "not\nso 😀"]
SECOND = ["what", "a day", "so late", ""]
KINDS = ["classes", "several labels", "pairs", "ordinal", "regression"]
CLASSIFYING = [kind for kind in KINDS if kind != "regression"]
SLOW = ("several labels", "ordinal")


def some(kinds):
    return [
        pytest.param(k, marks=[pytest.mark.slow] if k in SLOW else []) for k in kinds
    ]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Returns `(model, servable, folder)` of a kind, made once."""
    made = {}

    def get(kind):
        if kind not in made:
            model = MAKERS[kind]()
            folder = tmp_path_factory.mktemp("served")
            export_saved_model(model, folder)
            made[kind] = model, Servable(folder), folder
        return made[kind]

    return get


def example(**features):
    """Makes a tf.Example of texts."""
    found = tf.train.Example()
    for name, text in features.items():
        found.features.feature[name].bytes_list.value.append(text.encode())
    return found


def sent(request):
    """Returns what arrives at the other end."""
    return type(request).FromString(request.SerializeToString())


def predict_request(inputs, signature="", outputs=()):
    request = PredictRequest()
    request.model_spec.name = NAME
    request.model_spec.signature_name = signature
    request.output_filter.extend(outputs)
    for name, texts in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(texts, tf.string))
    return sent(request)


def example_request(kind, examples, context=None, signature=""):
    request = kind()
    request.model_spec.name = NAME
    request.model_spec.signature_name = signature
    if context is None:
        request.input.example_list.examples.extend(examples)
    else:
        request.input.example_list_with_context.examples.extend(examples)
        request.input.example_list_with_context.context.CopyFrom(context)
    return sent(request)


def arrays(response):
    found = sent(response).outputs
    return {name: tf.make_ndarray(value) for name, value in found.items()}


def names(values):
    return [value.decode() for value in values]


@pytest.mark.parametrize("signature", ["", "serving_default", "tokens"])
def test_texts_are_answered_as_predict_labels_does(served, signature):
    model, servable, _ = served("classes")
    response = servable.predict(predict_request({"text": TEXTS}, signature))
    assert response.model_spec.signature_name == (signature or "serving_default")
    answer = arrays(response)
    assert names(answer["label"]) == model.predict_labels(TEXTS, verbose=0)
    np.testing.assert_allclose(
        answer["probabilities"], model.predict_proba(TEXTS, verbose=0), atol=1e-5
    )
    assert ("tokens" in answer) == (signature == "tokens")


def test_the_most_probable_come_first(served):
    model, servable, _ = served("classes")
    answer = arrays(servable.predict(predict_request({"text": TEXTS}, "top_k")))
    expected = model.predict_proba(TEXTS, verbose=0)
    order = np.argsort(-expected, 1)[:, : answer["labels"].shape[1]]
    assert [names(row) for row in answer["labels"]] == [
        [model.label_names[i] for i in row] for row in order
    ]
    np.testing.assert_allclose(
        answer["probabilities"], np.take_along_axis(expected, order, 1), atol=1e-5
    )


def test_outputs_can_be_chosen(served):
    _, servable, _ = served("classes")
    request = predict_request({"text": TEXTS}, "tokens", ["tokens", "label"])
    assert {*arrays(servable.predict(request))} == {"tokens", "label"}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (predict_request({"text": TEXTS}, "nonsense"), "nonsense"),
        (predict_request({"texts": TEXTS}), "texts"),
        (predict_request({}), "expected"),
        (predict_request({"text": TEXTS}, outputs=["label", "label"]), "twice"),
        (predict_request({"text": TEXTS}, outputs=["value"]), "value"),
    ],
    ids=["signature", "input", "no input", "output twice", "output"],
)
def test_what_no_signature_has_is_refused(served, request_, message):
    with pytest.raises(RefusedError, match=message):
        served("classes")[1].predict(request_)


# In every change over sockets: test_tf_serving_clients.py.
@pytest.mark.slow
def test_labels_choose_versions(served, tmp_path):
    model, _, _ = served("classes")
    export_saved_model(model, tmp_path)
    kernel = model.task_head.classes.kernel
    before = kernel.numpy()
    kernel.assign(-before)
    export_saved_model(model, tmp_path)
    kernel.assign(before)
    servable = Servable(tmp_path)
    answers = {}
    for label, number in (("stable", 1), ("canary", 2)):
        request = predict_request({"text": TEXTS})
        request.model_spec.version_label = label
        response = servable.predict(sent(request))
        assert response.model_spec.version.value == number
        answers[label] = arrays(response)["probabilities"]
    expected = model.predict_proba(TEXTS, verbose=0)
    np.testing.assert_allclose(answers["stable"], expected, atol=1e-5)
    assert np.abs(answers["canary"] - expected).max() > 0.1
    newest = arrays(servable.predict(predict_request({"text": TEXTS})))
    np.testing.assert_array_equal(newest["probabilities"], answers["canary"])


def test_metadata_names_signatures_and_inputs(served):
    _, servable, _ = served("pairs")
    request = GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = NAME
    metadata = sent(servable.metadata(sent(request))).metadata["signature_def"]
    signatures = SignatureDefMap()
    assert metadata.Unpack(signatures)
    inputs = signatures.signature_def["serving_default"].inputs
    assert {*inputs} == {"text", "text_pair"}
    for tensor in inputs.values():
        assert tensor.dtype == tf.string.as_datatype_enum
        assert [dim.size for dim in tensor.tensor_shape.dim] == [-1]


@pytest.mark.parametrize("kind", some(KINDS))
def test_warm_up_requests_are_answered(served, kind):
    _, servable, folder = served(kind)
    path = folder / "1" / "assets.extra" / "tf_serving_warmup_requests"
    records = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    logs = [PredictionLog.FromString(record) for record in records]
    assert logs
    for log in logs:
        kind_of_log = log.WhichOneof("log_type")
        request = getattr(log, kind_of_log).request
        # TF Serving gives them to the model whose folder they lie in.
        request.model_spec.name = NAME
        method = kind_of_log.removesuffix("_log")
        assert getattr(servable, method)(request).ByteSize() > 0


@pytest.mark.parametrize("kind", some(CLASSIFYING))
def test_classify_has_what_the_classifier_demands(served, kind):
    _, servable, _ = served(kind)
    signature = servable.versions[1].signature_defs["classify"]
    assert {*signature.inputs} == {"inputs"}
    assert signature.inputs["inputs"].dtype == tf.string.as_datatype_enum
    outputs = {
        name: (tensor.dtype, len(tensor.tensor_shape.dim))
        for name, tensor in signature.outputs.items()
    }
    assert outputs == {
        "classes": (tf.string.as_datatype_enum, 2),
        "scores": (tf.float32.as_datatype_enum, 2),
    }


@pytest.mark.parametrize("kind", some(["classes", "several labels", "ordinal"]))
def test_examples_are_classified_with_the_most_probable_first(served, kind):
    model, servable, _ = served(kind)
    request = example_request(
        ClassificationRequest, [example(text=t) for t in TEXTS], signature="classify"
    )
    found = sent(servable.classify(request)).result.classifications
    expected = model.predict_proba(TEXTS, verbose=0)
    assert len(found) == len(TEXTS)
    for one, row in zip(found, expected, strict=True):
        scores = [each.score for each in one.classes]
        np.testing.assert_allclose(scores, sorted(row, reverse=True), atol=1e-5)
        by_name = {each.label: each.score for each in one.classes}
        assert by_name == pytest.approx(
            dict(zip(model.task.names, row, strict=True)), abs=1e-5
        )


def test_a_context_is_part_of_each_example(served):
    model, servable, _ = served("pairs")
    context = example(text_pair=SECOND[2])
    request = example_request(
        ClassificationRequest, [example(text=t) for t in TEXTS], context, "classify"
    )
    found = sent(servable.classify(request)).result.classifications
    pairs = [(text, SECOND[2]) for text in TEXTS]
    assert [one.classes[0].label for one in found] == model.predict_labels(
        pairs, verbose=0
    )
    best = model.predict_proba(pairs, verbose=0).max(1)
    np.testing.assert_allclose([one.classes[0].score for one in found], best, atol=1e-5)


def test_no_examples_are_refused(served):
    request = example_request(ClassificationRequest, [], signature="classify")
    with pytest.raises(RefusedError, match="empty"):
        served("classes")[1].classify(request)


def test_regress_has_what_the_regressor_demands(served):
    model, servable, _ = served("regression")
    signature = servable.versions[1].signature_defs["regress"]
    assert {*signature.inputs} == {"inputs"} and {*signature.outputs} == {"outputs"}
    output = signature.outputs["outputs"]
    assert output.dtype == tf.float32.as_datatype_enum
    assert len(output.tensor_shape.dim) in (1, 2)
    examples = [example(text=t) for t in TEXTS]
    for context in (None, tf.train.Example()):
        request = example_request(RegressionRequest, examples, context, "regress")
        found = sent(servable.regress(request)).result.regressions
        np.testing.assert_allclose(
            [one.value for one in found],
            model.predict_labels(TEXTS, verbose=0),
            rtol=1e-4,
        )


def inputs_of(signature, rows):
    """Makes what a signature takes, by the names of its inputs."""
    both = list(zip(TEXTS * 2, SECOND * 2, strict=True))[rows]
    examples = [example(text=a, text_pair=b).SerializeToString() for a, b in both]
    first, second = map(list, zip(*both, strict=True))
    known = {"text": first, "text_pair": second, "inputs": examples}
    return {name: tf.constant(known[name]) for name in signature.inputs}


@pytest.mark.parametrize("kind", some(KINDS))
def test_requests_can_be_joined_to_batches(served, kind):
    """batching_session.cc joins inputs and cuts outputs along their first dimension."""
    _, servable, _ = served(kind)
    version = servable.versions[1]
    signatures = {k: s for k, s in version.signature_defs.items() if s.inputs}
    example_api = "regress" if kind == "regression" else "classify"
    assert {"serving_default", "tokens", example_api} <= {*signatures}
    for name, signature in signatures.items():
        for tensor in (*signature.inputs.values(), *signature.outputs.values()):
            assert tensor.tensor_shape.dim[0].size == -1
        one = version.run(name, inputs_of(signature, slice(0, 1)))
        rest = version.run(name, inputs_of(signature, slice(1, 6)))
        joined = version.run(name, inputs_of(signature, slice(0, 6)))
        for key, value in joined.items():
            assert (len(one[key]), len(rest[key]), len(value)) == (1, 5, 6)
            for rows, part in ((value[:1], one[key]), (value[1:], rest[key])):
                if key in ("tokens", "attention"):
                    # What is read together is as long as the longest.
                    rows = rows[:, : part.shape[1]]
                if part.dtype == "float32":
                    np.testing.assert_allclose(rows, part, atol=1e-5, rtol=1e-5)
                else:
                    np.testing.assert_array_equal(rows, part)
