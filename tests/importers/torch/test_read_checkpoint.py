import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rigs.authors_files import FORMATS, WORDS, checkpoint, weights
from siatl_keras.importers.torch import read_checkpoint

STATE = weights()
FILES = {name: write(checkpoint(STATE)) for name, write in FORMATS.items()}


@pytest.fixture(params=FORMATS)
def name(request):
    return request.param


@pytest.fixture
def read(tmp_path):
    """Reads bytes as a file."""

    def read_bytes(content):
        path = tmp_path / "lm.pt"
        path.write_bytes(content)
        return read_checkpoint(path)

    return read_bytes


def assert_is_the_original(read, state=STATE):
    assert list(read.tensors) == list(state)
    for name, expected in state.items():
        np.testing.assert_array_equal(read.tensors[name], expected)
    assert read.vocabulary["id2tok"] == dict(enumerate(WORDS))
    assert read.vocabulary["vocab"] == dict.fromkeys(WORDS[4:], 1)
    assert read.config["model"] == {"embed_noise": 0.1, "clip": 5}
    assert (read.epoch, read.step) == (3, 70_000)


def test_all_of_it_is_read_from_both_formats(read, name):
    assert_is_the_original(read(FILES[name]))


def test_tensors_are_views_of_the_mapped_file(read, name):
    for tensor in read(FILES[name]).tensors.values():
        assert not tensor.flags.owndata and not tensor.flags.writeable
    tensors = read(FILES[name]).tensors
    embedding, output = tensors["embed.embedding.weight"], tensors["decoder.weight"]
    assert np.shares_memory(embedding, output)


@pytest.mark.parametrize("name", ["lm_legacy.pt", "lm_zip.pt"])
def test_the_authors_own_files_hold_the_reference_weights(shared_parity, name):
    folder = shared_parity / "tiny"
    read = read_checkpoint(folder / name)
    words = (folder / "vocabulary.txt").read_text("utf-8").split()
    assert read.vocabulary["id2tok"] == dict(enumerate(words))
    assert (read.epoch, read.step, read.config["name"]) == (3, 99, "tiny")
    with np.load(folder / "reference.npz") as reference:
        assert len(read.tensors) == 13
        for key, tensor in read.tensors.items():
            np.testing.assert_array_equal(tensor, reference[f"lm.weights/{key}"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged")


@given(st.data())
@settings(max_examples=300)
def test_a_file_that_is_cut_off_is_an_error(folder, data):
    content = FILES[data.draw(st.sampled_from(list(FORMATS)))]
    path = folder / "cut.pt"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match="cut.pt"):
        read_checkpoint(path)
    assert list(folder.iterdir()) == [path]


@given(st.data())
@settings(max_examples=600)
def test_a_changed_byte_is_an_error_or_changes_nothing(folder, data):
    name = data.draw(st.sampled_from(list(FORMATS)))
    content = bytearray(FILES[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path = folder / "cut.pt"
    path.write_bytes(content)
    try:
        read = read_checkpoint(path)
    except ValueError as error:
        assert "cut.pt" in str(error)
    else:
        if name == "zip":  # which has checksums
            assert_is_the_original(read)
        for tensor in read.tensors.values():
            assert np.asarray(tensor).size <= 80
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"text\tlabel\n", "byte 0: neither a zip archive nor PyTorch's old format"),
        (b"\x80\x04K\x01.", "neither a zip archive"),
        (b"\x80\x02\x8a\x01\x07.", "not PyTorch's magic number"),
        (b"PK\x03\x04" + bytes(99), "a damaged zip archive"),
    ],
)
def test_files_that_are_no_checkpoint_are_refused(read, content, said):
    with pytest.raises(ValueError, match=f"lm.pt.*{said}"):
        read(content)


def test_a_file_that_is_not_there_is_named(tmp_path):
    for path in (tmp_path / "none.pt", tmp_path):
        with pytest.raises(ValueError, match=f"{path.name}: no such file"):
            read_checkpoint(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vocab": None}, "`vocab` must be a Vocab.*Received: a NoneType"),
        ({"vocab": {"id2tok": {}}}, "`vocab` must be a Vocab.*Received: a dict"),
        ({"model": []}, "`model` must be a dict"),
        ({"model": {"down.bias": 1}}, r"`model\['down.bias'\]` is no tensor"),
        ({"config": 1}, "`config` must be a dict"),
    ],
)
def test_checkpoints_of_something_else_are_refused(read, name, change, said):
    with pytest.raises(ValueError, match=said):
        read(FORMATS[name]({**checkpoint(STATE), **change}))


def test_a_model_alone_is_refused(read, name):
    with pytest.raises(ValueError, match="`config` must be a dict.*Keys: 'a', 'b'"):
        read(FORMATS[name]({"a": 1, "b": 2}))
    with pytest.raises(ValueError, match="expected a dict with config, model, vocab"):
        read(FORMATS[name]([1, 2]))
