"""`setting`: a field of a configuration that says all there is to say about it.

Help text, choices and ranges stand beside the default, once: flags, checks and the
search space are derived from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from siatl_keras.arguments import check_choice, check_whole


@dataclass(frozen=True)
class SearchRange:
    """The range of a setting that `recipes.tune` searches over.

    Attributes:
        low: lowest value.
        high: highest value.
        logarithmic: whether a factor, not a step, makes the difference.
    """

    low: float
    high: float
    logarithmic: bool = False


def setting(
    default: Any,
    text: str,
    choices: tuple[str, ...] | None = None,
    lower_bound: float | None = None,
    search: SearchRange | None = None,
) -> Any:
    """Makes a field of a dataclass from which a command-line flag is derived.

    Args:
        default: the default.
        text: what the setting does, one sentence or two: the flag's help.
        choices: the values that it may have.
        lower_bound: the lowest value that it may have.
        search: the range that `recipes.tune` searches over, if it does.
    """
    metadata = {
        "help": text,
        "choices": choices,
        "lower_bound": lower_bound,
        "search": search,
    }
    return field(default=default, metadata=metadata)


def check_settings(config: Any) -> None:
    """Raises if a value is none of its field's choices, too low, or missing.

    Args:
        config: a dataclass, its fields made by `setting`.

    Raises:
        ValueError: if so; it names the field.
    """
    for each in fields(config):
        value, low = getattr(config, each.name), each.metadata["lower_bound"]
        if value is None and each.default is not None:
            raise ValueError(
                f"`{each.name}` must be given, {each.default!r} by default. Received: "
                f"{each.name}=None."
            )
        if value is not None and each.metadata["choices"]:
            check_choice(each.metadata["choices"], **{each.name: value})
        if value is not None and isinstance(low, int):
            check_whole(low, **{each.name: value})


def check_given(config: Any, *names: str) -> None:
    """Raises if fields without a default are not given.

    Args:
        config: a dataclass.
        *names: of the fields.

    Raises:
        ValueError: if so; it names all that are missing.
    """
    missing = [name for name in names if not getattr(config, name)]
    if missing:
        raise ValueError(f"`{'`, `'.join(missing)}` must be given. Received nothing.")
