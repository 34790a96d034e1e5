import errno
import json
import os
import signal
import stat

import pytest

from siatl_keras import atomic
from siatl_keras.atomic import (
    new_file,
    new_folder,
    partial_folder,
    rename_folder,
    sweep,
    write_json,
    write_text,
)


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


@pytest.fixture
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002], indirect=True)
def test_files_and_folders_have_the_mode_that_the_umask_asks_for(tmp_path, umask):
    write_text(tmp_path / "new" / "file", "text")
    with new_folder(tmp_path / "folder") as temporary:
        (temporary / "inside").write_text("")
    modes = {
        name: stat.S_IMODE((tmp_path / name).stat().st_mode)
        for name in ("new", "new/file", "folder", "folder/inside")
    }
    folders, files = 0o777 & ~umask, 0o666 & ~umask
    assert modes == {
        "new": folders,
        "new/file": files,
        "folder": folders,
        "folder/inside": files,
    }


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


def test_numbers_that_are_not_finite_become_null(tmp_path):
    nan, inf = float("nan"), float("inf")
    write_json(tmp_path / "metrics.json", {"a": [nan, 1.5], "b": {"c": (inf, -inf)}})

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    text = (tmp_path / "metrics.json").read_text()
    read = json.loads(text, parse_constant=refuse)
    assert read == {"a": [None, 1.5], "b": {"c": [None, None]}}


@pytest.mark.parametrize("made", ["empty folder", "folder", "file", "dangling link"])
def test_what_came_in_between_is_not_replaced(tmp_path, made):
    target = tmp_path / "preset"
    refused = pytest.raises(ValueError, match="preset exists already")
    with refused, new_folder(target) as temporary:
        (temporary / "mine").write_text("")
        if made == "file":
            target.write_text("theirs")
        elif made == "dangling link":
            target.symlink_to(tmp_path / "nowhere")
        else:
            target.mkdir()
        if made == "folder":
            (target / "theirs").write_text("")
    assert names(tmp_path) == ["preset"]
    if made == "folder":
        assert names(target) == ["theirs"]
    elif made == "file":
        assert target.read_text() == "theirs"


def test_a_folder_that_comes_at_the_last_moment_is_not_replaced(tmp_path, monkeypatch):
    target = tmp_path / "preset"
    rename = os.rename

    def another_first(old, new):
        target.mkdir()
        (target / "theirs").write_text("")
        rename(old, new)

    monkeypatch.setattr(os, "rename", another_first)
    with partial_folder(tmp_path) as folder, pytest.raises(FileExistsError):
        rename_folder(folder, target)
    assert names(tmp_path) == ["preset"] and names(target) == ["theirs"]


def test_a_swap_that_is_interrupted_leaves_the_old_folder(tmp_path, monkeypatch):
    target = tmp_path / "preset"
    target.mkdir()
    (target / "old").write_text("")
    rename = os.rename

    def interrupted(old, new):
        if str(new) == str(target) and ".partial-" in str(old):
            raise KeyboardInterrupt
        rename(old, new)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt), new_folder(target, overwrite=True):
        pass
    assert names(tmp_path) == ["preset"] and names(target) == ["old"]


@pytest.mark.parametrize("step", ["file", "folder", "swap"])
def test_what_a_killed_process_left_is_swept_and_what_it_replaced_is_back(
    tmp_path, child, monkeypatch, step
):
    (tmp_path / "preset").mkdir()
    (tmp_path / "preset" / "old").write_text("")
    rename = os.rename

    def kill():
        os.kill(os.getpid(), signal.SIGKILL)

    def half_a_swap(old, new):
        rename(old, new) if ".replaced-" in str(new) else kill()

    def killed(pause):
        if step == "file":
            with new_file(tmp_path / "metrics.json"):
                kill()
        with new_folder(tmp_path / "preset", overwrite=True):
            if step == "folder":
                kill()
            monkeypatch.setattr(os, "rename", half_a_swap)

    assert child(killed).end() == -signal.SIGKILL
    assert any(name.startswith(".") for name in names(tmp_path))
    write_text(tmp_path / "next", "")
    assert names(tmp_path) == ["next", "preset"]
    assert names(tmp_path / "preset") == ["old"]


def test_what_another_process_is_writing_is_not_swept(tmp_path, child):
    def writing(pause):
        file, folder = tmp_path / "metrics.json", tmp_path / "preset"
        with new_file(file), new_folder(folder) as temporary:
            (temporary / "weights").write_text("w")
            pause()

    process = child(writing)
    process.wait_for_pause()
    sweep(tmp_path)
    process.go_on()
    assert process.end() == 0
    assert names(tmp_path) == ["metrics.json", "preset"]
    assert names(tmp_path / "preset") == ["weights"]


def test_other_hidden_files_are_not_swept(tmp_path):
    for name in (".partial-notes", ".partial-0123456789abc", ".bashrc"):
        (tmp_path / name).write_text("")
    before = names(tmp_path)
    sweep(tmp_path)
    assert names(tmp_path) == before


def test_a_left_over_taken_for_one_before_it_was_locked_is_made_again(
    tmp_path, monkeypatch
):
    real, paths = atomic.Lock, []

    def swept_first(path):
        paths.append(path)
        if len(paths) == 1:
            path.unlink()
        return real(path)

    monkeypatch.setattr(atomic, "Lock", swept_first)
    write_text(tmp_path / "file", "text")
    assert names(tmp_path) == ["file"] and len(paths) == 2


def test_contents_are_on_the_disk_before_the_name_is_and_the_name_afterwards(
    tmp_path, monkeypatch
):
    events = []
    fsync, replace, rename = os.fsync, os.replace, os.rename

    def path_of(handle):
        path = os.readlink(f"/proc/self/fd/{handle}")
        return "temporary" if ".partial-" in path else os.path.basename(path)

    def logged(name, function):
        def call(*args):
            events.append(name)
            return function(*args)

        return call

    def flushed(handle):
        events.append(path_of(handle))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", logged("rename", replace))
    monkeypatch.setattr(os, "rename", logged("rename", rename))
    folder = tmp_path / "parent"
    write_text(folder / "file", "text")
    assert events == ["temporary", "rename", "parent"]
    events.clear()
    with new_folder(folder / "preset") as temporary:
        (temporary / "weights").write_text("w")
    assert events == ["temporary", "temporary", "rename", "parent"]


@pytest.mark.parametrize("broken", ["fsync of folders", "locks"])
def test_file_systems_that_lack_something_are_written_all_the_same(
    tmp_path, monkeypatch, broken
):
    """As network file systems may; none of them is at hand here."""
    fsync = os.fsync

    def fsync_of_files(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        fsync(handle)

    def no_locks(handle, operation):
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    if broken == "locks":
        monkeypatch.setattr("siatl_keras.locks.fcntl.flock", no_locks)
    else:
        monkeypatch.setattr(os, "fsync", fsync_of_files)
    write_text(tmp_path / "file", "text")
    with new_folder(tmp_path / "preset") as temporary:
        (temporary / "weights").write_text("w")
        sweep(tmp_path)  # Whose it is cannot be told: it stays.
    assert names(tmp_path) == ["file", "preset"]
