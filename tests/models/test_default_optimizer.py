import keras
import pytest

from rigs.small_backbones import small_backbone
from siatl_keras.models import SiATLClassifier


def test_an_lstm_has_the_papers_sgd_by_default(make_classifier):
    _, pretrained = make_classifier().optimizer.optimizers
    assert isinstance(pretrained, keras.optimizers.SGD)
    assert float(pretrained.learning_rate) == pytest.approx(0.5)


def test_a_transformer_has_a_second_adam_by_default():
    model = SiATLClassifier(small_backbone("GPT2"), num_classes=2)
    task, pretrained = model.optimizer.optimizers
    assert isinstance(pretrained, keras.optimizers.Adam)
    assert float(pretrained.learning_rate) == pytest.approx(5e-5)
    assert model.optimizer.groups["task"] is task
