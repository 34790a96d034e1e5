"""`backbone_class`: what a preset's backbone is, without loading it."""

from __future__ import annotations

from siatl_keras import _keras_hub_internals


def backbone_class(preset: str) -> type:
    """Finds the class of a preset's backbone.

    Args:
        preset: a preset's folder, or any other handle that KerasHub knows.

    Returns:
        the class, such as `LSTMBackbone`.

    Raises:
        ValueError: if there is no such preset.
    """
    return _keras_hub_internals.backbone_class(preset)
