import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from rigs import small_backbones as small
from rigs.round_trips import through_preset
from rigs.step_losses import step_losses, total_gradients
from rigs.three_stages import fit_in_three_stages
from siatl_keras.callbacks import SequentialUnfreezing
from siatl_keras.inputs import Column
from siatl_keras.models import SiATLClassifier, SiATLPreprocessor
from siatl_keras.models.causal_backbone import causal_lm_class
from siatl_keras.optimizers.groups import groups_of
from siatl_keras.plans import stages

FEW = ["GPT2", "Llama", "Gemma2"]
FROM_PRESETS = [*FEW, "Qwen3_5"]


def families(every_change):
    """All families; those that `make test` leaves to `make test-all` are marked."""
    return [
        name if name in every_change else pytest.param(name, marks=pytest.mark.slow)
        for name in small.BACKBONES
    ]


@pytest.fixture(scope="module", params=families(FEW))
def family(request):
    return request.param


@pytest.fixture(scope="module")
def model(family):
    return small.small_classifier(family)


def test_lm_logits_and_losses_equal_those_of_keras_hub(model):
    causal_lm = causal_lm_class(model.backbone)(
        backbone=model.backbone, preprocessor=None
    )
    x, y, weights = model.preprocessor(
        tf.constant(small.TEXTS[:3]), y=tf.zeros(3, tf.int32)
    )
    expected = causal_lm(x)
    np.testing.assert_allclose(model(x)["lm"], expected, atol=1e-5)
    _, (_, (_, losses)) = step_losses(model, (x, y, weights))
    plain = tf.nn.sparse_softmax_cross_entropy_with_logits(y["lm"], expected)
    np.testing.assert_allclose(losses, plain * weights["lm"], atol=1e-5)


def test_every_weight_is_in_one_group(model):
    grouped = [v.path for group in groups_of(model).variables.values() for v in group]
    assert sorted(grouped) == sorted(v.path for v in model.trainable_variables)
    names = [layer.name for layer in groups_of(model).layers["embedding"]]
    assert all("embedding" in name for name in names)
    backbone = [layer.name for layer in groups_of(model).layers["backbone"]]
    blocks = [name for name in backbone if name[-1].isdigit()]
    assert blocks == sorted(blocks) and len(blocks) == 2


def test_each_stage_of_fit_on_strings_changes_its_groups(model):
    history, groups = fit_in_three_stages(model)
    assert groups == ["t", "tb", "tbe"]
    assert np.isfinite(history["loss"]).all() and history["stage"] == [1, 2, 3]


def test_preset_gives_the_same_predictions(model, tmp_path):
    through_preset(model, tmp_path, small.TEXTS)


def test_language_model_is_given_back(model):
    causal_lm = model.causal_lm()
    family = type(model.backbone).__name__.removesuffix("Backbone")
    assert type(causal_lm).__name__ == f"{family}CausalLM"
    assert causal_lm.backbone is model.backbone
    causal_lm.compile(sampler="greedy", jit_compile=False)
    assert causal_lm.generate("what a", max_length=12).startswith("what a")


def batch_of(model):
    targets = model.task.encode(Column(small.LABELS, "y"))
    return model.preprocessor(tf.constant(small.TEXTS), y=targets)


@pytest.mark.parametrize("family", ["OPT", "Llama", "Gemma2"])
def test_gradients_in_slices_equal_those_of_the_logits(family):
    # Position embeddings, an untied head, soft-capped logits.
    arguments = {"dropout": 0.0} if family == "OPT" else {}
    model = small.small_classifier(family, small.small_backbone(family, **arguments))
    model.gamma.assign(0.5)
    batch = batch_of(model)
    sliced = total_gradients(model, batch, True)
    plain = total_gradients(model, batch, False)
    for a, b in zip(sliced, plain, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_dropout_of_the_backbone_is_on_in_training_alone():
    model = small.small_classifier("GPT2", small.small_backbone("GPT2", dropout=0.5))
    x, _, _ = batch_of(model)
    calm, again = model.classify(x)[0], model.classify(x)[0]
    np.testing.assert_array_equal(calm, again)
    assert not np.allclose(model.classify(x, training=True)[0], calm, atol=1e-3)


def test_position_embeddings_and_an_untied_head_are_embeddings():
    paths = {
        family: [
            v.path
            for v in groups_of(small.small_classifier(family)).variables["embedding"]
        ]
        for family in ("GPT2", "OPT", "Llama")
    }
    assert any("position_embedding" in path for path in paths["GPT2"])
    assert any("position_embedding" in path for path in paths["OPT"])
    assert any("reverse_embeddings" in path for path in paths["Llama"])
    assert [len(group) for group in paths.values()] == [2, 2, 2]


def test_blocks_thaw_from_the_top():
    model = small.small_classifier("GPT2")
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            layers = groups_of(model).layers["backbone"]
            seen.append([layer.name for layer in layers if layer.trainable])

    model.fit(
        small.TEXTS,
        small.LABELS,
        epochs=3,
        verbose=0,
        callbacks=[
            SequentialUnfreezing(stages(2, None, layers_per_epoch=2)),
            Watch(),
        ],
    )
    top = ["transformer_layer_1", "layer_norm"]
    assert seen == [[], top, ["transformer_layer_0", *top]]


@pytest.mark.parametrize(
    "family",
    ["GPT2", *(pytest.param(name, marks=pytest.mark.slow) for name in FEW[1:])],
)
def test_with_lora_the_adapters_alone_learn(family, tmp_path):
    model = small.small_classifier(family)
    model.backbone.enable_lora(2)
    model.compile(small.two_optimizers())
    adapters = groups_of(model).variables["backbone"]
    assert {v.name for v in adapters} <= {"lora_kernel_a", "lora_kernel_b", "bias"}
    names = {id(v) for v in adapters}
    frozen = [v for v in model.backbone.weights if id(v) not in names]
    before = [v.numpy() for v in frozen]
    history, groups = fit_in_three_stages(model)
    assert groups == ["t", "tb", "tb"]
    assert history["stage"] == [1, 2, 3]
    for weight, value in zip(frozen, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    through_preset(model, tmp_path, small.TEXTS)


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.backbone.enable_lora(2),
        pytest.param(
            lambda model: model.backbone.quantize("int8"), marks=pytest.mark.slow
        ),
    ],
    ids=["enable_lora", "quantize"],
)
def test_a_change_of_the_layers_after_compile_is_refused_before_training(change):
    model = small.small_classifier("GPT2")
    model.make_train_function()
    change(model)
    unfreezing = SequentialUnfreezing(stages(2, 3))
    with pytest.raises(ValueError, match="changed since `compile`.*Call `compile` ag"):
        model.fit(small.TEXTS, small.LABELS, verbose=0, callbacks=[unfreezing])
    # Of a stage that comes first, in which the adapters are frozen, too.
    model.backbone.trainable = False
    with pytest.raises(ValueError, match="changed since `compile`"):
        model.fit(small.TEXTS, small.LABELS, verbose=0, callbacks=[unfreezing])
    model.compile()
    model.make_train_function()


@pytest.mark.parametrize("family", FROM_PRESETS)
def test_preset_of_a_language_model_gets_a_new_classifier(family, tmp_path):
    causal_lm = small.small_causal_lm(family)
    causal_lm.save_to_preset(str(tmp_path))
    model = SiATLClassifier.from_preset(
        str(tmp_path), label_names=["no", "yes"], sequence_length=9
    )
    assert type(model.backbone) is type(causal_lm.backbone)
    assert type(model.preprocessor.tokenizer) is type(causal_lm.preprocessor.tokenizer)
    assert model.preprocessor.sequence_length == 9
    fixed = family == "Qwen3_5"
    assert model.preprocessor.pad_to_sequence_length == fixed
    x = model.preprocessor(small.TEXTS[:2])
    np.testing.assert_allclose(model(x)["lm"], causal_lm(x), atol=1e-5)


def test_folder_in_hugging_face_s_format_gets_a_new_classifier(tmp_path):
    # Their GPT-2 is four times as wide inside its blocks, always.
    causal_lm = small.small_causal_lm("GPT2", intermediate_dim=32)
    causal_lm.export_to_transformers(str(tmp_path))
    model = SiATLClassifier.from_preset(str(tmp_path), label_names=["no", "yes"])
    assert type(model.preprocessor.tokenizer) is keras_hub.models.GPT2Tokenizer
    x = model.preprocessor(small.TEXTS[:2])
    np.testing.assert_allclose(model(x)["lm"], causal_lm(x), atol=1e-5)


def perplexity(causal_lm):
    causal_lm.compile(
        weighted_metrics=[keras_hub.metrics.Perplexity(from_logits=True)],
        jit_compile=False,
    )
    return causal_lm.evaluate(small.TEXTS, return_dict=True, verbose=0)["perplexity"]


def test_auxiliary_loss_lowers_the_perplexity_of_the_language_model():
    model = small.small_classifier("GPT2")
    before = perplexity(model.causal_lm())
    model.gamma.assign(1.0)
    model.fit(small.TEXTS, small.LABELS, batch_size=4, epochs=5, verbose=0)
    assert perplexity(model.causal_lm()) < before


@pytest.mark.parametrize("pooling", ["attention", "last", "mean", "concat"])
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_on_either_side_does_not_change_the_pooled_state(pooling, side):
    from siatl_keras.heads import TaskHead

    head = TaskHead(2, num_layers=0, pooling=pooling)
    head.build((1, 5, 4))
    kernel = head.classes.kernel
    kernel.assign(keras.random.normal(kernel.shape, seed=5))
    hidden = np.random.default_rng(0).normal(size=(1, 5, 4)).astype("float32")
    expected, _ = head(hidden, np.ones((1, 5), "int32"))
    widths = ((0, 0), (3, 0) if side == "left" else (0, 3))
    padded = np.pad(hidden, (*widths, (0, 0)), constant_values=7.0)
    mask = np.pad(np.ones((1, 5), "int32"), widths)
    received, _ = head(padded, mask)
    np.testing.assert_allclose(received, expected, atol=1e-6)


def test_what_a_tokenizer_lacks_is_left_out():
    qwen = SiATLPreprocessor(small.small_tokenizer("Qwen3"), 16)
    ids = [qwen.tokenizer.token_to_id(token) for token in ("day", "<|im_end|>")]
    assert qwen.tokenize(["day"]).to_list() == [ids]
    opt = SiATLPreprocessor(small.small_tokenizer("OPT"), 4)
    x = opt(["so glad my flight", "a"])
    assert x["token_ids"].shape == (2, 4)
    assert x["token_ids"].numpy()[1, -1] == opt.tokenizer.pad_token_id
    assert x["padding_mask"].numpy().tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]


def test_a_backbone_of_one_length_refuses_texts_of_any():
    preprocessor = SiATLPreprocessor(small.small_tokenizer("Qwen3_5"), 16)
    with pytest.raises(ValueError, match="Qwen3_5.*`pad_to_sequence_length=True`"):
        SiATLClassifier(
            small.small_backbone("Qwen3_5"), num_classes=2, preprocessor=preprocessor
        )


def test_tokenizers_that_pad_are_refused():
    tokenizer = small.small_tokenizer("GPT2")
    tokenizer.sequence_length = 8
    with pytest.raises(ValueError, match="must return ragged.*`sequence_length`"):
        SiATLPreprocessor(tokenizer).tokenize(["day"])


SIZES = {"num_layers": 1, "hidden_dim": 4, "intermediate_dim": 8}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: keras_hub.models.BertBackbone(9, num_heads=1, **SIZES),
            "BertBackbone, for which no.*TextClassifier",
        ),
        (
            lambda: keras_hub.models.RobertaBackbone(9, num_heads=1, **SIZES),
            "RobertaBackbone, for which no.*TextClassifier",
        ),
        (
            lambda: keras_hub.models.T5Backbone(9, num_heads=1, **SIZES),
            "T5Backbone, for which no.*TextClassifier",
        ),
    ],
    ids=["BERT", "RoBERTa", "T5"],
)
def test_backbones_without_a_causal_language_model_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        SiATLClassifier(make(), num_classes=2)
