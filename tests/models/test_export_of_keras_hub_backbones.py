"""Exports of classifiers on KerasHub backbones, answered by a fresh process."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from rigs import small_backbones as small
from siatl_keras.export import export_saved_model
from siatl_keras.models import SiATLClassifier, SiATLPreprocessor
from siatl_keras.optimizers.groups import groups_of
from siatl_keras.text import WordTokenizer

# A server's process: nothing but TensorFlow and tensorflow_text.
SERVER = """
import json, sys
import tensorflow as tf, tensorflow_text
assert not {"siatl_keras", "keras_hub"} & set(sys.modules)
served = tf.saved_model.load(sys.argv[1])
inputs = {name: tf.constant(value) for name, value in json.loads(sys.argv[2]).items()}
answer = served.signatures["serving_default"](**inputs)
shown = {"probabilities": answer["probabilities"].numpy().tolist()}
if "text" in inputs:
    tokens = served.signatures["tokens"](**inputs)["tokens"].numpy().tolist()
    shown["tokens"] = [token.decode() for token in tokens[0] if token]
    hostile = [b"", b" ", b"\\xff\\xfe\\x00abc", b"a" * 9999, b"a day " * 500_000]
    classify = served.signatures["serving_default"]
    sums = classify(text=tf.constant(hostile))["probabilities"].numpy().sum(-1)
    shown["hostile_sums"] = sums.tolist()
    none = classify(text=tf.constant([], tf.string))["probabilities"]
    shown["none"] = none.shape.as_list()
print(json.dumps(shown))
"""


def classifier(family, lora=False):
    backbone = small.small_backbone(family)
    if lora:
        backbone.enable_lora(2)
    preprocessor = SiATLPreprocessor(small.small_tokenizer(family), 16)
    return small.with_classes_apart(SiATLClassifier(backbone, 2, preprocessor))


# Of words, in every change: tests/export/test_saved_model.py.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "lora"),
    [
        ("GPT2", False),
        ("Llama", True),
        ("Qwen3", False),
    ],
    ids=["byte pairs", "sentence pieces with LoRA", "no start token"],
)
def test_fresh_process_takes_texts(family, lora, tmp_path, run_python):
    model = classifier(family, lora)
    if lora:
        for variable in groups_of(model).variables["backbone"]:
            variable.assign(keras.random.normal(variable.shape, seed=1))
    path = export_saved_model(model, tmp_path)
    question = json.dumps({"text": small.TEXTS})
    answer = json.loads(run_python(path, question, code=SERVER))
    expected = tf.nn.softmax(model.predict(small.TEXTS, verbose=0))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
    assert answer["tokens"] == model.attention(small.TEXTS[:1])[0][0]
    np.testing.assert_allclose(answer["hostile_sums"], 1.0, atol=1e-5)
    assert answer["none"] == [0, 2]


def test_an_export_with_byte_pairs_has_no_table_that_grows(tmp_path):
    model = classifier("GPT2")
    model.predict(["words that the tokenizer's cache has seen"], verbose=0)
    folder = Path(export_saved_model(model, tmp_path))
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
    graph = saved_model.meta_graphs[0].graph_def
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    kinds = {node.op for node in nodes}
    assert "LookupTableFindV2" in kinds
    assert not {kind for kind in kinds if "Mutable" in kind or "Insert" in kind}
    assert b"seen" not in b"".join(p.read_bytes() for p in folder.rglob("variables.*"))


class PythonTokenizer(WordTokenizer):
    """Cannot be exported: it leaves the graph."""

    def tokenize(self, inputs):
        lengths = tf.numpy_function(lambda x: x, [tf.strings.length(inputs)], tf.int32)
        lengths = tf.ensure_shape(lengths, [None])
        return tf.RaggedTensor.from_row_lengths(
            tf.ones([tf.reduce_sum(lengths)], tf.int32), lengths
        )


def test_tokenizer_that_runs_python_gives_a_model_of_token_ids(tmp_path, run_python):
    tokenizer = PythonTokenizer(["<pad>", "<s>", "</s>", "<unk>", "a"])
    model = small.with_classes_apart(
        SiATLClassifier(small.small_backbone("GPT2"), 2, SiATLPreprocessor(tokenizer))
    )
    with pytest.warns(UserWarning, match="PythonTokenizer runs Python.*`token_ids`"):
        path = export_saved_model(model, tmp_path)
    x = {k: v.numpy().tolist() for k, v in model.preprocessor(small.TEXTS).items()}
    answer = json.loads(run_python(path, json.dumps(x), code=SERVER))
    expected = tf.nn.softmax(model.predict(small.TEXTS, verbose=0))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)
