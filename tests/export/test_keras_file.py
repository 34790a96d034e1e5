"""A classifier as one file, read where only its weights and vocabulary were written."""

import json

import pytest

from siatl_keras.export import export_keras
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.text import WordTokenizer

TEXTS = ["so glad", "", "What a day!"]
READ = """
import json, sys
import keras, siatl_keras
model = keras.saving.load_model(sys.argv[1])
texts = json.loads(sys.argv[2])
print(json.dumps({
    "answers": model.predict_labels(texts, verbose=0),
    "outputs": model.predict(texts, verbose=0).tolist(),
}))
"""


def test_the_file_answers_raw_texts_in_a_new_process(tmp_path, run_python):
    words = ["<pad>", "<s>", "</s>", "<unk>", "so", "glad", "what", "a", "day"]
    model = SiATLClassifier(
        LSTMBackbone(9, embedding_dim=6, hidden_dim=8, num_layers=1),
        preprocessor=SiATLPreprocessor(WordTokenizer(words)),
        label_names=["no", "yes"],
    )
    path = export_keras(model, tmp_path / "served", model_card="# What it is")
    assert path == str(tmp_path / "served" / "1")
    assert (tmp_path / "served" / "1" / "README.md").read_text() == "# What it is"
    received = json.loads(
        run_python(f"{path}/model.keras", json.dumps(TEXTS), code=READ)
    )
    assert received["answers"] == model.predict_labels(TEXTS, verbose=0)
    expected = model.predict(TEXTS, verbose=0)
    assert received["outputs"] == [pytest.approx(row, abs=1e-6) for row in expected]
    assert export_keras(model, tmp_path / "served") == str(tmp_path / "served" / "2")


def test_a_model_that_reads_no_texts_is_refused(tmp_path):
    bare = SiATLClassifier(LSTMBackbone(5, 4, 4, 1), num_classes=2)
    with pytest.raises(ValueError, match="needs a preprocessor"):
        export_keras(bare, tmp_path)
    assert not [*tmp_path.iterdir()]
