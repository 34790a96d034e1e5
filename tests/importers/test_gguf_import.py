"""import_gguf: files that `gguf`'s own writer makes, of small random models."""

import struct
import time

import gguf
import keras
import keras_hub
import numpy as np
import pytest

from rigs.gguf_files import WORDS, random_tensors, write
from rigs.numpy_decoder import logits_of
from rigs.sentence_pieces import GEMMA_PIECES, small_sentence_piece
from siatl_keras.importers.gguf_import import import_gguf
from siatl_keras.models import SiATLClassifier

TEXTS = ["day day", "good", "a day"]


@pytest.mark.parametrize("architecture", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_the_preset_gives_the_logits_of_the_file(tied, architecture, tmp_path):
    tensors = random_tensors(tied, architecture)
    path = write(tmp_path / "lm.gguf", tensors, architecture)
    import_gguf(path, tmp_path / "lm")
    assert (tmp_path / "lm" / "weights.sha256").exists()
    check_logits(tmp_path / "lm", tensors, architecture, [9, 10, 7, 4, 8, 3, 6])


@pytest.mark.parametrize("architecture", ["gemma3", "llama"])
def test_so_do_those_with_a_sentence_piece_tokenizer(architecture, tmp_path):
    proto = small_sentence_piece(**GEMMA_PIECES if architecture == "gemma3" else {})
    tensors = random_tensors(True, architecture, vocabulary=len(proto.pieces))
    path = tmp_path / "lm.gguf"
    write(path, tensors, architecture, sentence_piece=proto)
    import_gguf(path, tmp_path / "lm")
    ids = [2, 290, 280, 5, 7, 285, 270, 4]  # Twice the window of the Gemma.
    check_logits(tmp_path / "lm", tensors, architecture, ids)


def test_what_a_gemma_cannot_have_or_lacks_is_named(tmp_path):
    proto = small_sentence_piece(**GEMMA_PIECES)
    size = len(proto.pieces)

    def refused(message, tied=True, **options):
        tensors = random_tensors(tied, "gemma3", vocabulary=size)
        path = tmp_path / "lm.gguf"
        write(path, tensors, "gemma3", sentence_piece=proto, **options)
        with pytest.raises(ValueError, match=message):
            import_gguf(path, tmp_path / "lm")

    refused("tensors .'output.weight'. are not known", tied=False)
    refused("gemma3.attention.sliding_window must be a whole number", window=None)
    scaled = [("add_rope_scaling_factor", [8.0])]
    refused("gemma3.rope.scaling.factor changes what", more=scaled)
    refused("gemma3.rope.freq_base changes what .*Found: 10000.0", wavelength=None)
    assert not (tmp_path / "lm").exists()


def check_logits(preset, tensors, architecture, token_ids):
    model = keras_hub.models.CausalLM.from_preset(str(preset))
    rows = np.array([token_ids])
    received = model({"token_ids": rows, "padding_mask": np.ones_like(rows)})
    expected = logits_of(tensors, token_ids, architecture)
    assert np.abs(expected).max() > 0.5
    np.testing.assert_allclose(received[0], expected, atol=1e-4)


def test_quantized_tensors_are_near_what_they_were_made_of(tmp_path):
    tensors = random_tensors()
    name = "blk.0.ffn_down.weight"
    path = write(tmp_path / "lm.gguf", tensors, quantized=[name])
    model = import_gguf(path, tmp_path / "lm")
    (variable,) = (
        v
        for v in model.backbone.variables
        if v.path.endswith("layer_0/feedforward_output_dense/kernel")
    )
    difference = np.abs(variable.numpy() - tensors[name].T)
    assert 0 < difference.max() < 0.01


@pytest.mark.slow
def test_a_classifier_starts_from_the_preset(tmp_path):
    import_gguf(write(tmp_path / "lm.gguf", random_tensors()), tmp_path / "lm")
    model = SiATLClassifier.from_preset(str(tmp_path / "lm"), label_names=["no", "yes"])
    assert model.preprocessor(["a day"])["token_ids"].numpy().tolist() == [[3, 10, 9]]
    before = keras.ops.convert_to_numpy(model.backbone.token_embedding.embeddings)
    model.fit(TEXTS, ["no", "yes", "no"], epochs=2, verbose=0)
    after = keras.ops.convert_to_numpy(model.backbone.token_embedding.embeddings)
    assert np.isfinite(after).all() and (before != after).any()


def test_it_generates_and_ends_with_the_turn(tmp_path):
    path = write(tmp_path / "lm.gguf", random_tensors())
    model = import_gguf(path, tmp_path / "lm")
    model.compile(sampler="greedy", jit_compile=False)
    assert model.generate("day", max_length=6).startswith("day")
    assert model.generate("day", max_length=6) != "day"


def test_an_existing_preset_is_replaced_only_if_told_to(tmp_path):
    path = write(tmp_path / "lm.gguf", random_tensors())
    import_gguf(path, tmp_path / "lm")
    with pytest.raises(ValueError, match="exists already"):
        import_gguf(path, tmp_path / "lm")
    import_gguf(path, tmp_path / "lm", overwrite=True)


def without(name):
    return {k: v for k, v in random_tensors().items() if k != name}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"architecture": "mamba"}, "general.architecture must be one of.*'mamba'"),
        ({"words": ["x", *WORDS[1:]]}, "lack .'<.endoftext.>'"),
        ({"tensors": without("blk.1.attn_k.weight")}, "no tensor blk.1.attn_k.weight"),
        (
            {"tensors": random_tensors() | {"rope_freqs.weight": np.ones(4, "f4")}},
            "tensors .'rope_freqs.weight'. are not known",
        ),
        (
            {"tensors": random_tensors() | {"output_norm.weight": np.ones(16, "f4")}},
            "output_norm.weight has the shape .16,.*Expected.*.32,.",
        ),
    ],
    ids=["architecture", "tokens", "missing", "left over", "shape"],
)
def test_other_models_are_refused_by_name_and_nothing_is_written(
    options, message, tmp_path
):
    options = {"tensors": random_tensors(), **options}
    path = write(tmp_path / "lm.gguf", **options)
    with pytest.raises(ValueError, match=message):
        import_gguf(path, tmp_path / "lm")
    assert [p.name for p in tmp_path.iterdir()] == ["lm.gguf"]


def linear_scaling(factor):
    scaling = gguf.RopeScalingType.LINEAR
    return [("add_rope_scaling_type", [scaling]), ("add_rope_scaling_factor", [factor])]


NONE = gguf.RopeScalingType.NONE
YARN = gguf.RopeScalingType.YARN
CHANGES = {
    "rope.scaling.factor": linear_scaling(4.0),
    "rope.scaling.type": [("add_rope_scaling_type", [YARN])],
    "rope.scaling.attn_factor": [("add_rope_scaling_attn_factors", [0.5])],
    "rope.scaling.yarn_log_multiplier": [("add_rope_scaling_yarn_log_mul", [0.1])],
    "rope.scale_linear": [("add_float32", ["llama.rope.scale_linear", 2.0])],
    "rope.dimension_count": [("add_rope_dimension_count", [4])],
    "attention.key_length": [("add_key_length", [16])],
    "attention.value_length": [("add_value_length", [16])],
    "attention.sliding_window": [("add_sliding_window", [128])],
    "attention.causal": [("add_causal_attention", [False])],
    "attention.clamp_kqv": [("add_clamp_kqv", [8.0])],
    "attention.scale": [("add_attention_scale", [0.5])],
    "expert_count": [("add_expert_count", [8])],
    "logit_scale": [("add_logit_scale", [0.5])],
    "residual_scale": [("add_residual_scale", [0.2])],
    "embedding_scale": [("add_embedding_scale", [12.0])],
    "final_logit_softcapping": [("add_final_logit_softcapping", [30.0])],
    "use_parallel_residual": [("add_parallel_residual", [True])],
    "tensor_data_layout": [("add_tensor_data_layout", ["Meta AI original pth"])],
    "something.new": [("add_uint32", ["llama.something.new", 3])],
    "tokenizer.ggml.add_eos_token": [("add_add_eos_token", [True])],
    "tokenizer.ggml.add_space_prefix": [("add_add_space_prefix", [True])],
    "general.type": [("add_type", ["adapter"])],
    "split.count": [("add_uint16", ["split.count", 3])],
}


@pytest.mark.parametrize("field", CHANGES)
def test_a_field_that_changes_the_computation_is_refused_by_name(field, tmp_path):
    path = write(tmp_path / "lm.gguf", random_tensors(), more=CHANGES[field])
    with pytest.raises(ValueError, match=f"lm.gguf: (llama.)?{field} changes what"):
        import_gguf(path, tmp_path / "lm")
    assert [p.name for p in tmp_path.iterdir()] == ["lm.gguf"]


def test_fields_that_say_what_is_the_case_anyway_are_fine(tmp_path):
    more = [
        ("add_rope_scaling_type", [NONE]),
        ("add_rope_scaling_factor", [1.0]),
        ("add_rope_dimension_count", [8]),
        ("add_key_length", [8]),
        ("add_value_length", [8]),
        ("add_expert_count", [0]),
        ("add_context_length", [2048]),
        ("add_vocab_size", [len(WORDS)]),
        ("add_causal_attention", [True]),
        ("add_type", ["model"]),
    ]
    tensors = random_tensors()
    path = write(tmp_path / "lm.gguf", tensors, more=more)
    import_gguf(path, tmp_path / "lm")
    check_logits(tmp_path / "lm", tensors, "llama", [9, 10, 7])


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"block_count": 2**31}, "block_count must be a whole number"),
        ({"block_count": 2**30}, "no tensor blk.2.attn_norm.weight"),
        ({"block_count": 0}, "block_count must be a whole number from 1. Found: 0"),
        ({"embedding_length": 2**30}, "token_embd.weight has the shape"),
        ({"embedding_length": 36}, "head_count must divide"),
        ({"feed_forward_length": 2**30}, "ffn_gate.weight has the shape"),
    ],
)
def test_sizes_are_compared_with_the_tensors_before_any_is_made(
    sizes, message, tmp_path
):
    path = write(tmp_path / "lm.gguf", random_tensors(), more=list(sizes.items()))
    begin = time.monotonic()
    with pytest.raises(ValueError, match=message):
        import_gguf(path, tmp_path / "lm")
    assert time.monotonic() - begin < 5


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    tensors = random_tensors()
    tensors["blk.1.ffn_up.weight"][3, 4] = np.nan
    path = write(tmp_path / "lm.gguf", tensors)
    with pytest.raises(ValueError, match="blk.1.ffn_up.weight holds what is no finite"):
        import_gguf(path, tmp_path / "lm")


@pytest.mark.parametrize("kind", [4, 8], ids=["numbers", "texts"])
def test_an_array_that_says_it_is_endless_is_refused_at_once(kind, tmp_path):
    key = b"tokenizer.ggml.tokens"
    data = write(tmp_path / "lm.gguf", random_tensors()).read_bytes()
    at = data.index(key) + len(key)
    long = struct.pack("<IIQ", 9, kind, 1 << 60)
    (tmp_path / "long.gguf").write_bytes(data[:at] + long + data[at + 16 :])
    begin = time.monotonic()
    with pytest.raises(
        ValueError,
        match="field 'tokenizer.ggml.tokens', byte .*1152921504606846976 elements are",
    ):
        import_gguf(tmp_path / "long.gguf", tmp_path / "lm")
    assert time.monotonic() - begin < 1


def test_an_array_of_more_elements_than_any_vocabulary_has_is_refused(tmp_path):
    array = struct.pack("<IIQ", 9, 0, 3_000_001) + bytes(3_000_001)
    header = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1) + b"x"
    (tmp_path / "lm.gguf").write_bytes(header + array)
    with pytest.raises(ValueError, match="field 'x'.* more than 3000000 elements"):
        import_gguf(tmp_path / "lm.gguf", tmp_path / "lm")


@pytest.mark.parametrize("size", [0, 3, 200, 4000])
def test_a_file_that_is_cut_off_is_an_error(size, tmp_path):
    path = write(tmp_path / "lm.gguf", random_tensors())
    (tmp_path / "cut.gguf").write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="cut.gguf is not a whole GGUF file"):
        import_gguf(tmp_path / "cut.gguf", tmp_path / "lm")
    with pytest.raises(ValueError, match="nowhere.gguf is not a file"):
        import_gguf(tmp_path / "nowhere.gguf", tmp_path / "lm")
