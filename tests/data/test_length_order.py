import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from siatl_keras.data import length_order


@given(st.lists(st.integers(0, 9), max_size=20))
def test_rows_are_sorted_and_come_back(lengths):
    lengths = np.array(lengths, "int64")
    order, places = length_order(lengths)
    np.testing.assert_array_equal(order, np.argsort(lengths, kind="stable"))
    np.testing.assert_array_equal(tf.gather(tf.gather(lengths, order), places), lengths)
