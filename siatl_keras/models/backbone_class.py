"""`backbone_class`: what a preset's backbone is, without loading it."""

from __future__ import annotations

from siatl_keras.compat import keras_hub_presets


def backbone_class(preset: str) -> type:
    """Finds the class of a preset's backbone.

    Args:
        preset: a preset's folder, or any other handle that KerasHub knows.

    Returns:
        the class, such as `LSTMBackbone`.

    Raises:
        ValueError: if there is no such preset.
    """
    return keras_hub_presets.backbone_class(preset)
