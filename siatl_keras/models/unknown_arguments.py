"""`refuse_unknown_arguments`: a misspelt constructor argument is an error.

Keras's functional models swallow keyword arguments that they do not know.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Sequence
from typing import Any

from siatl_keras.arguments import check_choice
from siatl_keras.heads.task_head import HEAD_ARGUMENTS

# What KerasHub's classes take beyond their own arguments.
TASK_ARGUMENTS = ("name", "trainable", "compile")
# A classifier's head takes these, and has their defaults.
CLASSIFIER_ARGUMENTS = (*HEAD_ARGUMENTS, *TASK_ARGUMENTS)
BACKBONE_ARGUMENTS = ("name", "trainable", "dtype")


def refuse_unknown_arguments(
    cls: type, kwargs: Iterable[str], known: Sequence[str]
) -> None:
    """Raises a `TypeError` if a class's `**kwargs` hold what nothing takes.

    Args:
        cls: the class, whose `__init__` names its arguments.
        kwargs: names of the arguments that its `**kwargs` caught.
        known: names among these that its parents take.

    Raises:
        TypeError: at the first unknown one, with the name that is most like it.
    """
    signature: Any = inspect.signature(cls.__init__)  # type: ignore[misc]
    kinds = inspect.Parameter
    own = [
        name
        for name, parameter in signature.parameters.items()
        if name != "self"
        and parameter.kind not in (kinds.VAR_KEYWORD, kinds.VAR_POSITIONAL)
    ]
    for name in kwargs:
        if name not in own and name not in known:
            similar = difflib.get_close_matches(name, [*own, *known], n=1)
            remedy = (
                f"Did you mean `{similar[0]}`?"
                if similar
                else f"It takes: {', '.join(own)}."
            )
            raise TypeError(f"{cls.__name__} has no argument `{name}`. {remedy}")


def refuse_other_exports(
    formats: Iterable[str], format: str, weights: str | None, others: dict[str, Any]
) -> None:
    """Refuses what Keras's `export` takes and a classifier's does not.

    Args:
        formats: that it takes.
        format: of the export.
        weights: how LiteRT is to keep them; `None` if not given.
        others: arguments by name, `None` if not given.

    Raises:
        ValueError: if one is given; the message says what to call.
    """
    check_choice(list(formats), format=format)
    given = {name: value for name, value in others.items() if value is not None}
    if weights is not None and format != "litert":
        given = {"weights": weights, **given}
    if given:
        raise ValueError(
            f'A classifier is exported with texts as inputs: with format="{format}", '
            "`export` takes a path alone, and `siatl_keras.export` writes numbered "
            f"versions. Received: {given}. Leave it out."
        )
