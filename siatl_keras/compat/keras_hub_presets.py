"""What of KerasHub's presets is private and we must touch.

Each part says why it exists and the version it was checked against; each has a test in
`tests/compat/test_keras_hub_presets.py` that fails first when KerasHub moves.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import h5py
import keras
import keras_hub
from keras_hub.src.utils.preset_utils import (
    CONFIG_FILE,
    PREPROCESSOR_CONFIG_FILE,
    TASK_CONFIG_FILE,
    TASK_WEIGHTS_FILE,
    TOKENIZER_CONFIG_FILE,
    KerasPresetLoader,
    check_config_class,
    check_file_exists,
    find_subclass,
    get_file,
    get_preset_loader,
    load_json,
)

from siatl_keras.arguments import check_whole
from siatl_keras.checksums import CHECKSUMS, check_checksum, read_checksums
from siatl_keras.compat.layer_parts import limited_variables
from siatl_keras.presets.check_preset import (
    FILES,
    MODEL_WEIGHTS,
    check_preset,
    named_errors,
)
from siatl_keras.presets.likely_folder import check_found
from siatl_keras.presets.named_models import preset_path


class CheckedPresetLoader(KerasPresetLoader):
    """Loads a preset whose files were checked; what is wrong still is a `ValueError`.

    KerasHub reads the files of a preset in its own methods, and lets through whatever
    these, Keras and HDF5 raise. Checked against KerasHub 0.32.0.

    Args:
        preset: a preset's folder or handle.
        config: its config.json.
        numbers: most numbers that the variables of its model can have, if known.
    """

    def __init__(self, preset: str, config: Any, numbers: int | None = None) -> None:
        super().__init__(preset, config)
        self.numbers = numbers

    def load_backbone(self, cls: Any, load_weights: bool, **kwargs: Any) -> Any:
        """Loads the backbone; `kwargs` may ask for more than the weights have."""
        with self._limited(load_weights):
            return super().load_backbone(cls, load_weights, **kwargs)

    def load_task(
        self, cls: Any, load_weights: bool, load_task_weights: bool, **kwargs: Any
    ) -> Any:
        """Loads a task."""
        with self._limited(load_weights), self._named("task.json"):
            return super().load_task(cls, load_weights, load_task_weights, **kwargs)

    def load_tokenizer(self, cls: Any, *args: Any, **kwargs: Any) -> Any:
        """Loads the tokenizer."""
        with self._named("tokenizer.json"):
            return super().load_tokenizer(cls, *args, **kwargs)

    def load_preprocessor(self, cls: Any, *args: Any, **kwargs: Any) -> Any:
        """Loads the preprocessor."""
        with self._named("preprocessor.json"):
            return super().load_preprocessor(cls, *args, **kwargs)

    def _load_serialized_object(self, config: Any, **kwargs: Any) -> Any:
        made = check_config_class(config)
        (name,) = (name for name, kind in FILES.items() if issubclass(made, kind))
        with self._named(name):
            return super()._load_serialized_object(config, **kwargs)

    def _load_backbone_weights(self, backbone: Any) -> None:
        with self._named(MODEL_WEIGHTS):
            super()._load_backbone_weights(backbone)

    def _named(self, name: str) -> Any:
        return named_errors(f"{self.preset}/{name}", self.preset)

    def _limited(self, load_weights: bool) -> Any:
        if not load_weights or self.numbers is None:
            return contextlib.nullcontext()
        return limited_variables(
            self.numbers,
            f"{self.preset}/config.json: its sizes ask for more than the weights of "
            f"the preset have, {self.numbers} numbers at most. Config and weights are "
            "not of the same model: save or download the preset again.",
        )


def _loader(preset: str, *names: str, weights: bool = False) -> Any:
    """Makes the loader of a preset, after a check of what it is to load."""
    check_found(preset)

    def find(name: str) -> Path | None:
        return Path(get_file(preset, name)) if check_file_exists(preset, name) else None

    numbers = check_preset(preset, find, (CONFIG_FILE, *names), weights)
    with named_errors(f"{preset}/config.json", preset):
        loader = get_preset_loader(preset)
    if isinstance(loader, KerasPresetLoader):
        return CheckedPresetLoader(preset, loader.config, numbers)
    return loader


def load_backbone(preset: str, load_weights: bool = True, **kwargs: Any) -> Any:
    """Loads a preset's backbone, as `Backbone.from_preset` does, checked first.

    Checked against KerasHub 0.32.0.

    Args:
        preset: a preset's folder or handle.
        load_weights: whether to load the weights.
        **kwargs: arguments that override the saved ones. A lower `num_layers` keeps
            the bottom layers, and the norm on top.

    Returns:
        the backbone.

    Raises:
        ValueError: that names the file and the field, if the preset is broken; or if it
            has fewer layers.
    """
    preset = preset_path(preset)
    loader = _loader(preset, weights=True)
    kind = loader.check_backbone_class()
    cuts = load_weights and kwargs.get("num_layers") is not None
    if cuts:
        _check_has_layers(preset, kwargs["num_layers"])
    with named_errors(f"{preset}/{CONFIG_FILE}", preset):
        made = loader.load_backbone(kind, load_weights, **kwargs)
    if cuts:
        _check_bottom(preset, made)
    return made


def number_of_layers(preset: str) -> int | None:
    """Reads how many layers, or blocks, a preset's backbone has, if it says so.

    Checked against KerasHub 0.32.0.

    Args:
        preset: a preset's folder or handle.
    """
    config = _backbone_config(preset)
    return config.get("num_layers", config.get("num_hidden_layers"))


def vocabulary_size(preset: str) -> int:
    """Reads how many tokens a preset's backbone knows.

    Checked against KerasHub 0.32.0.

    Args:
        preset: a preset's folder or handle.
    """
    config = _backbone_config(preset)
    name = "vocabulary_size" if "vocabulary_size" in config else "vocab_size"
    return config[name]


def _backbone_config(preset: str) -> dict[str, Any]:
    config = _loader(preset_path(preset)).config
    # Hugging Face's files have no class's arguments inside.
    return config.get("config", config)


def _check_has_layers(preset: str, layers: int) -> None:
    check_whole(1, num_layers=layers)
    whole = number_of_layers(preset)
    if whole is not None and layers > whole:
        raise ValueError(
            f"`num_layers` must be at most {whole}, those of the preset. Received: "
            f"num_layers={layers}."
        )


def _check_bottom(preset: str, backbone: Any) -> None:
    """Raises if fewer layers do not have the weights that the whole preset gives them.

    Keras goes by a layer's class and its number among those of the class, which is
    another one above the layers that were left out; the file says the names too.
    """
    if not check_file_exists(preset, MODEL_WEIGHTS):
        return  # In another library's format, where layers go by their names.
    with h5py.File(get_file(preset, MODEL_WEIGHTS)) as file:
        layers = file.get("layers", {})
        numbers = {
            group["vars"].attrs.get("name"): _number(place)
            for place, group in layers.items()
            if "vars" in group
        }
    seen: dict[type, int] = {}
    for layer in backbone.layers:
        number = seen.get(type(layer), 0)
        seen[type(layer)] = number + 1
        if layer.weights and numbers.get(layer.name) != number:
            raise ValueError(
                f"{preset}: its bottom layers cannot be had alone, for {layer.name!r} "
                f"is not where {number} others of its class stand below. Leave "
                "`num_layers` out."
            )


def _number(place: str) -> int:
    number = place.rpartition("_")[2]
    return int(number) if number.isdigit() else 0  # The first has none.


def load_language_model(
    task_class: Any, preset: str, load_weights: bool = True, **kwargs: Any
) -> Any:
    """Loads a preset as a task of one backbone class, as `Task.from_preset`.

    Checked against KerasHub 0.32.0.

    Args:
        task_class: the class, whose `backbone_cls` says which presets it takes.
        preset: a preset's folder or handle.
        load_weights: whether to load the weights.
        **kwargs: arguments that override the saved ones.

    Returns:
        the task.

    Raises:
        ValueError: that names the file and the field, if the preset is broken, or of
            another class of backbone.
    """
    preset = preset_path(preset)
    loader = _loader(preset, *FILES, weights=True)
    found = loader.check_backbone_class()
    if not issubclass(found, task_class.backbone_cls):
        raise ValueError(
            f"{preset}/config.json: {task_class.__name__} needs a "
            f"{task_class.backbone_cls.__name__}. Found: {found.__name__}."
        )
    return loader.load_task(task_class, load_weights, True, **kwargs)


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
    preset = preset_path(preset)
    loader = _loader(preset, TOKENIZER_CONFIG_FILE)
    tokenizer_class = keras_hub.tokenizers.Tokenizer
    with named_errors(f"{preset}/{TOKENIZER_CONFIG_FILE}", preset):
        if not isinstance(loader, KerasPresetLoader):
            backbone_class = loader.check_backbone_class()
            tokenizer_class = find_subclass(preset, tokenizer_class, backbone_class)
        return loader.load_tokenizer(tokenizer_class)


def backbone_class(preset: str) -> type:
    """Finds the class of a preset's backbone, see `siatl_keras.models.backbone_class`.

    Checked against KerasHub 0.32.0.
    """
    preset = preset_path(preset)
    return _loader(preset).check_backbone_class()


def preprocessor_config(preset: str) -> dict[str, Any]:
    """Reads the arguments of a preset's preprocessor, whatever its class.

    A new preprocessor of another class can follow them; there is no public way to
    see them without its class. Checked against KerasHub 0.32.0.

    Args:
        preset: a preset's folder or handle.

    Returns:
        the arguments by name; none where the preset has no preprocessor.
    """
    preset = preset_path(preset)
    if not check_file_exists(preset, PREPROCESSOR_CONFIG_FILE):
        return {}
    name = f"{preset}/{PREPROCESSOR_CONFIG_FILE}"
    with named_errors(name, preset):
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
    preset = preset_path(preset)
    loader = _loader(preset, *FILES, weights=True)
    if not check_file_exists(preset, TASK_CONFIG_FILE) or not issubclass(
        check_config_class(load_json(preset, TASK_CONFIG_FILE)), task_class
    ):
        raise ValueError(
            f"The preset {preset!r} holds no {task_class.__name__}. To put a new one "
            "on its language model, pass `num_classes`, `label_names` or `task`."
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
    preset = preset_path(preset)
    check_found(preset)
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
    preset = preset_path(preset)
    if check_file_exists(preset, CONFIG_FILE):
        with named_errors(f"{preset}/{CONFIG_FILE}", preset):
            saved = load_json(preset, CONFIG_FILE).get("config", {}).get("dtype")
        if isinstance(saved, dict) and saved.get("class_name") == "DTypePolicyMap":
            return None
    return keras.config.dtype_policy()
