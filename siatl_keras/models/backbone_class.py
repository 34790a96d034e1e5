"""What a preset's backbone is, without loading it."""

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


def number_of_layers(preset: str) -> int | None:
    """Reads how many layers, or blocks, a preset's backbone has.

    Args:
        preset: a preset's folder or handle.

    Returns:
        int; `None` if its configuration does not say.
    """
    return keras_hub_presets.number_of_layers(preset)


def vocabulary_size(preset: str) -> int:
    """Reads how many tokens a preset's backbone knows.

    Args:
        preset: a preset's folder or handle.
    """
    return keras_hub_presets.vocabulary_size(preset)
