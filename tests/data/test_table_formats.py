"""Workbooks, Parquet files and nested JSON are read like any other table."""

import datetime
import json
import sys

import pandas
import pytest

from siatl_keras.data import read_examples, read_texts

FRAME = pandas.DataFrame(
    {
        "when": [datetime.date(2026, 1, day) for day in (1, 2, 3, 4)],
        "text": ["so good", "NA", "zwölf, 十二", "two\nlines"],
        "stars": [1.0, 5.0, 1.0, 5.0],
        "answer": ["a", None, "b", "c"],
    }
)


def written(folder, extension, frame=FRAME):
    path = folder / f"a{extension}"
    if extension == ".xlsx":
        frame.to_excel(path, index=False)
    else:
        frame.to_parquet(path)
    return str(path)


@pytest.mark.parametrize("extension", [".xlsx", ".parquet"])
def test_tables_of_pandas_come_back_as_written(tmp_path, extension):
    path = written(tmp_path, extension)
    examples = read_examples(path)
    assert examples.texts == ["so good", "NA", "zwölf, 十二", "two\nlines"]
    assert examples.labels == ["1", "5", "1", "5"]
    assert examples.lines == [2, 3, 4, 5]
    assert examples.columns.label == "stars"
    assert list(read_texts(path)) == examples.texts
    pairs = read_examples(path, "text", "stars", pair_column="answer").texts
    assert pairs[1] == ("NA", "")
    assert read_examples(path, label_column="when").labels[0].startswith("2026-01-01")


@pytest.mark.parametrize("extension", [".xlsx", ".parquet"])
def test_a_label_and_a_column_that_are_missing_are_named(tmp_path, extension):
    path = written(tmp_path, extension)
    with pytest.raises(ValueError, match="line 3: the label in column 'answer' is em"):
        read_examples(path, label_column="answer")
    with pytest.raises(ValueError, match="line 1: no column 'tweet'; found \\['when'"):
        list(read_texts(path, "tweet"))


def test_a_number_is_a_text_in_a_workbook_alone(tmp_path):
    assert list(read_texts(written(tmp_path, ".xlsx"), "stars")) == ["1", "5"] * 2
    with pytest.raises(ValueError, match="line 2: 'stars' must be a string. Found 1"):
        list(read_texts(written(tmp_path, ".parquet"), "stars"))


def test_columns_that_may_lack_numbers_are_read(tmp_path):
    frame = pandas.DataFrame({"text": ["a", "b"], "label": [1, None]}, dtype="object")
    path = written(tmp_path, ".parquet", frame.astype({"label": "Int64"}))
    with pytest.raises(ValueError, match="line 3: the label in column 'label' is em"):
        read_examples(path)
    assert read_examples(path, empty_labels=True).labels == ["1", ""]


def test_labels_in_lists_are_several(tmp_path):
    frame = pandas.DataFrame({"text": ["a", "b"], "label": [["x", "y"], ["x"]]})
    path = written(tmp_path, ".parquet", frame)
    assert read_examples(path).labels == ["x,y", "x"]


@pytest.mark.parametrize("extension", [".xlsx", ".parquet"])
def test_a_broken_file_is_named(tmp_path, extension):
    path = tmp_path / f"a{extension}"
    path.write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(ValueError, match=f"{path}: not a whole {extension} file"):
        read_examples(path)


@pytest.mark.parametrize(
    ("extension", "package"), [(".xlsx", "openpyxl"), (".parquet", "pyarrow")]
)
def test_a_package_that_is_missing_is_named_with_its_extra(
    tmp_path, monkeypatch, extension, package
):
    path = written(tmp_path, extension)
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ValueError, match=r'pip install "siatl_keras\[tables\]"'):
        read_examples(path)


def test_what_lies_deeper_in_json_has_a_name_with_dots(write):
    record = {
        "id": 7,
        "data": {"text": "so good", "meta": {"mood": "fine"}},
        "label": 1,
    }
    path = write("a.jsonl", json.dumps(record) + "\n")
    assert read_examples(path, "data.text", "data.meta.mood").labels == ["fine"]
    examples = read_examples(path, "data.text")
    assert (examples.texts, examples.labels) == (["so good"], ["1"])


def test_nested_texts_are_chosen_too(write):
    records = [
        {
            "data": {"said": f"this is the text of number {number}"},
            "mood": "ab"[number % 2],
        }
        for number in range(8)
    ]
    path = write("a.jsonl", "".join(json.dumps(each) + "\n" for each in records))
    examples = read_examples(path)
    assert examples.columns.text == "data.said"
    assert examples.labels == list("abababab")
