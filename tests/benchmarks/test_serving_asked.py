"""What the load test expects of a server: the answers of the model."""

import base64
import json

import keras
import numpy as np
import pytest

from benchmarks.serving import asked, mixes
from rigs import small_backbones as small
from siatl_keras.export import export_litert
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.text import WordTokenizer

VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", "so", "glad", "play", "a", "<hashtag>"]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    return small.with_classes_apart(
        SiATLClassifier(
            LSTMBackbone(len(VOCABULARY), embedding_dim=8, hidden_dim=16, num_layers=1),
            preprocessor=SiATLPreprocessor(WordTokenizer(VOCABULARY), 12),
            label_names=["no", "yes"],
        )
    )


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    model.save_to_preset(str(folder / "preset"))
    rows = ["text\tlabel", *[f"so glad {'a ' * n}\tyes" for n in range(20)]]
    (folder / "texts.tsv").write_text("\n".join(rows), "utf-8")
    return folder


@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_the_answers_are_those_of_the_model(weights, model, folder, monkeypatch):
    monkeypatch.setattr(asked, "EACH", 20)  # As many take seconds.
    export = export_litert(model, folder / weights, weights)
    to = folder / "asked.json"
    asked.main(to, folder / "texts.tsv", export, str(folder / "preset"))
    found = json.loads(to.read_text("utf-8"))
    exact = weights == "float32"
    assert found["judge"] == ("predict_proba" if exact else "the export, in process")
    assert [len(found["kinds"][kind]) for kind in ("short", "review")] == [40, 20]
    assert found["kinds"].keys() == {"short", "review", *mixes.HOSTILE_TEXTS}
    texts = [
        text if isinstance(text, str) else base64.b64decode(text["b64"])
        for text in found["texts"]
    ]
    assert mixes.INVALID_UTF8 in texts
    expected = np.asarray(model.predict_proba(texts, verbose=0))
    probabilities = np.array(found["probabilities"])
    away = np.abs(probabilities - expected).max()
    assert away < 1e-5 if exact else 0 < away < 0.05
    names = [["no", "yes"][number] for number in probabilities.argmax(1)]
    assert found["labels"] == names and len({*names}) == 2


def test_of_a_peer_nobody_knows_the_answers(folder):
    to = folder / "unknown.json"
    asked.main(to, folder / "texts.tsv")
    found = json.loads(to.read_text("utf-8"))
    assert found["labels"] is None and found["probabilities"] is None
    assert found["texts"][0] == "so glad " and found["kinds"]["1 MB"]
