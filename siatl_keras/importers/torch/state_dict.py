"""An `LSTMBackbone`'s weights under the names of the authors' state dict, both ways.

PyTorch keeps matrices `[outputs, inputs]` and two biases per LSTM, which it adds up;
both order the gates input, forget, cell, output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from siatl_keras.models import LSTMBackbone

EMBEDDING = "embed.embedding.weight"
OUTPUT = "decoder.weight"


def backbone_from_state_dict(
    tensors: Mapping[str, np.ndarray], source: str = "the state dict"
) -> LSTMBackbone:
    """Makes a backbone of any size with the weights of a state dict.

    Args:
        tensors: the state dict of the authors' `LangModel`: arrays by name.
        source: where it is from, for errors.

    Returns:
        `LSTMBackbone` in float32, without dropout.

    Raises:
        ValueError: if a tensor is missing, unknown, of another shape, or not finite.
    """
    for name in (EMBEDDING, "encoder.rnn.weight_hh_l0"):
        if name not in tensors or tensors[name].ndim != 2:
            raise ValueError(
                f"{source}: expected a matrix `{name}`, as in the authors' language "
                f"models. Tensors: {sorted(tensors)}."
            )
    vocabulary, embedding = tensors[EMBEDDING].shape
    hidden = tensors["encoder.rnn.weight_hh_l0"].shape[1]
    layers = sum(name.startswith("encoder.rnn.weight_hh_l") for name in tensors)
    tied = _is_tied(tensors)
    shapes = expected_shapes(vocabulary, embedding, hidden, layers, tied)
    _check_shapes(tensors, shapes, source)
    backbone = LSTMBackbone(
        vocabulary,
        embedding,
        hidden_dim=hidden,
        num_layers=layers,
        tie_weights=tied,
        dtype="float32",
    )
    backbone.token_embedding.embeddings.assign(tensors[EMBEDDING])
    if not tied:
        backbone.token_embedding.reverse_embeddings.assign(tensors[OUTPUT].T)
    backbone.token_embedding.reverse_bias.assign(tensors["decoder.bias"])
    for index, lstm in enumerate(backbone.lstms):
        prefix, suffix = "encoder.rnn.", f"_l{index}"
        lstm.cell.kernel.assign(tensors[f"{prefix}weight_ih{suffix}"].T)
        lstm.cell.recurrent_kernel.assign(tensors[f"{prefix}weight_hh{suffix}"].T)
        lstm.cell.bias.assign(
            tensors[f"{prefix}bias_ih{suffix}"] + tensors[f"{prefix}bias_hh{suffix}"]
        )
    if backbone.projection is not None:
        backbone.projection.kernel.assign(tensors["down.weight"].T)
        backbone.projection.bias.assign(tensors["down.bias"])
    return backbone


def state_dict_of_backbone(backbone: LSTMBackbone) -> dict[str, np.ndarray]:
    """Returns a backbone's weights under the authors' names.

    Args:
        backbone: an `LSTMBackbone`.

    Returns:
        float32 arrays by name, in the order of the authors' model; each LSTM's bias is
        PyTorch's first one, the second is zero. If tied, `decoder.weight` is the same
        array as the embedding.
    """
    embedding = _array(backbone.token_embedding.embeddings)
    tensors = {EMBEDDING: embedding}
    for index, lstm in enumerate(backbone.lstms):
        prefix, suffix = "encoder.rnn.", f"_l{index}"
        bias = _array(lstm.cell.bias)
        tensors[f"{prefix}weight_ih{suffix}"] = _array(lstm.cell.kernel).T
        tensors[f"{prefix}weight_hh{suffix}"] = _array(lstm.cell.recurrent_kernel).T
        tensors[f"{prefix}bias_ih{suffix}"] = bias
        tensors[f"{prefix}bias_hh{suffix}"] = np.zeros_like(bias)
    tensors[OUTPUT] = embedding
    if not backbone.tie_weights:
        tensors[OUTPUT] = _array(backbone.token_embedding.reverse_embeddings).T
    tensors["decoder.bias"] = _array(backbone.token_embedding.reverse_bias)
    if backbone.projection is not None:
        tensors["down.weight"] = _array(backbone.projection.kernel).T
        tensors["down.bias"] = _array(backbone.projection.bias)
    return tensors


def expected_shapes(
    vocabulary: int, embedding: int, hidden: int, layers: int, tied: bool = True
) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of the authors' language model of a size, by name."""
    shapes: dict[str, tuple[int, ...]] = {EMBEDDING: (vocabulary, embedding)}
    for index in range(layers):
        inputs = hidden if index else embedding
        shapes[f"encoder.rnn.weight_ih_l{index}"] = (4 * hidden, inputs)
        shapes[f"encoder.rnn.weight_hh_l{index}"] = (4 * hidden, hidden)
        shapes[f"encoder.rnn.bias_ih_l{index}"] = (4 * hidden,)
        shapes[f"encoder.rnn.bias_hh_l{index}"] = (4 * hidden,)
    shapes[OUTPUT] = (vocabulary, embedding if tied else hidden)
    shapes["decoder.bias"] = (vocabulary,)
    # Only where it has to be: the tied output layer takes what the embedding is wide.
    if tied and hidden != embedding:
        shapes["down.weight"] = (embedding, hidden)
        shapes["down.bias"] = (embedding,)
    return shapes


def _is_tied(tensors: Mapping[str, np.ndarray]) -> bool:
    """Tells `tie_weights: True`, the authors' own setting, by what it leaves behind."""
    output = tensors.get(OUTPUT)
    # Without an output layer the message is that it is missing.
    return output is None or np.array_equal(output, tensors[EMBEDDING])


def _check_shapes(
    tensors: Mapping[str, np.ndarray], shapes: dict[str, Any], source: str
) -> None:
    missing, unknown = shapes.keys() - tensors.keys(), tensors.keys() - shapes.keys()
    if missing or unknown:
        raise ValueError(
            f"{source}: not the tensors of the authors' language model. Missing: "
            f"{sorted(missing)}. Unknown: {sorted(unknown)}."
        )
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tensor.shape != shape or tensor.dtype.kind != "f":
            raise ValueError(
                f"{source}: `{name}` must be float {shape}. Received: {tensor.dtype} "
                f"{tensor.shape}."
            )
        if not np.isfinite(tensor).all():
            raise ValueError(f"{source}: `{name}` holds what is no finite number.")


def _array(variable: Any) -> np.ndarray:
    return np.asarray(variable.numpy(), "float32")
