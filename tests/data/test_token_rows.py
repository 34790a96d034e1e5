"""TokenRows: what is written to records is read back."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.data.token_rows import TokenRows, rows_of_records

ROWS = st.lists(st.lists(st.integers(0, 65_535), max_size=9), max_size=9)


def made(rows):
    values = np.array([value for row in rows for value in row], np.int32)
    return TokenRows.of_lengths(values, np.array([len(row) for row in rows], int))


def lists(rows):
    return [values.tolist() for values in rows]


@given(st.lists(ROWS, max_size=4), st.sampled_from(["uint16", "int32"]))
def test_records_hold_all_rows_of_all_of_them(tmp_path_factory, records, dtype):
    path = tmp_path_factory.mktemp("records") / "a.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for rows in records:
            writer.write(made(rows).record(dtype))
    read = rows_of_records(path.read_bytes(), dtype)
    assert lists(read) == [row for rows in records for row in rows]
    assert read.values.dtype == dtype


def test_tensorflow_reads_a_record_too():
    record = made([[4, 500], [], [6]]).record("uint16")
    kinds = dict.fromkeys(
        ("values", "row_lengths"), tf.io.FixedLenFeature([], "string")
    )
    parsed = tf.io.parse_single_example(record, kinds)
    assert tf.io.decode_raw(parsed["values"], "uint16").numpy().tolist() == [4, 500, 6]
    lengths = tf.io.decode_raw(parsed["row_lengths"], "int32")
    assert lengths.numpy().tolist() == [2, 0, 1]


@given(ROWS, st.data())
def test_rows_are_taken_in_any_order_and_joined(rows, data):
    order = data.draw(st.permutations(range(len(rows))))
    taken = made(rows).take(np.array(order, int))
    assert lists(taken) == [rows[index] for index in order]
    cut = data.draw(st.integers(0, len(rows)))
    parts = [made(rows).part(0, cut), made(rows).part(cut, len(rows))]
    assert lists(TokenRows.joined(parts)) == rows
    assert made(rows).ragged().to_list() == rows


@pytest.mark.parametrize("dtype", ["uint16", "int32"])
def test_there_may_be_no_rows(dtype):
    assert lists(TokenRows.none(dtype)) == [] == lists(rows_of_records(b"", dtype))
