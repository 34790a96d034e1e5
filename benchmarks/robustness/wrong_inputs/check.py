"""Calls what must refuse, and checks what it says."""

import functools
import re

from benchmarks.robustness.outcomes import tally
from benchmarks.robustness.wrong_inputs.parts import ANY

# Where a message may speak of what the argument holds.
SAME = {
    "x": "texts",
    "y": "labels",
    "paths": "missing.tsv",
    "predictions": "label_names",
    "models": "model",
}


def refused(argument, function):
    """Calls a function that must refuse, and checks what it says.

    Args:
        argument: str that the message must hold, or `ANY`.
        function: without arguments.

    Raises:
        ValueError: or `TypeError`, as it should be.
        AssertionError: if it answers, or names no argument.
    """
    try:
        function()
    except (ValueError, TypeError) as error:
        names = (argument, SAME.get(argument, argument))
        named = argument is ANY or any(
            re.search(rf"\b{re.escape(name)}\b", str(error)) for name in names
        )
        assert named, f"does not name {argument}: {type(error).__name__}: {error}"
        raise
    raise AssertionError("answered")


def check(rows):
    """Tries rows.

    Args:
        rows: iterable of description, argument that must be named, function.

    Returns:
        what `tally` returns.
    """
    tries = (
        (description, functools.partial(refused, argument, function))
        for description, argument, function in rows
    )
    return tally(tries, refusals=(ValueError, TypeError))
