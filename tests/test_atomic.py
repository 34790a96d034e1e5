import json
import stat

import pytest

from siatl_keras.atomic import new_file, new_folder, write_json, write_text


class Stop(Exception):
    """What interrupts the writers below."""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_new_file_appears_whole_and_only_at_the_end(tmp_path):
    target = tmp_path / "deep" / "plot.tar.gz"
    with new_file(target) as temporary:
        temporary.write_bytes(b"half")
        assert not target.exists()
        assert temporary.parent == target.parent
        assert temporary.name.endswith(".tar.gz")
    assert target.read_bytes() == b"half"
    assert names(target.parent) == ["plot.tar.gz"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


def test_an_interrupted_file_leaves_the_old_one_and_nothing_else(tmp_path):
    target = tmp_path / "metrics.json"
    target.write_text("old")
    with pytest.raises(Stop), new_file(target) as temporary:
        temporary.write_text("ne")
        raise Stop
    assert target.read_text() == "old"
    assert names(tmp_path) == ["metrics.json"]


def test_new_folder_appears_whole_and_only_at_the_end(tmp_path):
    target = tmp_path / "deep" / "preset"
    with new_folder(target) as temporary:
        (temporary / "weights").write_text("w")
        assert not target.exists()
    assert names(target) == ["weights"]
    assert names(target.parent) == ["preset"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def test_a_folder_that_exists_is_refused(tmp_path):
    (tmp_path / "preset").mkdir()
    refused = pytest.raises(ValueError, match=r"preset exists already.*--overwrite")
    with refused, new_folder(tmp_path / "preset"):
        pytest.fail("the block must not run")
    assert names(tmp_path) == ["preset"]


def test_overwriting_replaces_the_folder_and_all_that_was_in_it(tmp_path):
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old").write_text("")
    with new_folder(target, overwrite=True) as temporary:
        (temporary / "new").write_text("")
        assert names(target) == ["old"]
    assert names(target) == ["new"]
    assert names(tmp_path) == ["preset"]


def test_an_interrupted_folder_leaves_the_old_one_and_nothing_else(tmp_path):
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old").write_text("")
    with pytest.raises(Stop), new_folder(target, overwrite=True) as temporary:
        (temporary / "new").write_text("")
        raise Stop
    assert names(target) == ["old"]
    assert names(tmp_path) == ["preset"]


def test_text_is_utf8_with_its_line_ends_as_they_are(tmp_path):
    write_text(tmp_path / "words.txt", "γ\n☕\r\n")
    assert (tmp_path / "words.txt").read_bytes() == "γ\n☕\r\n".encode()


def test_what_json_cannot_hold_leaves_no_file(tmp_path):
    write_json(tmp_path / "good.json", {"γ": [0.2, None]})
    assert json.loads((tmp_path / "good.json").read_text("utf-8")) == {"γ": [0.2, None]}
    with pytest.raises(TypeError):
        write_json(tmp_path / "bad.json", {"set": {1}})
    assert names(tmp_path) == ["good.json"]
