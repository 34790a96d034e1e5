import pytest

from recipes.reproduction.flag_files import flag_values, read_flag_file


def test_nested_files_count_where_they_stand_and_comments_do_not(tmp_path):
    (tmp_path / "inner.flags").write_text("# why\n--epochs=3\n--seed=1\n")
    outer = tmp_path / "outer.flags"
    outer.write_text(
        f"--flagfile={tmp_path}/inner.flags\n\n--epochs=5\n--bidirectional"
    )
    lines = read_flag_file(outer)
    assert lines == ["--epochs=3", "--seed=1", "--epochs=5", "--bidirectional"]
    assert flag_values(lines) == {"epochs": "5", "seed": "1", "bidirectional": ""}


def test_a_value_may_hold_an_equals_sign():
    assert flag_values(["--train=a=b.tsv"]) == {"train": "a=b.tsv"}


def test_a_file_that_is_not_there_is_named(tmp_path):
    (tmp_path / "outer.flags").write_text("--flagfile=nowhere.flags\n")
    with pytest.raises(ValueError, match=r"outer\.flags.*nowhere\.flags"):
        read_flag_file(tmp_path / "outer.flags")
