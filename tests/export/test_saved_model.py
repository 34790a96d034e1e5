import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from siatl_keras.export import export_saved_model
from siatl_keras.export.versions import as_next_version
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.tasks import Regression
from siatl_keras.text import WordTokenizer

WORDS = [
    "so",
    "glad",
    "my",
    "flight",
    "is",
    "late",
    "again",
    "what",
    "a",
    "day",
    "!",
    "not",
    "really",
]
TEXTS = ["so glad my flight", "", "What a DAY!!!", "never seen words 😀", "#NotReally"]
# A server's process: nothing but TensorFlow and tensorflow_text.
SERVER = """
import json, sys
import tensorflow as tf, tensorflow_text
assert not {"siatl_keras", "keras_hub"} & set(sys.modules)
served = tf.saved_model.load(sys.argv[1])
answer = served.signatures["serving_default"](text=tf.constant(json.loads(sys.argv[2])))
tokens = served.signatures["tokens"](text=tf.constant(json.loads(sys.argv[2])))
hostile = [b"", b" ", b"\\xff\\xfe\\x00abc", "\\U0001F468\\u200D\\U0001F469".encode(),
           b"so late! " * 600_000, b"a" * 5_000_000]
classify = served.signatures["serving_default"]
sizes = {}
for n in (0, 1, 1000):
    many = classify(text=tf.constant(["so late"] * n, tf.string))
    sizes[n] = many["probabilities"].shape.as_list()
crazy = classify(text=tf.constant(hostile))["probabilities"]
print(json.dumps({
    "label": [x.decode() for x in answer["label"].numpy().tolist()],
    "label_id": answer["label_id"].numpy().tolist(),
    "probabilities": answer["probabilities"].numpy().tolist(),
    "tokens": [[t.decode() for t in row] for row in tokens["tokens"].numpy().tolist()],
    "attention": tokens["attention"].numpy().sum(-1).tolist(),
    "sizes": sizes, "hostile_sums": crazy.numpy().sum(-1).tolist(),
}))
"""


@pytest.fixture(scope="module")
def model():
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *WORDS])
    return SiATLClassifier(
        LSTMBackbone(17, embedding_dim=6, hidden_dim=8, num_layers=2),
        preprocessor=SiATLPreprocessor(tokenizer),
        label_names=["no", "yes", "perhaps"],
        units=5,
    )


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return export_saved_model(model, tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def answer(exported, run_python):
    return json.loads(run_python(exported, json.dumps(TEXTS), code=SERVER))


def probabilities_of(model):
    return tf.nn.softmax(model.predict(TEXTS, verbose=0)).numpy()


def test_fresh_process_answers_as_predict_does(model, answer):
    expected = probabilities_of(model)
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    assert answer["label_id"] == expected.argmax(-1).tolist()
    assert answer["label"] == [model.label_names[i] for i in expected.argmax(-1)]


def test_token_signature_shows_tokens_and_attention(answer):
    assert [t for t in answer["tokens"][0] if t] == [
        "<s>",
        "so",
        "glad",
        "my",
        "flight",
        "</s>",
    ]
    np.testing.assert_allclose(answer["attention"], 1.0, atol=1e-5)


def test_hostile_texts_and_any_batch_size_are_answered(answer):
    np.testing.assert_allclose(answer["hostile_sums"], 1.0, atol=1e-5)
    assert answer["sizes"] == {"0": [0, 3], "1": [1, 3], "1000": [1000, 3]}


def test_saved_model_cli_answers_the_same(model, exported):
    command = [
        str(Path(sys.executable).parent / "saved_model_cli"),
        *("run", "--dir", exported, "--tag_set", "serve"),
        *("--signature_def", "serving_default"),
        *("--input_exprs", f"text={TEXTS[:1]!r}"),
    ]
    source = (
        "import tensorflow_text; import sys; from tensorflow.python.tools import "
        "saved_model_cli; sys.argv = sys.argv[1:]; saved_model_cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", source, *command], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    expected = probabilities_of(model)[0]
    shown = done.stdout.split("output key probabilities:\n")[1].split("]]")[0]
    received = [float(x) for x in shown.replace("[", " ").split()]
    np.testing.assert_allclose(received, expected, atol=1e-5)


def test_lm_head_is_not_in_the_graph(exported):
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((Path(exported) / "saved_model.pb").read_bytes())
    widths = {
        shape.dim[-1].size
        for function in saved_model.meta_graphs[0].graph_def.library.function
        for node in function.node_def
        for shape in node.attr["_output_shapes"].list.shape
        if len(shape.dim) >= 2
    }
    assert 3 in widths, "the classes' logits are there"
    assert 17 not in widths, "logits over the vocabulary are not"


def test_an_untied_lm_head_is_not_served(model, tmp_path):
    untied = SiATLClassifier(
        LSTMBackbone(17, 6, hidden_dim=8, num_layers=1, tie_weights=False),
        preprocessor=model.preprocessor,
        label_names=["no", "yes", "perhaps"],
    )
    exported = Path(export_saved_model(untied, tmp_path))
    served = tf.saved_model.load(exported)
    answer = served.signatures["serving_default"](text=tf.constant(TEXTS))
    np.testing.assert_allclose(
        answer["probabilities"], probabilities_of(untied), atol=1e-6
    )
    saved = tf.train.list_variables(exported / "variables" / "variables")
    shapes = [shape for _, shape in saved]
    assert [17, 6] in shapes, "the embedding is there"
    assert [8, 17] not in shapes, "the output layer is not"


def test_versions_count_up_and_nothing_half_done_is_left(model, exported):
    folder = Path(exported).parent
    (folder / "7").mkdir()
    assert export_saved_model(model, folder) == str(folder / "8")
    assert not list(folder.glob(".partial-*"))


def test_two_exports_at_once_get_two_versions(model, tmp_path, monkeypatch):
    """The other one ends while this one is still writing."""
    others = []

    def meanwhile(*_):
        if not others:
            others.append("")
            others[0] = export_saved_model(model, tmp_path)

    monkeypatch.setattr(
        "siatl_keras.export.saved_model.write_warmup_requests", meanwhile
    )
    assert export_saved_model(model, tmp_path) == str(tmp_path / "2")
    assert others == [str(tmp_path / "1")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2"]
    for version in ("1", "2"):
        assert (tmp_path / version / "saved_model.pb").exists()


def test_a_version_that_appears_in_the_last_moment_is_left_alone(tmp_path, monkeypatch):
    rename, taken = os.rename, []

    def another_first(old, new):
        if not taken:
            taken.append(new)
            Path(new).mkdir()
            (Path(new) / "saved_model.pb").write_text("theirs")
        rename(old, new)

    monkeypatch.setattr(os, "rename", another_first)
    folder = tmp_path / "mine"
    folder.mkdir()
    assert as_next_version(folder, tmp_path) == tmp_path / "2"
    assert (tmp_path / "1" / "saved_model.pb").read_text() == "theirs"


def test_warmup_requests_are_prediction_logs(exported):
    path = Path(exported) / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        PredictionLog.FromString(record.numpy())
        for record in tf.data.TFRecordDataset(str(path))
    ]
    requests = [log.predict_log.request for log in logs if log.HasField("predict_log")]
    asked = {request.model_spec.signature_name for request in requests}
    assert asked == {"serving_default", "tokens", "top_k"}
    served = tf.saved_model.load(exported)
    for request in requests:
        text = tf.constant(tf.make_ndarray(request.inputs["text"]).tolist())
        signature = served.signatures[request.model_spec.signature_name]
        for output in signature(text=text).values():
            assert output.shape[0] == text.shape[0]
    requests = [
        log.classify_log.request for log in logs if log.HasField("classify_log")
    ]
    sizes = [len(request.input.example_list.examples) for request in requests]
    assert sizes == [1, 8, 32] and len(logs) == 12


def test_top_k_are_the_most_probable_labels(model, exported):
    served = tf.saved_model.load(exported)
    received = served.signatures["top_k"](text=tf.constant(TEXTS))
    expected = probabilities_of(model)
    order = np.argsort(-expected, -1)
    # Five are asked for, and there are three.
    names = np.array(model.label_names)[order]
    assert received["labels"].numpy().astype(str).tolist() == names.tolist()
    shares = np.take_along_axis(expected, order, -1)
    np.testing.assert_allclose(received["probabilities"], shares, atol=1e-5)


def test_so_many_of_the_most_probable_as_are_asked_for(model, tmp_path):
    served = tf.saved_model.load(export_saved_model(model, tmp_path, top_k=2))
    received = served.signatures["top_k"](text=tf.constant(TEXTS))
    assert received["labels"].shape == received["probabilities"].shape == (5, 2)
    with pytest.raises(ValueError, match="`top_k` must be a whole number, at least 1"):
        export_saved_model(model, tmp_path, top_k=0)


def test_examples_are_classified(model, exported):
    examples = [tf.train.Example() for _ in range(3)]
    for example, text in zip(examples, TEXTS[2:4], strict=False):
        example.features.feature["text"].bytes_list.value.append(text.encode())
    rows = tf.constant([example.SerializeToString() for example in examples])
    answer = tf.saved_model.load(exported).signatures["classify"](inputs=rows)
    assert answer.keys() == {"classes", "scores"}
    # One without a text is of the empty one.
    expected = probabilities_of(model)[[2, 3, 1]]
    order = np.argsort(-expected, -1)
    names = np.array(model.label_names)[order]
    assert answer["classes"].numpy().astype(str).tolist() == names.tolist()
    shares = np.take_along_axis(expected, order, -1)
    np.testing.assert_allclose(answer["scores"], shares, atol=1e-5)


def test_a_number_is_regressed(model, tmp_path):
    tall = SiATLClassifier(
        LSTMBackbone(17, embedding_dim=6, hidden_dim=8, num_layers=2),
        preprocessor=model.preprocessor,
        task=Regression.from_labels([30, 20, 40]),
    )
    served = tf.saved_model.load(export_saved_model(tall, tmp_path))
    assert served.signatures.keys() == {"serving_default", "tokens", "regress"}
    example = tf.train.Example()
    example.features.feature["text"].bytes_list.value.append(TEXTS[0].encode())
    answer = served.signatures["regress"](
        inputs=tf.constant([example.SerializeToString()])
    )
    np.testing.assert_allclose(
        answer["outputs"], tall.predict(TEXTS[:1], verbose=0)[:, 0], rtol=1e-5
    )


def test_what_is_served_is_described(model, exported):
    described = Path(exported, "assets.extra", "served.json").read_text("utf-8")
    assert json.loads(described) == {
        "labels": ["no", "yes", "perhaps"],
        "task": {
            "kind": "SingleLabel",
            "label_names": ["no", "yes", "perhaps"],
            "temperature": 1.0,
            "abstain_below": 0.0,
        },
        "pairs": False,
    }


def test_model_without_preprocessor_is_refused(tmp_path):
    bare = SiATLClassifier(LSTMBackbone(5, 4, 4, 1), num_classes=2)
    with pytest.raises(ValueError, match="needs a preprocessor"):
        export_saved_model(bare, tmp_path)
