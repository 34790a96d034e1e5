"""`make_convertible`: a graph as LiteRT's converter takes it.

TensorFlow 2.21's converter refuses slices that only add an axis to tensors whose shape
is not known, though `ExpandDims` does the same; KerasHub's attention has one in each
block.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

INT32 = tf.int32.as_datatype_enum


def make_convertible(folder: Path) -> None:
    """Replaces what LiteRT's converter refuses, in a SavedModel.

    Args:
        folder: of the SavedModel, which is rewritten.
    """
    path = folder / "saved_model.pb"
    saved_model = SavedModel.FromString(path.read_bytes())
    for graph in saved_model.meta_graphs:
        for function in graph.graph_def.library.function:
            axes = list(_replaced(function.node_def))
            function.node_def.extend(axes)
    path.write_bytes(saved_model.SerializeToString())


def _replaced(nodes: Any) -> Iterator[NodeDef]:
    """Rewrites nodes in place; yields the constants that they take then."""
    constants = {f"{n.name}:output:0": n for n in nodes if n.op == "Const"}
    for node in nodes:
        if node.op != "StridedSlice":
            continue
        axis = _new_axis(node)
        strides = constants.get(node.input[3])
        if axis is None or strides is None:
            continue
        if (tf.make_ndarray(strides.attr["value"].tensor) != 1).any():
            continue
        constant = NodeDef(name=f"{node.name}/axis", op="Const")
        constant.attr["dtype"].type = INT32
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(axis, tf.int32))
        dtype = node.attr["T"].type
        node.op = "ExpandDims"
        node.input[1:] = [f"{constant.name}:output:0"]
        node.attr.clear()
        node.attr["T"].type = dtype
        node.attr["Tdim"].type = INT32
        yield constant


def _new_axis(node: NodeDef) -> int | None:
    """Returns the axis that a slice adds, if it does nothing else but for strides."""
    # Asking for one that is missing would add it.
    masks = {name: node.attr[name].i for name in node.attr if name.endswith("_mask")}
    new = masks.get("new_axis_mask", 0)
    whole = masks.get("begin_mask", 0)
    if masks.get("shrink_axis_mask", 0) or masks.get("ellipsis_mask", 0):
        return None
    is_one = new and not new & (new - 1)
    is_all = not (new | whole) & ((new | whole) + 1)
    if not is_one or not is_all or whole != masks.get("end_mask", 0):
        return None
    return new.bit_length() - 1
