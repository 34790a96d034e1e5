import numpy as np
import pytest

from rigs.authors_files import weights
from siatl_keras.importers.torch import (
    backbone_from_state_dict,
    state_dict_of_backbone,
)
from siatl_keras.models import LSTMCausalLM

SIZES = {
    "with down": {"embedding": 3, "hidden": 5, "layers": 2},
    "without down": {"embedding": 4, "hidden": 4, "layers": 1},
    "narrow, three layers": {"embedding": 6, "hidden": 2, "layers": 3},
    "untied": {"embedding": 3, "hidden": 5, "layers": 2, "tied": False},
    "untied, one width": {"embedding": 4, "hidden": 4, "layers": 1, "tied": False},
}
IDS = np.array([[4, 5, 9, 6, 3], [8, 7, 0, 0, 0]], "int32")
INPUTS = {"token_ids": IDS, "padding_mask": (IDS > 0).astype("int32")}


@pytest.fixture(params=SIZES)
def state(request):
    return weights(**SIZES[request.param])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def logits(state, token_ids):
    """The authors' model, by PyTorch's definition of an LSTM, in numpy."""
    x = state["embed.embedding.weight"][token_ids]  # [time, embedding]
    layer = 0
    while f"encoder.rnn.weight_ih_l{layer}" in state:
        w_ih, w_hh, b_ih, b_hh = (
            state[f"encoder.rnn.{name}_l{layer}"].astype("f8")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        hidden = cell = np.zeros(w_hh.shape[1])
        outputs = []
        for step in x:
            gates = np.split(w_ih @ step + b_ih + w_hh @ hidden + b_hh, 4)
            input_gate, forget, candidate, output = gates
            cell = sigmoid(forget) * cell + sigmoid(input_gate) * np.tanh(candidate)
            hidden = sigmoid(output) * np.tanh(cell)
            outputs.append(hidden)
        x, layer = np.array(outputs), layer + 1
    if "down.weight" in state:
        x = x @ state["down.weight"].T + state["down.bias"]
    return x @ state["decoder.weight"].T + state["decoder.bias"]


def test_backbone_of_any_size_gives_the_logits_of_the_state_dict(state):
    received = LSTMCausalLM(backbone_from_state_dict(state))(INPUTS).numpy()
    for row, ids, mask in zip(received, IDS, INPUTS["padding_mask"], strict=True):
        length = mask.sum()
        np.testing.assert_allclose(row[:length], logits(state, ids[:length]), atol=1e-5)


def test_state_dict_comes_back_with_one_bias(state):
    again = state_dict_of_backbone(backbone_from_state_dict(state))
    assert list(again) == list(state)
    tied = state["decoder.weight"] is state["embed.embedding.weight"]
    assert (again["decoder.weight"] is again["embed.embedding.weight"]) == tied
    for name, expected in state.items():
        if "bias_ih" in name:
            expected = expected + state[name.replace("_ih", "_hh")]
        if "bias_hh" in name:
            expected = np.zeros_like(expected)
        np.testing.assert_array_equal(again[name], expected)


def test_an_output_layer_of_its_own_takes_the_lstms_states():
    state = weights()
    state["decoder.weight"] = state["decoder.weight"] + 1
    # Their code has a projection for tied weights alone.
    with pytest.raises(ValueError, match=r"lm.pt: .*Unknown: \['down.bias', 'down.we"):
        backbone_from_state_dict(state, "lm.pt")
    state = {**weights(tied=False), "decoder.weight": np.zeros((10, 3), "f4")}
    with pytest.raises(ValueError, match=r"`decoder.weight` must be float \(10, 4\)"):
        backbone_from_state_dict(state)


def test_equal_copies_count_as_tied():
    state = weights()
    state["decoder.weight"] = state["decoder.weight"].copy()
    assert backbone_from_state_dict(state).tie_weights


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"embed.embedding.weight": None},
            "expected a matrix `embed.embedding.weight`",
        ),
        ({"encoder.rnn.weight_hh_l0": np.zeros(3)}, "expected a matrix `encoder"),
        ({"down.bias": None}, r"Missing: \['down.bias'\]"),
        ({"encoder.rnn.bias_hh_l1": None}, r"Missing: \['encoder.rnn.bias_hh_l1'\]"),
        ({"encoder.rnn.weight_hh_l0_reverse": np.zeros((16, 4), "f4")}, "reverse"),
        ({"attention.weight": np.zeros(3)}, r"Unknown: \['attention.weight'\]"),
        ({"down.bias": np.zeros(4, "f4")}, r"`down.bias` must be float \(3,\)"),
        ({"down.bias": np.zeros(3, "i4")}, "Received: int32"),
        ({"down.bias": np.full(3, np.nan, "f4")}, "no finite number"),
    ],
)
def test_state_dicts_of_something_else_are_refused(change, said):
    state = {**weights(), **change}
    state = {name: array for name, array in state.items() if array is not None}
    with pytest.raises(ValueError, match=said):
        backbone_from_state_dict(state)
