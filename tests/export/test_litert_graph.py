import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from siatl_keras.export.litert_graph import make_convertible


def saved(function, folder, *specs):
    module = tf.Module()
    module.function = tf.function(function, input_signature=specs)
    tf.saved_model.save(module, folder)
    return folder


def kinds_of(folder):
    saved_model = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
    functions = saved_model.meta_graphs[0].graph_def.library.function
    return [node.op for function in functions for node in function.node_def]


def test_slices_that_add_an_axis_are_replaced(tmp_path):
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    cases = {
        "before": lambda x: x[tf.newaxis],
        "second": lambda x: x[:, tf.newaxis],
        "third": lambda x: x[:, :, tf.newaxis, :],
        "last": lambda x: x[:, :, :, tf.newaxis],
    }
    for name, function in cases.items():
        spec = tf.TensorSpec([None, None, None], tf.float32)
        folder = saved(function, tmp_path / name, spec)
        assert "StridedSlice" in kinds_of(folder)
        make_convertible(folder)
        kinds = kinds_of(folder)
        assert "ExpandDims" in kinds
        assert "StridedSlice" not in kinds
        np.testing.assert_array_equal(
            tf.saved_model.load(folder).function(x), function(x)
        )


def test_slices_that_do_more_stay(tmp_path):
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    cases = {
        "two": lambda x: x[:, tf.newaxis, :, tf.newaxis],
        "part": lambda x: x[:, tf.newaxis, 1:],
        "one row": lambda x: x[0, :, tf.newaxis],
        "from the end": lambda x: x[..., tf.newaxis],
        "plain": lambda x: x[:, :2],
        "backwards": lambda x: x[::-1, tf.newaxis],
    }
    for name, function in cases.items():
        spec = tf.TensorSpec([None, None, None], tf.float32)
        folder = saved(function, tmp_path / name, spec)
        make_convertible(folder)
        assert "ExpandDims" not in kinds_of(folder)
        np.testing.assert_array_equal(
            tf.saved_model.load(folder).function(x), function(x)
        )
