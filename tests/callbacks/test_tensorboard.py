"""Keras's own `TensorBoard` draws what this package's callbacks log."""

import keras
import pytest

from rigs.board import board, train_three_stages


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_tensorboard_shows_what_training_does(tmp_path, policy):
    keras.config.set_dtype_policy(policy)
    try:
        history = train_three_stages(
            keras.callbacks.TensorBoard(tmp_path, write_graph=False)
        )
    finally:
        keras.config.set_dtype_policy("float32")
    train, validation = (
        {tag: list(curve.values()) for tag, curve in board(tmp_path / name).items()}
        for name in ("train", "validation")
    )
    assert train["epoch_gamma"] == pytest.approx([0.4, 0.2, 0.1])
    assert train["epoch_stage"] == [1, 2, 3]
    for group, rate in (("task", 0.05), ("backbone", 0.1), ("embedding", 0.1)):
        assert train[f"epoch_learning_rate/{group}"] == pytest.approx([rate] * 3)
    for name in ("loss", "task_loss", "lm_loss", "task_macro_f1", "lm_perplexity"):
        assert train[f"epoch_{name}"] == pytest.approx(history[name], rel=1e-5)
        assert validation[f"epoch_{name}"] == pytest.approx(
            history[f"val_{name}"], rel=1e-5
        )
