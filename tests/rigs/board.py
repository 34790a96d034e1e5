"""A training that logs for TensorBoard, and what TensorBoard reads in its folder."""

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorflow import make_ndarray

from rigs.small_model import small_data, small_model
from siatl_keras.callbacks import GammaDecay, GroupLearningRates, SequentialUnfreezing
from siatl_keras.plans import stages


def train_three_stages(board_callback):
    """Fits a small model for an epoch a stage, γ from 0.4 to 0.1; returns the history.

    The callback comes last, behind those that log γ, stage and rates.
    """
    x, y, sample_weight = small_data(8)
    return (
        small_model()
        .fit(
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
                board_callback,
            ],
        )
        .history
    )


def board(folder):
    """Returns `{tag: {step: value}}` of a folder's event files."""
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {
        tag: {
            event.step: _value(make_ndarray(event.tensor_proto))
            for event in accumulator.Tensors(tag)
        }
        for tag in accumulator.Tags()["tensors"]
    }


def _value(array):
    return array.item() if array.ndim == 0 else array
