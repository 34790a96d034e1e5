import keras
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorflow import make_ndarray

from rigs.small_model import small_data, small_model
from siatl_keras.callbacks import GammaDecay, GroupLearningRates, SequentialUnfreezing
from siatl_keras.plans import stages


def read(directory):
    """Returns `{tag: [value of every epoch]}` of the newest event files."""
    accumulator = EventAccumulator(str(directory), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {
        tag: [make_ndarray(e.tensor_proto).item() for e in accumulator.Tensors(tag)]
        for tag in accumulator.Tags()["tensors"]
        if tag.startswith(("epoch_", "evaluation_"))
    }


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_tensorboard_shows_what_training_does(tmp_path, policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = small_model()
    finally:
        keras.config.set_dtype_policy("float32")
    x, y, sample_weight = small_data(8)
    history = model.fit(
        x,
        y,
        sample_weight=sample_weight,
        validation_data=(x, y, sample_weight),
        batch_size=4,
        epochs=3,
        verbose=0,
        callbacks=[
            GammaDecay(0.4, 0.1, epochs=3),
            SequentialUnfreezing(stages(2, 3)),
            GroupLearningRates(),
            keras.callbacks.TensorBoard(tmp_path, write_graph=False),
        ],
    ).history
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert train["epoch_gamma"] == pytest.approx([0.4, 0.2, 0.1])
    assert train["epoch_stage"] == [1, 2, 3]
    for group, rate in (("task", 0.05), ("backbone", 0.1), ("embedding", 0.1)):
        assert train[f"epoch_learning_rate/{group}"] == pytest.approx([rate] * 3)
    for name in ("loss", "task_loss", "lm_loss", "task_macro_f1", "lm_perplexity"):
        assert train[f"epoch_{name}"] == pytest.approx(history[name], rel=1e-5)
        assert validation[f"epoch_{name}"] == pytest.approx(
            history[f"val_{name}"], rel=1e-5
        )
