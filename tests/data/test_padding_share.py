"""padding_share counts the steps that are padding."""

import pytest
import tensorflow as tf

from siatl_keras.data import padding_share


def packed(*lengths):
    mask = tf.cast(tf.sequence_mask(lengths), tf.int32)
    return {"token_ids": mask * 5, "padding_mask": mask}


def test_share_is_over_the_steps_of_all_batches():
    assert padding_share([packed(1, 3), packed(4, 4, 2)]) == pytest.approx(4 / 18)


def test_inputs_may_come_alone_or_with_targets():
    assert padding_share([(packed(1, 2), None, None)]) == padding_share([packed(1, 2)])


def test_no_batches_are_an_error():
    with pytest.raises(ValueError, match="`batches` is empty"):
        padding_share([])
