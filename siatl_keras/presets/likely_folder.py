"""Which folder is meant where a path is not quite that of a preset."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from siatl_keras.presets.hub_within_reach import check_hub_within_reach
from siatl_keras.presets.named_models import MODELS, SHIPPED

CONFIG = "config.json"


def check_found(preset: str) -> None:
    """Raises, before KerasHub does in words of its own, where no preset is.

    Args:
        preset: a folder or a handle.

    Raises:
        ValueError: if a folder is no preset's or not there, a name is nearly one of
            this package's, or the hub is out of reach.
    """
    if os.path.isdir(preset):
        check_is_preset(preset)
    else:
        check_hub_within_reach(preset)
        check_is_meant(preset, (*SHIPPED, *MODELS))


def check_is_preset(folder: str) -> None:
    """Raises if a folder that is there is no preset's.

    Args:
        folder: its path.

    Raises:
        ValueError: if so; it names the presets inside, such as the model of a run.
    """
    if Path(folder, CONFIG).exists():
        return
    inside = _presets_below(Path(folder))
    raise ValueError(
        f"{folder}: this folder holds no {CONFIG}, so it is no preset.{_meant(inside)}"
    )


def check_is_meant(preset: str, names: Iterable[str]) -> None:
    """Raises if a path leads nowhere, or a name is nearly one of this package's.

    Args:
        preset: no folder that is there; a handle of a hub, or a name of KerasHub's, is
            left to KerasHub.
        names: of this package's models.

    Raises:
        ValueError: if so; it names what is likely.
    """
    if "://" in preset:
        return
    if os.sep not in preset and not preset.startswith("."):
        close = difflib.get_close_matches(preset, names, 2)
        if close:
            raise ValueError(f"There is no language model {preset!r}.{_meant(close)}")
        return
    parent = Path(preset)
    while not parent.is_dir() and parent != parent.parent:
        parent = parent.parent
    wanted = Path(preset).relative_to(parent).parts[0]
    entries = [entry.name for entry in parent.iterdir() if entry.is_dir()]
    close = difflib.get_close_matches(wanted, entries, 2)
    likely = [
        path for name in close for path in _presets_below(parent / name, itself=True)
    ]
    raise ValueError(f"{preset}: no such folder.{_meant(likely or close)}")


def _presets_below(folder: Path, itself: bool = False) -> list[str]:
    """Lists the presets in a folder, at most two below it."""
    patterns = (CONFIG,) * itself + (f"*/{CONFIG}", f"*/*/{CONFIG}")
    found = [path.parent for pattern in patterns for path in folder.glob(pattern)]
    # What a stopped run goes on from is nobody's model.
    return [str(path) for path in found if "backup" not in path.parts][:3]


def _meant(likely: Iterable[str]) -> str:
    names = " or ".join(map(str, likely))
    return f" Did you mean {names}?" if names else " Pass that of a preset."
