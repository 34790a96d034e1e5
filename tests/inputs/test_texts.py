"""as_texts: a list of texts by position, or a sentence that says what to pass."""

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tensorflow as tf

from siatl_keras.inputs import as_texts

TEXTS = ["so glad", "what a day", ""]
SERIES = pd.Series(TEXTS)


@pytest.mark.parametrize(
    "values",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, object),
        SERIES,
        pd.Series(TEXTS, index=[2, 0, 1]),
        pd.Series(TEXTS, index=["a", "b", "a"]),
        pd.Series(["other", *TEXTS])[lambda s: s != "other"],
        SERIES.astype("string"),
        SERIES.astype("category"),
        pd.Index(TEXTS),
        datasets.Dataset.from_dict({"text": TEXTS})["text"],
        [np.str_(text) for text in TEXTS],
    ],
    ids=str,
)
def test_texts_are_taken_by_position(values):
    assert as_texts(values, "x") == TEXTS


@pytest.mark.parametrize("values", [np.array(TEXTS, "S"), tf.constant(TEXTS)])
def test_bytes_stay_bytes(values):
    assert as_texts(values, "x") == [text.encode() for text in TEXTS]


def test_no_texts_are_an_empty_list():
    assert as_texts([], "x") == as_texts(np.array([]), "x") == []


def test_an_iterator_is_read_where_one_will_do():
    assert as_texts(iter(TEXTS), "x", iterators=True) == TEXTS
    with pytest.raises(ValueError, match=r"`x` must have a length.*list\(x\)"):
        as_texts((text for text in TEXTS), "x")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("so glad", r"`x` must be a list. Received one string, 'so glad'. Pass a list"),
        (b"so glad", "`x` must be a list. Received one string"),
        (np.str_("so"), "`x` must be a list"),
        (["so", None], "`x` has no text in row 1: None. Drop such rows"),
        (["so", float("nan")], "`x` has no text in row 1: nan"),
        (pd.Series(["so", None]), "`x` has no text in row 1"),
        (pd.Series(["so", None], dtype="string"), "`x` has no text in row 1: <NA>"),
        (np.array(["so", np.nan], object), "`x` has no text in row 1: nan"),
        (["so", 3], "`x` must hold texts. Received in row 1: 3, a int"),
        ([["so", "glad", "day"]], r"Received in row 0: \['so', .*, a list"),
        (["so", ("so", "glad")], r"in row 1: .*a pair of them.*with `pairs=True`"),
        (np.array([["so", "glad"]]), r"shape \(1, 2\)\. For pairs.*`pairs=True`"),
        (
            pd.DataFrame({"a": ["so"], "b": ["glad"]}),
            r"\['a', 'b'\]. Pass one of them.*For pairs of texts, make the model with",
        ),
        ([1, 2], "Received in row 0: 1, a int"),
        ({"text": "so"}, "`x` must be in order. Received a dict"),
        ({"so"}, "`x` must be in order. Received a set"),
        (
            pd.DataFrame({"text": ["so"]}),
            r"one column.*\['text'\]. Pass.*table\['text'",
        ),
        (pd.DataFrame(), "a table without columns"),
        (
            datasets.Dataset.from_dict({"text": ["so"], "label": [1]}),
            r"one column.*\['text', 'label'\]. Pass.*table\['text'",
        ),
        (pa.table({"text": ["so"]}), r"one column.*\['text'\]. Pass.*table\['text'"),
        (
            datasets.DatasetDict(train=datasets.Dataset.from_dict({"text": ["so"]})),
            "`x` must be in order. Received a DatasetDict",
        ),
        (np.array([["so"], ["glad"]]), r"one dimension. Received a ndarray of shape"),
        (tf.constant("so"), r"one dimension.*of shape \(\)"),
        (tf.ragged.constant([["so"], []]), "one dimension"),
        (3, "`x` must be a list.*Received: int"),
        (["a\ud800b"], r"'\\ud800' in row 0, half of a character"),
        (["x" * 1000, 5.0], "Received in row 1: 5.0, a float"),
    ],
)
def test_what_is_no_column_of_texts_is_refused_with_its_row(values, message):
    with pytest.raises(ValueError, match=message):
        as_texts(values, "x")


def test_messages_quote_only_a_beginning():
    with pytest.raises(ValueError) as error:
        as_texts("word " * 1000, "x")
    assert len(str(error.value)) < 250
