import pytest

from siatl_keras.training import paper_optimizer


def test_two_optimizers_with_the_authors_rates_serve_three_groups():
    optimizer = paper_optimizer()
    adam, sgd = optimizer.optimizers
    assert float(adam.learning_rate) == pytest.approx(5e-4)
    assert float(sgd.learning_rate) == pytest.approx(1e-4)
    assert optimizer.groups["backbone"] is optimizer.groups["embedding"] is sgd
    assert adam.global_clipnorm == sgd.global_clipnorm == 1.0
