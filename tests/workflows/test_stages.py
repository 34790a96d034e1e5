import keras
import pytest

from siatl_keras.models import LSTMBackbone, SiATLClassifier
from siatl_keras.workflows import METHODS
from siatl_keras.workflows.stages import Stages, optimizer_of, stages_of

ASKED = Stages(backbone_epoch=2, embedding_epoch=5, layers_per_epoch=None)


@pytest.fixture(scope="module")
def model():
    return SiATLClassifier(LSTMBackbone(9, 4, hidden_dim=6, num_layers=2), 2)


def optimizer(method, model):
    row = METHODS[method]
    return optimizer_of(
        row,
        model,
        stages_of(row, model, ASKED),
        epochs=10,
        steps_per_epoch=7,
        schedule="slanted_triangular",
        task_learning_rate=0.1,
        pretrained_learning_rate=0.01,
        pretrained_optimizer="sgd",
        clipnorm=1.0,
    )


def schedule_of(optimizer):
    config = keras.optimizers.serialize(optimizer)["config"]["learning_rate"]
    return keras.optimizers.schedules.deserialize(config)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("siatl", ASKED),
        ("p-lm", Stages(1, 1, None)),
        # A projection and two LSTMs, an epoch each.
        ("ulmfit", Stages(2, 5, 1)),
    ],
)
def test_stages_are_those_of_the_method(model, method, expected):
    assert stages_of(METHODS[method], model, ASKED) == expected


@pytest.mark.parametrize(
    ("method", "epochs"),
    [
        ("siatl", {"task": 10, "backbone": 9, "embedding": 9}),
        ("p-lm", {"task": 10, "backbone": 10, "embedding": 10}),
        (
            "ulmfit",
            {
                "task": 10,
                "backbone/projection": 9,
                "backbone/lstm_1": 8,
                "backbone/lstm_0": 7,
                "embedding": 6,
            },
        ),
    ],
)
def test_schedules_are_as_long_as_their_group_learns(model, method, epochs):
    groups = optimizer(method, model).groups
    lengths = {name: schedule_of(one).steps for name, one in groups.items()}
    assert lengths == {name: 7 * count for name, count in epochs.items()}


@pytest.mark.parametrize("method", ["scratch", "last-token"])
def test_one_adam_has_one_rate_for_all(model, method):
    made = optimizer(method, model)
    assert isinstance(made, keras.optimizers.Adam)
    assert schedule_of(made).max_rate == 0.1
