"""Columns are chosen where one alone can be meant, and asked for elsewhere."""

import pytest

from siatl_keras.data import read_examples, read_texts

TEXTS = [f"this is the text of number {number}, quite long" for number in range(8)]


def write_csv(write, **columns):
    rows = [columns, *zip(*columns.values(), strict=True)]
    return write("a.csv", "\n".join(",".join(map(quoted, row)) for row in rows) + "\n")


def quoted(value):
    value = str(value).replace('"', '""')
    return f'"{value}"'


CHOSEN = {
    "the usual names": ({"label": [1, 2] * 4, "text": TEXTS}, "text", "label"),
    "the usual names before others": (
        {"class": [1, 2] * 4, "label": [1, 2] * 4, "text": ["a"] * 8, "body": TEXTS},
        *("text", "label"),
    ),
    "names that are known": (
        {"Review": ["fine"] * 8, "Sentiment": list("abcdefgh"), "Unnamed: 0": range(8)},
        *("Review", "Sentiment"),
    ),
    "what reads like text, and what repeats": (
        {"": range(8), "said": TEXTS, "mood": ["good", "bad"] * 4},
        *("said", "mood"),
    ),
    "the longest texts by far": (
        {"headline": ["in a few words"] * 8, "story": [t * 9 for t in TEXTS]}
        | {"mood": ["good", "bad"] * 4},
        *("story", "mood"),
    ),
    "no dates": (
        {"day": ["01.03.2026", "2026-03-02 17:05"] * 4, "said": TEXTS}
        | {"mood": ["good", "bad"] * 4, "at": ["3/1/26", "3/2/26"] * 4},
        *("said", "mood"),
    ),
    "not what never changes": (
        {"said": TEXTS, "file": ["one.csv"] * 8, "mood": ["good", "bad"] * 4},
        *("said", "mood"),
    ),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_the_only_ones_that_can_be_meant_are_chosen(write, case):
    columns, text, label = CHOSEN[case]
    examples = read_examples(write_csv(write, **columns))
    assert (examples.columns.text, examples.columns.label) == (text, label)
    assert examples.texts == list(map(str, columns[text]))
    assert examples.labels == list(map(str, columns[label]))


UNCLEAR = {
    "two texts of like length": (
        {"asked": TEXTS, "answered": TEXTS, "label": [1, 2] * 4},
        "the texts is not clear. Name it with `text_column`",
    ),
    "two that repeat": (
        {"text": TEXTS, "city": ["Rome", "Oslo"] * 4, "mood": ["good", "bad"] * 4},
        "the labels is not clear. Name it with `label_column`",
    ),
    "two known names of labels that do not repeat": (
        {"text": TEXTS, "topic": range(8), "rating": range(8)},
        "the labels is not clear.*\n  'topic': '0'\n  'rating': '0'",
    ),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_is_unclear_is_asked_for_with_the_columns(write, case):
    columns, message = UNCLEAR[case]
    with pytest.raises(ValueError, match=message):
        read_examples(write_csv(write, **columns))


def test_a_column_that_is_named_is_none_of_the_others(write):
    path = write_csv(write, text=TEXTS, said=TEXTS, label=[1, 2] * 4, mood=["a"] * 8)
    assert read_examples(path, "said").columns.label == "label"
    examples = read_examples(path, label_column="text", text_column="said")
    assert examples.labels == TEXTS
    assert read_examples(path, label_column="label").columns.text == "text"


def test_the_column_of_the_second_texts_is_not_that_of_the_first(write):
    path = write_csv(write, asked=TEXTS, found=TEXTS, label=[1, 2] * 4)
    examples = read_examples(path, pair_column="found")
    assert examples.texts == list(zip(TEXTS, TEXTS, strict=True))
    path = write_csv(write, text=TEXTS, label=[1, 2] * 4)
    with pytest.raises(ValueError, match="`text_column`; `pair_column` is 'text'. Its"):
        read_examples(path, pair_column="text")


def test_texts_alone_need_no_column_of_labels(write):
    path = write_csv(write, id=range(8), said=TEXTS)
    assert list(read_texts(path)) == TEXTS


def test_a_file_without_rows_says_so_where_its_columns_are_clear(write):
    with pytest.raises(ValueError, match="the file holds no texts"):
        read_examples(write("a.csv", "text,label\n"))
    with pytest.raises(ValueError, match="which column holds the labels is not clear"):
        read_examples(write("b.csv", "text,mood\n"))
