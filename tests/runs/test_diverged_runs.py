"""Runs whose loss becomes infinite: what is kept, and what is not written."""

import json

import numpy as np
import pytest

from rigs.small_task import GOOD, small_config, small_run
from siatl_keras.callbacks import TrainingDivergedError
from siatl_keras.models import SiATLClassifier
from siatl_keras.plans import LanguageModelTraining, Rate
from siatl_keras.runs.adapt_language_model import adapt_language_model


@pytest.mark.parametrize("tested", [True, False])
def test_a_run_without_a_finite_epoch_is_an_error_before_anything_is_saved(
    files, lm, tmp_path, tested
):
    with pytest.raises(TrainingDivergedError, match="epoch 1, the first"):
        small_run(
            files if tested else files[:2],
            lm,
            tmp_path,
            method="p-lm",
            epochs=3,
            task_learning_rate=1e38,
        )
    assert {path.name for path in tmp_path.iterdir()} <= {"data.txt", "tensorboard"}


def test_a_run_that_diverges_later_keeps_its_finite_epochs(files, lm, tmp_path, capsys):
    model, metrics = small_run(
        files,
        lm,
        tmp_path,
        epochs=5,
        backbone_epoch=2,
        embedding_epoch=3,
        pretrained_learning_rate=1e38,
    )
    assert "Training diverged in epoch 3" in capsys.readouterr().out
    assert len(metrics["history"]) == 3 and metrics["best_epoch"] == 1
    assert all(np.isfinite(weight).all() for weight in model.get_weights())

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    text = (tmp_path / "metrics.json").read_text()
    written = json.loads(text, parse_constant=refuse)
    assert written["history"][2]["val_loss"] is None
    assert written["validation"]["task_loss"] > 0
    again = SiATLClassifier.from_preset(str(tmp_path / "model"))
    assert np.isfinite(again.predict(GOOD, verbose=0)).all()


def test_a_language_model_that_diverges_is_an_error_before_anything_is_saved(
    files, lm, tmp_path
):
    config = small_config(files, lm, tmp_path)
    training = LanguageModelTraining(8, Rate("adam", 1e38))
    with pytest.raises(TrainingDivergedError):
        adapt_language_model(config, training, tmp_path / "preset", verbose=0)
    assert {path.name for path in tmp_path.iterdir()} <= {"data.txt", "tensorboard"}
