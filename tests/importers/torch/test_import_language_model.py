import numpy as np
import pytest

from rigs.authors_files import FORMATS, WORDS, checkpoint, weights
from siatl_keras.importers.torch import import_language_model
from siatl_keras.models import LSTMCausalLM, SiATLClassifier


@pytest.fixture
def write(tmp_path):
    def write_checkpoint(name="zip", state=None, words=WORDS):
        path = tmp_path / "lm.pt"
        path.write_bytes(FORMATS[name](checkpoint(state or weights(), words)))
        return path

    return write_checkpoint


@pytest.mark.parametrize("name", ["lm_legacy.pt", "lm_zip.pt"])
def test_the_presets_language_model_gives_the_authors_logits(
    shared_parity, tmp_path, name
):
    folder = shared_parity / "tiny"
    figures = import_language_model(folder / name, tmp_path / "lm")
    assert figures == {
        "vocabulary_size": 64,
        "embedding_dim": 12,
        "hidden_dim": 20,
        "num_layers": 2,
        "tie_weights": True,
        "epoch": 3,
        "step": 99,
    }
    model = LSTMCausalLM.from_preset(str(tmp_path / "lm"))
    with np.load(folder / "reference.npz") as reference:
        token_ids = reference["token_ids"].astype("int32")
        mask = np.arange(token_ids.shape[1]) < reference["lengths"][:, None]
        logits = model({"token_ids": token_ids, "padding_mask": mask.astype("int32")})
        expected = reference["lm.logits"]
    np.testing.assert_allclose(logits.numpy()[mask], expected[mask], atol=1e-5)
    words = (folder / "vocabulary.txt").read_text("utf-8").split()
    tokenizer = model.preprocessor.tokenizer
    assert tokenizer.get_vocabulary()[:4] == ["<pad>", "<s>", "</s>", "<unk>"]
    assert tokenizer.get_vocabulary()[4:] == words[4:]


@pytest.mark.parametrize("name", FORMATS)
def test_a_preset_starts_a_classifier_and_reads_texts(write, tmp_path, name):
    state = weights(embedding=4, hidden=4)
    import_language_model(write(name, state), tmp_path / "lm")
    model = SiATLClassifier.from_preset(str(tmp_path / "lm"), num_classes=2)
    embedding = model.backbone.token_embedding.embeddings.numpy()
    np.testing.assert_array_equal(embedding, state["embed.embedding.weight"])
    tokenizer = model.preprocessor.tokenizer
    assert tokenizer.tokenize("So glad, what a day!").numpy().tolist() == [
        *(4, 5, 3, 6, 7, 8, 9)
    ]


def test_a_preset_adds_no_start_and_no_end_as_its_training_texts_had_none(
    write, tmp_path
):
    import_language_model(write(), tmp_path / "lm")
    model = LSTMCausalLM.from_preset(str(tmp_path / "lm"))
    x, targets, weight = model.preprocessor(["so glad !"])
    assert x["token_ids"].numpy().tolist() == [[4, 5]]
    assert targets.numpy().tolist() == [[5, 9]]
    assert weight.numpy().tolist() == [[1, 1]]


def test_a_classifier_and_its_language_model_add_none_either(write, tmp_path):
    import_language_model(write(), tmp_path / "lm")
    model = SiATLClassifier.from_preset(str(tmp_path / "lm"), num_classes=2)
    assert model.preprocessor(["so glad !"])["token_ids"].numpy().tolist() == [
        [4, 5, 9]
    ]
    model.fit(["so glad !", "", "a day", ""], [1, 0, 1, 0], verbose=0)
    assert np.isfinite(model.predict(["", "so glad"], verbose=0)).all()
    model.save_to_preset(str(tmp_path / "classifier"))
    again = SiATLClassifier.from_preset(str(tmp_path / "classifier"))
    for preprocessor in (again.preprocessor, model.causal_lm().preprocessor):
        assert not preprocessor.add_start_token and not preprocessor.add_end_token


def test_a_language_model_without_start_token_scores_and_goes_on_from_nothing(
    write, tmp_path
):
    import_language_model(write(), tmp_path / "lm")
    model = LSTMCausalLM.from_preset(str(tmp_path / "lm"))
    scores = model.score(["", "so", "so glad"])
    assert scores[0] == scores[1] == 0 > scores[2]
    empty, glad = model.generate(["", "so glad"], max_length=5)
    assert len(empty.split()) <= 4
    assert glad.startswith("so glad")


def test_an_existing_preset_is_replaced_only_if_told_to(write, tmp_path):
    path = write()
    import_language_model(path, tmp_path / "lm")
    before = (tmp_path / "lm" / "model.weights.h5").read_bytes()
    with pytest.raises(ValueError, match="lm exists already.*--overwrite"):
        import_language_model(path, tmp_path / "lm")
    assert (tmp_path / "lm" / "model.weights.h5").read_bytes() == before
    import_language_model(
        path, tmp_path / "lm", weights_dtype="float16", overwrite=True
    )
    assert (tmp_path / "lm" / "model.weights.h5").read_bytes() != before
    again = LSTMCausalLM.from_preset(str(tmp_path / "lm"))
    expected = weights()["embed.embedding.weight"].astype("f2")
    np.testing.assert_array_equal(again.backbone.token_embedding.embeddings, expected)


@pytest.mark.parametrize(
    ("state", "words", "said"),
    [
        ({**weights(), "decoder.weight": np.ones((10, 3), "f4")}, WORDS, "Unknown"),
        ({**weights(), "more": np.ones(3, "f4")}, WORDS, "Unknown"),
        (weights(), WORDS[:-1], "a word for each of the 10 rows"),
    ],
)
def test_what_cannot_be_imported_leaves_nothing(write, tmp_path, state, words, said):
    path = write(state=state, words=words)
    with pytest.raises(ValueError, match=f"lm.pt: .*{said}"):
        import_language_model(path, tmp_path / "presets" / "lm")
    assert list(tmp_path.iterdir()) == [path]
