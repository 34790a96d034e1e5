"""Checks of arguments: what is wrong is refused by name, before anything is made of it.

A comparison such as `rate <= 0` lets NaN through, and a string fails in it without a
word of which argument it was. Arguments are given by name, which the messages repeat.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection
from typing import Any


def check_whole(least: int, **arguments: Any) -> None:
    """Checks for whole numbers of at least `least`.

    Args:
        least: int.
        **arguments: values by name.

    Raises:
        ValueError: names the first that is something else.

    Example:
    >>> check_whole(1, units=100)
    >>> check_whole(1, units=0)
    Traceback (most recent call last):
    ValueError: `units` must be a whole number, at least 1. Received: units=0.
    """
    for name, value in arguments.items():
        if not _is_whole(value) or value < least:
            raise ValueError(
                f"`{name}` must be a whole number, at least {least}. Received: "
                f"{name}={value!r}."
            )


def check_share(**arguments: Any) -> None:
    """Checks for numbers of at least 0 and below 1, such as dropout rates.

    Args:
        **arguments: values by name.

    Raises:
        ValueError: names the first that is something else.
    """
    for name, value in arguments.items():
        if not _is_number(value) or not 0 <= value < 1:
            raise ValueError(
                f"`{name}` must be a number in [0, 1). Received: {name}={value!r}."
            )


def check_positive(**arguments: Any) -> None:
    """Checks for finite numbers above 0.

    Args:
        **arguments: values by name.

    Raises:
        ValueError: names the first that is something else.
    """
    for name, value in arguments.items():
        if not _is_number(value) or value <= 0:
            raise ValueError(
                f"`{name}` must be a positive number. Received: {name}={value!r}."
            )


def check_at_least(least: float, **arguments: Any) -> None:
    """Checks for finite numbers of at least `least`.

    Args:
        least: float.
        **arguments: values by name.

    Raises:
        ValueError: names the first that is something else.
    """
    for name, value in arguments.items():
        if not _is_number(value) or value < least:
            raise ValueError(
                f"`{name}` must be a number, at least {least}. Received: "
                f"{name}={value!r}."
            )


def check_flag(**arguments: Any) -> None:
    """Checks for `True` and `False`.

    Args:
        **arguments: values by name.

    Raises:
        ValueError: names the first that is something else.
    """
    for name, value in arguments.items():
        if not isinstance(value, bool):
            raise ValueError(
                f"`{name}` must be True or False. Received: {name}={value!r}."
            )


def check_choice(choices: Collection[str], **arguments: Any) -> None:
    """Checks for one of a few words.

    Args:
        choices: the words.
        **arguments: values by name.

    Raises:
        ValueError: names the first that is something else.
    """
    for name, value in arguments.items():
        if not isinstance(value, str) or value not in choices:
            raise ValueError(
                f"`{name}` must be one of {list(choices)}. Received: {name}={value!r}."
            )


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return is_real and math.isfinite(value)
