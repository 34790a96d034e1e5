"""Rows that cannot be used are listed by fault, and in a table."""

import pytest

from siatl_keras.data import BadRows, RowError, read_examples


def write(path, text):
    path.write_text(text, "utf-8")
    return path


FILES = {
    "a.csv": (
        'text,label\n"so good",a\nbad,b,c\nfine,\nalone\n"quite, good",a\n',
        [2, 6],
        {3: "expected 2 fields", 4: "is empty", 5: "expected 2 fields"},
    ),
    "a.tsv": (
        "text\tlabel\nso good\ta\nbad\tb\tc\nfine\t \nmeh\ta\n",
        [2, 5],
        {3: "expected 2 fields", 4: "is empty"},
    ),
    "a.jsonl": (
        '{"text": "x", "label": "a"}\n{"text": 1, "label": "a"}\n[]\n{"text"\n'
        '{"text": "y"}\n{"text": "z", "label": null}\n{"text": "u", "label": 2}\n',
        [1, 7],
        {
            2: "'text' must be a string",
            3: "expected an object",
            4: "not JSON",
            5: "no key 'label'",
            6: "'label' must be a string",
        },
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_with_somewhere_to_put_them_all_bad_rows_are_left_out_and_none_else(
    tmp_path, name
):
    text, kept, faults = FILES[name]
    path = write(tmp_path / name, text)
    bad = BadRows()
    examples = read_examples(path, "text", "label", on_bad_row=bad)
    assert examples.lines == kept
    found = {error.line: error.what for error in bad.errors}
    assert found.keys() == faults.keys()
    assert all(faults[line] in what for line, what in found.items())
    with pytest.raises(ValueError, match=f"line {min(faults)}: |lines "):
        read_examples(path, "text", "label")


def test_the_refusal_has_a_line_for_each_fault_and_names_the_way_out():
    bad = BadRows()
    bad.refuse()  # Nothing to refuse.
    for line in (7, *range(20, 40)):
        bad(RowError("a.csv", line, "the label is empty", "Give it one."))
    bad(RowError("a.csv", 3, "expected 2 fields,\tfound 3"))
    with pytest.raises(ValueError) as caught:
        bad.refuse()
    assert str(caught.value).splitlines() == [
        "a.csv, line 3: expected 2 fields,\tfound 3.",
        "a.csv, lines 7, 20, 21, 22, 23, 24, 25, 26, 27, 28 and 11 more: the label is "
        "empty. Give it one. Or pass `drop_bad_rows` to go on without them.",
    ]
    first, second, *_ = bad.to_text().splitlines()
    assert first == "file\tline\twhat"
    assert second == "a.csv\t3\texpected 2 fields, found 3"


def test_an_error_is_a_value_error_with_its_place():
    error = RowError("a.csv", 3, "no label", "Give it one.")
    assert isinstance(error, ValueError)
    assert str(error) == "a.csv, line 3: no label. Give it one."
    assert (error.path, error.line, error.what) == ("a.csv", 3, "no label")
