"""On one device; `test_replicas.py` has several."""

import keras
import numpy as np
import pytest

from siatl_keras.models.replica_share import loss_over_replicas, replica_share


def test_one_device_has_all():
    assert replica_share(3) == 1.0
    assert replica_share(0) == 1.0


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "none"])
def test_on_one_device_a_loss_is_itself(reduction):
    loss = keras.losses.MeanSquaredError(reduction)
    y_true, y_pred, weights = np.eye(3), np.ones((3, 3)), np.arange(3.0)
    np.testing.assert_array_equal(
        loss_over_replicas(loss, y_true, y_pred, weights), loss(y_true, y_pred, weights)
    )
