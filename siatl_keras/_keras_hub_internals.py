"""Everything of KerasHub's that is private and that we must touch.

As in `_keras_internals`: each function says why it exists and the version it was
checked against; each has a test in `tests/test_keras_hub_internals.py`.
"""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
from keras_hub.src.utils.preset_utils import (
    CONFIG_FILE,
    PREPROCESSOR_CONFIG_FILE,
    TASK_CONFIG_FILE,
    TASK_WEIGHTS_FILE,
    KerasPresetLoader,
    check_config_class,
    check_file_exists,
    find_subclass,
    get_file,
    get_preset_loader,
    load_json,
)

from siatl_keras.checksums import CHECKSUMS, check_checksum, read_checksums


def load_tokenizer(preset: str) -> Any:
    """Loads the tokenizer of a preset, whatever its class.

    `Tokenizer.from_preset` finds the class through the backbone's registered
    subclasses, which tokenizers shared by several backbones are not; but a preset in
    another library's format does not name its tokenizer's class.
    Checked against KerasHub 0.32.0.

    Args:
        preset: a preset's folder or handle.

    Returns:
        the tokenizer, assets loaded.
    """
    loader = get_preset_loader(preset)
    tokenizer_class = keras_hub.tokenizers.Tokenizer
    if not isinstance(loader, KerasPresetLoader):
        backbone_class = loader.check_backbone_class()
        tokenizer_class = find_subclass(preset, tokenizer_class, backbone_class)
    return loader.load_tokenizer(tokenizer_class)


def backbone_class(preset: str) -> type:
    """Finds the class of a preset's backbone, see `siatl_keras.models.backbone_class`.

    Checked against KerasHub 0.32.0.
    """
    return get_preset_loader(preset).check_backbone_class()


def preprocessor_config(preset: str) -> dict[str, Any]:
    """Reads the arguments of a preset's preprocessor, whatever its class.

    A new preprocessor of another class can follow them; there is no public way to
    see them without its class. Checked against KerasHub 0.32.0.

    Args:
        preset: a preset's folder or handle.

    Returns:
        the arguments by name; none where the preset has no preprocessor.
    """
    if not check_file_exists(preset, PREPROCESSOR_CONFIG_FILE):
        return {}
    return load_json(preset, PREPROCESSOR_CONFIG_FILE)["config"]


def load_task(task_class: Any, preset: str, load_weights: bool, **kwargs: Any) -> Any:
    """Loads a task that was saved whole, on whatever backbone.

    `Task.from_preset` wants one task class a backbone class.
    Checked against KerasHub 0.32.0.

    Args:
        task_class: the class expected.
        preset: a preset's folder or handle.
        load_weights: whether to load the weights.
        **kwargs: arguments that override the saved ones.

    Returns:
        the task.

    Raises:
        ValueError: if the preset holds no such task, its task weights are missing, or
            weights are damaged.
    """
    if not check_file_exists(preset, TASK_CONFIG_FILE) or not issubclass(
        check_config_class(load_json(preset, TASK_CONFIG_FILE)), task_class
    ):
        raise ValueError(
            f"The preset {preset!r} holds no {task_class.__name__}. To put a new one "
            "on its language model, pass `num_classes` or `label_names`."
        )
    if load_weights:
        if not check_file_exists(preset, TASK_WEIGHTS_FILE):
            # KerasHub would go on with random ones.
            raise ValueError(
                f"The preset {preset!r} has no {TASK_WEIGHTS_FILE}, the weights of its "
                "task layers. Copy the preset again, or train once more."
            )
        check_weights(preset)
    kwargs.setdefault("dtype", preset_dtype(preset))
    loader = get_preset_loader(preset)
    return loader.load_task(task_class, load_weights, True, **kwargs)


def check_weights(preset: str) -> None:
    """Raises if a preset's weights are not those of its checksums, if it has any.

    There is no public way to a file of a preset, wherever it lies.
    Checked against KerasHub 0.32.0.

    Args:
        preset: a preset's folder or handle.

    Raises:
        ValueError: if a file is missing or damaged.
    """
    if not check_file_exists(preset, CHECKSUMS):
        return
    for name in read_checksums(get_file(preset, CHECKSUMS)):
        if not check_file_exists(preset, name):
            raise ValueError(
                f"The preset {preset!r} has no {name}, which is in {CHECKSUMS}. Copy "
                "the preset again."
            )
        check_checksum(get_file(preset, name))


def preset_dtype(preset: str) -> Any:
    """Works out the `dtype` to load a preset with.

    A quantised backbone keeps the policies it was saved with. Any other takes the
    current one: KerasHub cannot work out a dtype where a mixed policy was saved.
    Checked against KerasHub 0.32.0.

    Args:
        preset: a preset's folder or handle.

    Returns:
        a dtype policy, or `None` for the saved one.
    """
    if check_file_exists(preset, CONFIG_FILE):
        saved = load_json(preset, CONFIG_FILE).get("config", {}).get("dtype")
        if isinstance(saved, dict) and saved["class_name"] == "DTypePolicyMap":
            return None
    return keras.config.dtype_policy()
