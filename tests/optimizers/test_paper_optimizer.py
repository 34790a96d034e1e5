import pytest

from siatl_keras.optimizers import PRETRAINED_RATES, paper_optimizer


def test_two_optimizers_serve_three_groups():
    optimizer = paper_optimizer(5e-4, 1e-4)
    adam, sgd = optimizer.optimizers
    assert float(adam.learning_rate) == pytest.approx(5e-4)
    assert float(sgd.learning_rate) == pytest.approx(1e-4)
    assert optimizer.groups["backbone"] is optimizer.groups["embedding"] is sgd
    assert adam.global_clipnorm == sgd.global_clipnorm == 1.0


def test_pretrained_layers_may_have_an_adam_of_their_own():
    optimizer = paper_optimizer(0.1, 0.01, pretrained_optimizer="adam")
    task, pretrained = optimizer.optimizers
    assert type(task) is type(pretrained) and task is not pretrained
    assert float(pretrained.learning_rate) == pytest.approx(0.01)
    assert optimizer.groups["embedding"] is optimizer.groups["backbone"] is pretrained


@pytest.mark.parametrize("name", PRETRAINED_RATES)
def test_pretrained_layers_have_a_rate_that_suits_their_optimizer(name):
    _, pretrained = paper_optimizer(pretrained_optimizer=name).optimizers
    assert type(pretrained).__name__.lower().endswith(name)
    assert float(pretrained.learning_rate) == pytest.approx(PRETRAINED_RATES[name])


def test_other_optimizers_of_pretrained_layers_are_refused():
    with pytest.raises(ValueError, match=r"\['sgd', 'adam'\]. .*'rmsprop'"):
        paper_optimizer(pretrained_optimizer="rmsprop")
