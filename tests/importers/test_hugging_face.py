"""import_hugging_face: files of small random models, in bfloat16."""

import keras_hub
import numpy as np
import pytest

from rigs.hugging_face_files import TOKENIZER, rounded_tensors, write
from rigs.numpy_decoder import logits_of
from siatl_keras.importers import import_hugging_face


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_the_preset_gives_the_logits_of_the_files(tied, tmp_path):
    import_hugging_face(write(tmp_path / "files", tied=tied), tmp_path / "lm")
    assert (tmp_path / "lm" / "weights.sha256").exists()
    model = keras_hub.models.CausalLM.from_preset(str(tmp_path / "lm"))
    token_ids = np.array([[9, 10, 7, 4, 8, 3, 6]])
    received = model({"token_ids": token_ids, "padding_mask": np.ones_like(token_ids)})
    # Rotates as a Qwen 2 does, halves of a head.
    expected = logits_of(rounded_tensors(tied), token_ids[0], "qwen2")
    np.testing.assert_allclose(received[0], expected, atol=1e-4)


def test_the_tokenizer_knows_its_special_tokens(tmp_path):
    model = import_hugging_face(write(tmp_path / "files"), tmp_path / "lm")
    tokenizer = model.preprocessor.tokenizer
    assert list(tokenizer("a day")) == [3, 10, 9]
    assert tokenizer.token_to_id("<|im_end|>") == tokenizer.end_token_id == 2


def test_newer_files_keep_the_wavelength_elsewhere(tmp_path):
    newer = {"rope_theta": None, "rope_parameters": {"rope_theta": 500.0}}
    weights = [
        import_hugging_face(
            write(tmp_path / name, config=config), tmp_path / f"{name}lm"
        )
        for name, config in (("older", {}), ("newer", newer))
    ]
    older, new = (model.backbone.get_config() for model in weights)
    assert older["rope_max_wavelength"] == new["rope_max_wavelength"] == 500


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config": {"model_type": "mamba"}}, "config.json: model_type .*'mamba'"),
        ({"config": {"hidden_act": "gelu"}}, "hidden_act changes what .*'silu'"),
        ({"config": {"mlp_bias": True}}, "mlp_bias changes what the model computes"),
        ({"config": {"rope_scaling": {"factor": 8}}}, "rope_scaling changes what"),
        (
            {"config": {"rope_parameters": {"rope_type": "llama3"}}},
            "rope_type changes what .*'default'.*'llama3'",
        ),
        ({"config": {"head_dim": 16}}, "attention.key_length changes what .*: 8"),
        ({"config": {"hidden_size": None}}, "embedding_length must be a whole number"),
        ({"config": {"num_hidden_layers": 3}}, "no tensor blk.2.attn_norm.weight"),
        (
            {"tensors": rounded_tensors() | {"blk.0.attn_q.bias": np.ones(32)}},
            "tensors .'blk.0.attn_q.bias'. are not known",
        ),
        ({"tokenizer": {"model": {"type": "Unigram"}}}, "byte-pair .*'Unigram'"),
        (
            {"tokenizer": TOKENIZER | {"added_tokens": []}},
            "the ids of its .* tokens are not those from 0",
        ),
    ],
)
def test_other_models_are_refused_by_name_and_nothing_is_written(
    options, message, tmp_path
):
    folder = write(tmp_path / "files", **options)
    with pytest.raises(ValueError, match=message):
        import_hugging_face(folder, tmp_path / "lm")
    assert [p.name for p in tmp_path.iterdir()] == ["files"]


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_files_that_are_missing_or_damaged_are_named(name, tmp_path):
    folder = write(tmp_path / "files")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match=f"{folder}.*"):
        import_hugging_face(folder, tmp_path / "lm")
    (folder / name).unlink()
    with pytest.raises(ValueError, match=f"there is no {name}"):
        import_hugging_face(folder, tmp_path / "lm")
    assert not (tmp_path / "lm").exists()
