"""`from_language_model`: a new classifier on a language model's preset."""

from __future__ import annotations

from typing import Any

from siatl_keras.compat import keras_hub_presets
from siatl_keras.models.causal_backbone import needs_fixed_length
from siatl_keras.models.siatl_preprocessor import SiATLPreprocessor
from siatl_keras.models.unknown_arguments import (
    BACKBONE_ARGUMENTS,
    CLASSIFIER_ARGUMENTS,
    refuse_unknown_arguments,
)

# Arguments that the preprocessors of language models and classifiers share.
SPECIAL_TOKENS = ("add_start_token", "add_end_token")


def from_language_model(
    classifier: type,
    preset: str,
    load_weights: bool,
    backbone_overrides: dict[str, Any] | None,
    sequence_length: int | None = None,
    pairs: bool | None = None,
    long_texts: str | None = None,
    max_windows: int | None = None,
    **kwargs: Any,
) -> Any:
    """Puts a new classifier on the backbone of a preset.

    Args:
        classifier: class of the classifier.
        preset: a preset's folder or handle.
        load_weights: bool; `False` keeps random weights.
        backbone_overrides: arguments of the backbone that replace the saved ones.
        sequence_length: int, of the preprocessor, 80 if not given.
        pairs: bool, of the preprocessor, `False` if not given.
        long_texts: of the preprocessor, "cut" if not given.
        max_windows: int, of the preprocessor, its own default if not given.
        **kwargs: `dtype`, the backbone's, the current policy if not given; and
            arguments of the class.

    Returns:
        the classifier.

    Raises:
        TypeError: if an argument is none of the class or of the backbone.
        ValueError: if the preset is broken, or no causal language model's.
    """
    if load_weights:
        keras_hub_presets.check_weights(preset)
    overrides = {
        "dtype": kwargs.pop("dtype", keras_hub_presets.preset_dtype(preset)),
        **(backbone_overrides or {}),
    }
    refuse_unknown_arguments(
        keras_hub_presets.backbone_class(preset), overrides, BACKBONE_ARGUMENTS
    )
    refuse_unknown_arguments(classifier, kwargs, CLASSIFIER_ARGUMENTS)
    asked: dict[str, Any] = {
        "sequence_length": sequence_length,
        "pairs": pairs,
        "long_texts": long_texts,
        "max_windows": max_windows,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    for name in asked:
        if "preprocessor" in kwargs:
            raise TypeError(
                f"`{name}` is for the preprocessor that is made where none is passed. "
                f"Set it on `preprocessor`."
            )
    backbone = keras_hub_presets.load_backbone(preset, load_weights, **overrides)
    if "preprocessor" not in kwargs:
        saved = keras_hub_presets.preprocessor_config(preset)
        kwargs["preprocessor"] = SiATLPreprocessor(
            keras_hub_presets.load_tokenizer(preset),
            pad_to_sequence_length=needs_fixed_length(backbone),
            **asked,
            **{name: saved[name] for name in SPECIAL_TOKENS if name in saved},
        )
    return classifier(backbone, **kwargs)
