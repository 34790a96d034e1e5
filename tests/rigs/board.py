"""What TensorBoard reads in a folder of logs."""

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorflow import make_ndarray


def board(folder):
    """Returns `{tag: {step: value}}` of a folder's event files."""
    accumulator = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    accumulator.Reload()
    return {
        tag: {
            event.step: make_ndarray(event.tensor_proto)
            for event in accumulator.Tensors(tag)
        }
        for tag in accumulator.Tags()["tensors"]
    }
