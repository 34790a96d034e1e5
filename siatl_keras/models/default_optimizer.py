"""`default_optimizer`: what a pretrained language model learns with by default."""

from __future__ import annotations

from siatl_keras.models.lstm_backbone import LSTMBackbone


def default_optimizer(backbone: type) -> str:
    """Chooses the optimizer of a pretrained language model.

    Args:
        backbone: its class, such as `keras_hub.models.GPT2Backbone`.

    Returns:
        a key of `PRETRAINED_OPTIMIZERS`: "sgd" for an LSTM, as in the paper; "adam" for
        all others, whose gradients differ too much in size for one rate.
    """
    return "sgd" if issubclass(backbone, LSTMBackbone) else "adam"
