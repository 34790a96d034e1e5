"""TF Serving has every operation that an export needs, on CPUs, without Python."""

import json
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from rigs.served_models import MAKERS
from siatl_keras.export import export_saved_model

# tensorflow_model_server is linked with SUPPORTED_TENSORFLOW_OPS of
# tensorflow_serving/model_servers/BUILD, in 2.20.0 tensorflow_text's `ops_lib`. Its
# parts stand in tensorflow_text/BUILD, their operations in
# tensorflow_text/core/ops/*.cc (REGISTER_OP), v2.20.0: here those of texts.
SERVED_TEXT_OPERATIONS = {
    "normalize_ops_cc": {
        "CaseFoldUTF8",
        "NormalizeUTF8",
        "NormalizeUTF8WithOffsetsMap",
        "FindSourceOffsets",
    },
    "regex_split_ops_cc": {"RegexSplitWithOffsets"},
    "sentencepiece_tokenizer_cc": {
        "SentencepieceOp",
        "SentencepieceTokenizeOp",
        "SentencepieceDetokenizeOp",
        "SentencepieceVocabSizeOp",
        "SentencepieceIdToStringOp",
        "SentencepieceStringToIdOp",
    },
}
# In a process of its own: KerasHub imports tensorflow_text. What runs on any device is
# registered for DEFAULT.
REGISTERED = """
import json
import tensorflow as tf
from tensorflow.python.framework.kernels import get_all_registered_kernels
def registered():
    kernels = get_all_registered_kernels().kernel
    return sorted({k.op for k in kernels if k.device_type in ("CPU", "DEFAULT")})
alone = registered()
import tensorflow_text
print(json.dumps([alone, registered()]))
"""
# A change runs a tokenizer of each kind.
FAST = ("classes", "byte pairs")


def operations_of(folder):
    """Returns the names of all operations, those in functions too."""
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((Path(folder) / "saved_model.pb").read_bytes())
    graph = saved_model.meta_graphs[0].graph_def
    functions = graph.library.function
    nodes = [*graph.node, *(node for f in functions for node in f.node_def)]
    return {node.op for node in nodes} - {f.signature.name for f in functions}


def runs_python(operations):
    return {name for name in operations if "PyFunc" in name}


@pytest.fixture(scope="module")
def registered(run_python):
    """Operations with a kernel for CPUs: TensorFlow's, tensorflow_text's."""
    alone, both = map(set, json.loads(run_python(code=REGISTERED)))
    return alone, both - alone


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(kind, marks=[] if kind in FAST else [pytest.mark.slow])
        for kind in MAKERS
    ],
)
def operations(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    return operations_of(export_saved_model(MAKERS[request.param](), folder))


def test_the_server_has_each_operation(operations, registered):
    of_tensorflow, of_text = registered
    others = operations - of_tensorflow
    assert others <= of_text
    assert others <= set().union(*SERVED_TEXT_OPERATIONS.values())


def test_nothing_needs_python_or_a_gpu(operations):
    assert len(operations) > 20
    assert not runs_python(operations)
    assert not {name for name in operations if "cudnn" in name.lower()}


def test_the_texts_operations_are_those_of_tensorflow_text(registered):
    listed = set().union(*SERVED_TEXT_OPERATIONS.values())
    assert listed <= registered[1]


def test_python_inside_a_function_would_be_found(tmp_path):
    module = tf.Module()
    module.inner = tf.function(
        lambda text: tf.numpy_function(lambda x: x, [text], tf.string)
    )
    module.outer = tf.function(
        module.inner, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path))
    assert runs_python(operations_of(tmp_path)) == {"PyFunc"}
