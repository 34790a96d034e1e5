import keras
import numpy as np
import pytest
import tensorflow as tf

from rigs.round_trips import through_config
from siatl_keras.models import LSTMBackbone

IDS = np.array([[1, 5, 6, 7, 2], [1, 8, 2, 0, 0]], "int32")
INPUTS = {"token_ids": IDS, "padding_mask": (IDS > 0).astype("int32")}


def test_projection_takes_the_output_to_the_embedding_size(make_backbone):
    assert make_backbone()(INPUTS).shape == (2, 5, 6)
    assert make_backbone().projection is not None
    assert make_backbone(hidden_dim=6).projection is None


def test_untied_the_output_has_the_size_of_the_last_lstm(make_backbone):
    backbone = make_backbone(tie_weights=False)
    assert backbone(INPUTS).shape == (2, 5, 8)
    assert backbone.projection is None
    states = backbone.initial_states(2)
    by_step, _ = backbone.step_states(IDS, IDS > 0, states)
    real = IDS > 0
    np.testing.assert_allclose(by_step[real], backbone(INPUTS)[real], atol=1e-6)
    with pytest.raises(ValueError, match="`tie_weights` must be True or False"):
        make_backbone(tie_weights=1)


def test_padding_changes_no_real_position_and_comes_out_as_zero(make_backbone):
    backbone = make_backbone()
    alone = {name: values[1:, :3] for name, values in INPUTS.items()}
    together = backbone(INPUTS).numpy()
    np.testing.assert_allclose(together[1, :3], backbone(alone).numpy()[0], atol=1e-6)
    assert not together[1, 3:].any()


@pytest.mark.parametrize("tied", [True, False])
def test_config_round_trip_gives_the_same_outputs(make_backbone, tied):
    backbone = make_backbone(
        tie_weights=tied, hidden_dropout=0.3, recurrent_weight_dropout=0.2
    )
    again = through_config(backbone)
    again.set_weights(backbone.get_weights())
    np.testing.assert_allclose(again(INPUTS), backbone(INPUTS))


def test_preset_round_trip_gives_the_same_outputs(make_backbone, tmp_path):
    backbone = make_backbone()
    backbone.token_embedding.reverse_bias.assign(np.arange(20.0))
    backbone.save_to_preset(str(tmp_path))
    again = keras_hub_backbone().from_preset(str(tmp_path))
    np.testing.assert_allclose(again(INPUTS), backbone(INPUTS))
    np.testing.assert_allclose(again.token_embedding.reverse_bias, np.arange(20.0))


def keras_hub_backbone():
    import keras_hub

    return keras_hub.models.Backbone


@pytest.mark.parametrize(
    "regulariser",
    [
        "embedding_noise",
        "embedding_dropout",
        "input_dropout",
        "hidden_dropout",
        "output_dropout",
        "recurrent_weight_dropout",
    ],
)
def test_each_regulariser_changes_training_and_not_evaluation(
    make_backbone, regulariser
):
    plain, regularised = make_backbone(), make_backbone(**{regulariser: 0.5})
    regularised.set_weights(plain.get_weights())
    np.testing.assert_allclose(regularised(INPUTS), plain(INPUTS), atol=1e-6)
    difference = regularised(INPUTS, training=True) - plain(INPUTS, training=True)
    assert float(tf.reduce_max(tf.abs(difference))) > 1e-4


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_every_dtype_policy_computes_in_its_dtype(make_backbone, policy):
    backbone = make_backbone(dtype=policy)
    outputs = backbone(INPUTS)
    assert outputs.dtype == keras.DTypePolicy(policy).compute_dtype
    assert backbone.token_embedding.embeddings.dtype == "float32"
    assert np.isfinite(tf.cast(outputs, tf.float32)).all()


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="`num_layers` must be a whole number"):
        LSTMBackbone(10, embedding_dim=4, hidden_dim=4, num_layers=0)


def test_steps_with_states_equal_the_whole_sequence(make_backbone):
    backbone = make_backbone()
    states = backbone.initial_states(1)
    steps = []
    for token in IDS[0]:
        ids = np.array([[token]], "int32")
        hidden, states = backbone.step_states(ids, ids > 0, states)
        steps.append(hidden.numpy()[0, 0])
    np.testing.assert_allclose(steps, backbone(INPUTS).numpy()[0], atol=1e-6)
