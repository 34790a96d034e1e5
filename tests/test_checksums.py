import subprocess

import numpy as np
import pytest

from siatl_keras.checksums import check_checksum, read_checksums, write_checksums


@pytest.fixture
def preset(tmp_path):
    (tmp_path / "model.weights.h5").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "task.weights.h5").write_bytes(b"task")
    (tmp_path / "config.json").write_text("{}")
    write_checksums(tmp_path)
    return tmp_path


def test_whole_weights_pass_and_other_files_have_no_checksum(preset):
    names = ["model.weights.h5", "task.weights.h5"]
    assert sorted(read_checksums(preset / "weights.sha256")) == names
    for name in [*names, "config.json"]:
        check_checksum(preset / name)


@pytest.mark.parametrize("damage", ["bit", "cut", "longer"])
def test_damage_is_told_with_the_file_s_name(preset, damage):
    path = preset / "model.weights.h5"
    whole = np.frombuffer(path.read_bytes(), "uint8").copy()
    if damage == "bit":
        whole[1234] ^= 4
    changed = {"bit": whole, "cut": whole[:-1], "longer": np.append(whole, whole[:1])}
    path.write_bytes(changed[damage].tobytes())
    with pytest.raises(ValueError, match=r"model\.weights\.h5: damaged"):
        check_checksum(path)
    check_checksum(preset / "task.weights.h5")


def test_sha256sum_reads_the_file(preset):
    command = ["sha256sum", "--check", "--strict", "weights.sha256"]
    assert subprocess.run(command, cwd=preset, capture_output=True).returncode == 0


def test_weights_without_checksums_are_taken_as_they_are(preset):
    (preset / "weights.sha256").unlink()
    check_checksum(preset / "model.weights.h5")
    assert read_checksums(preset / "weights.sha256") == {}


@pytest.mark.parametrize(
    "line", [b"no checksum", b"a" * 64 + b"  ../x", b"a" * 63 + b"  x", b"\xff\xfe"]
)
def test_a_broken_file_of_checksums_is_told_with_its_line(preset, line):
    with (preset / "weights.sha256").open("ab") as file:
        file.write(line)
    with pytest.raises(ValueError, match=r"weights\.sha256, line \d: expected a check"):
        check_checksum(preset / "model.weights.h5")
