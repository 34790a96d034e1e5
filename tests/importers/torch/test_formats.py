"""What may be wrong with the two containers, besides their pickles."""

import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

from rigs.authors_files import (
    Numbers,
    archive_bytes,
    checkpoint,
    legacy_bytes,
    weights,
    zip_bytes,
)
from siatl_keras.importers.torch import read_checkpoint

VALUE = checkpoint(weights())


@pytest.fixture
def refusal(tmp_path):
    """Reads bytes as a file, which must be refused, and returns what was said."""

    def read(content):
        path = tmp_path / "lm.pt"
        path.write_bytes(content)
        with pytest.raises(ValueError) as error:
            read_checkpoint(path)
        assert str(error.value).startswith(f"{path}")
        assert list(tmp_path.iterdir()) == [path]
        return str(error.value)

    return read


def pickled(*values):
    return b"".join(pickle.dumps(value, protocol=2) for value in values)


MAGIC = 0x1950A86A20F9469CFC6C


def test_old_format_of_another_version_or_machine_is_refused(refusal):
    said = refusal(pickled(MAGIC, 1000))
    assert "format version 1000, expected 1001" in said
    said = refusal(pickled(MAGIC, [[1]]))
    assert "format version a list" in said
    said = refusal(pickled(MAGIC, 1001, {"little_endian": False}))
    assert "big-endian" in said


def test_old_format_whose_storages_do_not_fit_is_refused(refusal):
    content = legacy_bytes(VALUE)
    keys = pickled([str(key) for key in range(13)])
    assert content.count(keys) == 1
    said = refusal(content.replace(keys, pickled([str(k) for k in range(12)])))
    assert "the list of storages is not that of the tensors" in said
    first = content.index(keys) + len(keys)
    (size,) = struct.unpack("<q", content[first : first + 8])
    for wrong in (size + 1, -1, 2**62):
        changed = content[:first] + struct.pack("<q", wrong) + content[first + 8 :]
        said = refusal(changed)
        assert f"byte {first}, storage 0: {wrong} numbers" in said
    assert "the file ends in the middle" in refusal(content[:-1])


def test_hostile_pickles_are_refused_in_both_formats(refusal, tmp_path):
    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path}/made",)

    evil = {**VALUE, "config": Evil()}
    for content in (legacy_bytes(evil), zip_bytes(evil)):
        assert f"asks for `{os.system.__module__}.system`" in refusal(content)


def test_compressed_archives_are_refused(refusal):
    said = refusal(zip_bytes(VALUE, compression=zipfile.ZIP_DEFLATED))
    assert "entry 'made/data.pkl': compressed" in said
    # What claims to be stored and larger than it is: a bomb.
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w") as archive:
        archive.writestr("made/data.pkl", bytes(10))
        archive.infolist()[0].file_size = 2**30
    assert "compressed" in refusal(bomb.getvalue())


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("../../evil", "an entry with an odd name: '../../evil'"),
        ("/etc/passwd", "an entry with an odd name"),
        ("made/../../evil", "an entry with an odd name"),
        ("made\\..\\evil/x", "an entry with an odd name"),
        ("readme", "an entry with an odd name"),
        ("other/data.pkl", "stands twice"),
        ("other/more", "expected all entries in one folder, found 2"),
    ],
)
def test_archives_with_odd_names_are_refused(refusal, entry, said):
    assert said in refusal(zip_bytes(VALUE, more=[(entry, b"x")]))


def test_archives_without_what_they_need_are_refused(refusal):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("made/version", "3")
    assert "lacks the entry 'data.pkl'" in refusal(file.getvalue())
    source = zipfile.ZipFile(io.BytesIO(zip_bytes(VALUE)))
    body = source.read("made/data.pkl")
    assert "needs an entry of 120 bytes, found none" in refusal(archive_bytes(body))
    short = [Numbers(np.zeros(29, "f4"))]
    assert "120 bytes, found 116 bytes" in refusal(archive_bytes(body, short))


def test_archives_of_another_machine_are_refused(refusal):
    content = zip_bytes(VALUE)
    damaged = content.replace(b"little", b"bigend")
    assert "entry 'byteorder': damaged" in refusal(damaged)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("made/byteorder", "big")
    assert "big-endian" in refusal(file.getvalue())


def test_a_damaged_weight_is_found_by_its_checksum(refusal):
    bias = VALUE["model"]["decoder.bias"].numbers.array.tobytes()
    content = zip_bytes(VALUE)
    assert content.count(bias) == 1
    said = refusal(content.replace(bias, bias[:-1] + bytes([bias[-1] ^ 1])))
    assert "entry 'data/" in said and "damaged, its checksum differs" in said
