"""Docstrings' examples, as the reference is to show them: as code.

Ours stand under `Example:`, unindented, as Python's doctest and Keras have them.
"""

import re
import textwrap
from typing import Any

import griffe

EXAMPLE = re.compile(r"^Example:\n((?:.*\n?)+?)(?=\n\w+:\n|\Z)", re.MULTILINE)


class Examples(griffe.Extension):
    """Makes them the section `Examples:` that griffe knows."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrites the docstring of one object."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(_indented, obj.docstring.value)


def _indented(match: re.Match[str]) -> str:
    code = textwrap.indent(textwrap.dedent(match[1]), "    ")
    return f"Examples:\n{code}"
