"""What makes large backbones fit: checkpointing, mixed precision, int8."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from rigs import small_backbones as small
from rigs.round_trips import through_preset
from rigs.three_stages import fit_in_three_stages
from siatl_keras.models import LSTMBackbone, SiATLClassifier
from siatl_keras.models.language_model_head import output_weights

# The benchmark's own measure, at a small size.
MEASURE = (
    "from benchmarks.checkpointing import measure; print(*measure({}, 8, 128, 128))"
)
# Blocks with dropout, rotary embeddings and soft caps, and keyword arguments alone.
CHECKPOINTED = {"GPT2": {"dropout": 0.4}, "Gemma2": {}, "Falcon": {"dropout": 0.3}}


@pytest.mark.parametrize(
    ("family", "lora"),
    [
        pytest.param("GPT2", False, marks=pytest.mark.slow),
        pytest.param("GPT2", True, marks=pytest.mark.slow),
        pytest.param("Gemma2", False, marks=pytest.mark.slow),
        pytest.param("Falcon", False, marks=pytest.mark.slow),
    ],
)
def test_activations_made_again_give_the_same_training(family, lora):
    histories, weights = [], []
    for checkpointing in (False, True):
        keras.utils.set_random_seed(2)
        backbone = small.small_backbone(family, **CHECKPOINTED[family])
        if lora:
            backbone.enable_lora(2)
        model = small.small_classifier(
            family, backbone, gradient_checkpointing=checkpointing
        )
        histories.append(fit_in_three_stages(model)[0])
        weights.append(model.get_weights())
    np.testing.assert_allclose(histories[0]["loss"], histories[1]["loss"], rtol=1e-5)
    for kept, made_again in zip(*weights, strict=True):
        np.testing.assert_allclose(kept, made_again, atol=1e-5)


@pytest.mark.slow
def test_activations_made_again_need_a_fraction_of_the_memory(run_python):
    kept, made_again = (
        [float(n) for n in run_python(code=MEASURE.format(flag)).split()[-3:]]
        for flag in (False, True)
    )
    assert made_again[2] == pytest.approx(kept[2], rel=1e-5)
    assert made_again[0] < 0.6 * kept[0]


@pytest.mark.slow
def test_checkpointing_is_saved_and_leaves_no_trace_in_the_layers(tmp_path):
    model = small.small_classifier("GPT2", gradient_checkpointing=True)
    fit_in_three_stages(model)
    assert all("call" not in vars(layer) for layer in model.backbone.layers)
    assert through_preset(model, tmp_path, small.TEXTS).gradient_checkpointing


def test_checkpointing_an_lstm_is_an_error():
    with pytest.raises(ValueError, match="needs a transformer.*LSTMBackbone"):
        SiATLClassifier(
            LSTMBackbone(9, 4, hidden_dim=4, num_layers=1),
            num_classes=2,
            gradient_checkpointing=True,
        )


@pytest.mark.parametrize(
    ("family", "policy"),
    [
        ("GPT2", "mixed_bfloat16"),
        pytest.param("GPT2", "mixed_float16", marks=pytest.mark.slow),
        pytest.param("Gemma2", "mixed_bfloat16", marks=pytest.mark.slow),
        pytest.param("Gemma2", "mixed_float16", marks=pytest.mark.slow),
    ],
)
def test_mixed_precision_learns_in_all_stages_and_keeps_float32_weights(family, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = small.small_classifier(family, small.small_backbone(family))
        history, groups = fit_in_three_stages(model)
    finally:
        keras.config.set_dtype_policy("float32")
    # In float16 the loss scale falls first: steps that overflow are left out.
    assert groups[::2] == ["t", "tbe"]
    assert groups[1] == "tb" or policy == "mixed_float16"
    assert np.isfinite(history["loss"]).all()
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.predict(small.TEXTS, verbose=0).dtype == np.float32


def int8_classifier(family):
    keras.utils.set_random_seed(4)
    model = small.small_classifier(family)
    plain = model.evaluate(small.TEXTS, small.LABELS, verbose=0, return_dict=True)
    model.backbone.quantize("int8")
    model.compile(keras.optimizers.Adam(0.05))
    return model, plain


@pytest.mark.parametrize("family", ["GPT2", "Llama", "Gemma2"])
@pytest.mark.slow
def test_on_an_int8_backbone_stage_1_learns_and_the_lm_loss_is_right(family):
    model, plain = int8_classifier(family)
    logs = model.evaluate(small.TEXTS, small.LABELS, verbose=0, return_dict=True)
    assert logs["lm_loss"] == pytest.approx(plain["lm_loss"], rel=0.02)
    model.backbone.trainable = False
    before = [weight.numpy() for weight in model.backbone.weights]
    history = model.fit(small.TEXTS, small.LABELS, epochs=8, verbose=0).history
    assert history["task_loss"][-1] < 0.8 * history["task_loss"][0]
    for weight, value in zip(model.backbone.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.slow
def test_an_int8_classifier_is_saved_and_loaded(tmp_path):
    model, _ = int8_classifier("GPT2")
    expected = model.predict(small.TEXTS, verbose=0)
    model.save_to_preset(str(tmp_path))
    again = SiATLClassifier.from_preset(str(tmp_path))
    assert any(weight.dtype == "int8" for weight in again.backbone.weights)
    np.testing.assert_allclose(again.predict(small.TEXTS, verbose=0), expected, 1e-4)


@pytest.mark.parametrize("family", ["GPT2", "Llama"])
def test_an_int8_head_is_taken_in_floats(family):
    embedding = small.small_backbone(family).token_embedding
    expected = tf.convert_to_tensor(output_weights(embedding).kernel)
    embedding.quantize("int8")
    received = output_weights(embedding).kernel
    step = np.abs(expected).max(axis=1, keepdims=True) / 127
    assert (np.abs(received - expected) <= 0.51 * step).all()


def test_int4_is_an_error():
    embedding = small.small_backbone("GPT2").token_embedding
    embedding.quantize("int4")
    with pytest.raises(ValueError, match="int8. Received one quantised to int4"):
        output_weights(embedding)
