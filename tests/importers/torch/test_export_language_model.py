import io
import pickletools
import zipfile

import numpy as np
import pytest

from siatl_keras.importers.torch import (
    export_language_model,
    import_language_model,
    read_checkpoint,
    state_dict_of_backbone,
)
from siatl_keras.importers.torch.write_checkpoint import write_zip
from siatl_keras.models import LSTMBackbone, LSTMCausalLM, LSTMCausalLMPreprocessor
from siatl_keras.text import WordTokenizer

VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", "so", "glad", "☕", "!"]
IDS = np.array([[1, 4, 5, 7, 2]], "int32")
INPUTS = {"token_ids": IDS, "padding_mask": np.ones_like(IDS)}


MODELS = {
    "with down": (6, 9, True),
    "without down": (6, 6, True),
    "untied": (6, 9, False),
}


@pytest.fixture(params=MODELS)
def model(request):
    embedding, hidden, tied = MODELS[request.param]
    backbone = LSTMBackbone(
        8, embedding, hidden_dim=hidden, num_layers=2, tie_weights=tied
    )
    generator = np.random.default_rng(0)
    backbone.set_weights(
        [generator.normal(size=w.shape) for w in backbone.get_weights()]
    )
    tokenizer = WordTokenizer(VOCABULARY)
    return LSTMCausalLM(backbone, LSTMCausalLMPreprocessor(tokenizer, 12))


def test_what_was_exported_is_read_back(model, tmp_path):
    export_language_model(model, tmp_path / "mine.pt")
    read = read_checkpoint(tmp_path / "mine.pt")
    expected = state_dict_of_backbone(model.backbone)
    assert list(read.tensors) == list(expected)
    for name, tensor in read.tensors.items():
        np.testing.assert_array_equal(tensor, expected[name])
    ids = {word: index for index, word in enumerate(VOCABULARY)}
    ids["<sos>"], ids["<eos>"] = ids.pop("<s>"), ids.pop("</s>")
    assert read.vocabulary["tok2id"] == ids
    assert read.vocabulary["size"] == 8
    assert read.config["name"] == "mine"
    assert read.config["vocab"] == {"size": 4}
    assert read.config["model"]["rnn_size"] == model.backbone.hidden_dim
    assert read.config["model"]["tie_weights"] is model.backbone.tie_weights


def test_a_preset_there_and_back_gives_the_same_logits(model, tmp_path):
    model.save_to_preset(str(tmp_path / "lm"))
    export_language_model(tmp_path / "lm", tmp_path / "lm.pt")
    import_language_model(tmp_path / "lm.pt", tmp_path / "again")
    again = LSTMCausalLM.from_preset(str(tmp_path / "again"))
    np.testing.assert_allclose(again(INPUTS), model(INPUTS), atol=1e-6)
    assert again.preprocessor.tokenizer.get_vocabulary() == VOCABULARY


def test_the_file_is_laid_out_as_pytorch_lays_it_out(model, tmp_path):
    export_language_model(model, tmp_path / "mine.pt")
    content = (tmp_path / "mine.pt").read_bytes()
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    bias = read_checkpoint(tmp_path / "mine.pt").tensors["decoder.bias"].tobytes()
    assert content.index(bias) % 64 == 0
    assert archive.read("archive/byteorder") == b"little"
    # A tied matrix is stored once, and pickletools finds a sound pickle of names that
    # PyTorch and the authors' code have.
    storages = [name for name in archive.namelist() if "/data/" in name]
    tied = model.backbone.tie_weights
    assert len(storages) == len(state_dict_of_backbone(model.backbone)) - tied
    body = archive.read("archive/data.pkl")
    pickletools.dis(body, out=io.StringIO())
    names = {value for code, value, _ in pickletools.genops(body) if code.code == "c"}
    assert names == {
        "collections OrderedDict",
        "collections Counter",
        "torch FloatStorage",
        "torch._utils _rebuild_tensor_v2",
        "utils.datasets Vocab",
    }


def test_an_existing_file_is_replaced_only_if_told_to(model, tmp_path):
    path = tmp_path / "mine.pt"
    path.write_text("thesis")
    with pytest.raises(ValueError, match="mine.pt exists already.*--overwrite"):
        export_language_model(model, path)
    assert path.read_text() == "thesis"
    export_language_model(model, path, overwrite=True)
    assert read_checkpoint(path).step == 0


def test_a_model_without_words_is_refused(model, tmp_path):
    with pytest.raises(ValueError, match="needs a preprocessor with a `WordTokenizer`"):
        export_language_model(LSTMCausalLM(model.backbone), tmp_path / "mine.pt")
    assert not list(tmp_path.iterdir())


def test_values_that_no_checkpoint_has_are_not_written(tmp_path):
    for value in ({1, 2}, np.zeros(3), object):
        with pytest.raises(ValueError, match="Cannot write a "):
            write_zip([value], tmp_path / "mine.pt")
    assert not list(tmp_path.iterdir())
