"""`RowError`: a row of a file that cannot be used, and lists of such rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from siatl_keras.data.one_line import tab_separated

# Of rows that have the same fault, how many are named.
NAMED = 10


class RowError(ValueError):
    """What is wrong with a row.

    Args:
        path: str, the file.
        line: int, the line that the row begins at, from 1.
        what: str, what is wrong.
        remedy: str, what to do about it.
    """

    def __init__(self, path: str, line: int, what: str, remedy: str = "") -> None:
        super().__init__(f"{path}, line {line}: {what}. {remedy}".rstrip())
        self.path = path
        self.line = line
        self.what = what
        self.remedy = remedy


class BadRows:
    """Keeps rows that cannot be used; is an `OnBadRow`.

    Attributes:
        errors: what is wrong with them.
    """

    def __init__(self) -> None:
        self.errors: list[RowError] = []

    def __call__(self, error: RowError) -> None:
        """Keeps a row's."""
        self.errors.append(error)

    def refuse(self) -> None:
        """Raises a `ValueError` that lists them, if there are any."""
        if self.errors:
            them = "it" if len(self.errors) == 1 else "them"
            raise ValueError(
                f"{listed_errors(self.errors)} Or pass `drop_bad_rows` to go on "
                f"without {them}."
            )

    def to_text(self) -> str:
        """Returns a table of them: file, line, and what is wrong."""
        errors = sorted(self.errors, key=lambda error: (error.path, error.line))
        rows = ((each.path, str(each.line), each.what) for each in errors)
        return tab_separated([("file", "line", "what"), *rows])


# What a reader calls with a row that cannot be used: it raises, or goes on without.
OnBadRow = Callable[[RowError], None]


def raise_it(error: RowError) -> NoReturn:
    """Raises an error at once."""
    raise error


def named_lines(lines: Sequence[int]) -> str:
    """Names lines, the first of them where they are many.

    >>> named_lines([3]), named_lines(range(1, 15))
    ('line 3', 'lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 4 more')
    """
    shown = ", ".join(map(str, lines[:NAMED]))
    more = f" and {len(lines) - NAMED} more" if len(lines) > NAMED else ""
    return f"line{'s' * (len(lines) > 1)} {shown}{more}"


def listed_errors(errors: Iterable[RowError]) -> str:
    """Lists what is wrong with rows, a line for each fault of each file.

    >>> print(listed_errors([RowError("a.tsv", 2, "no label", "Give it one."),
    ...     RowError("a.tsv", 5, "no label", "Give it one.")]))
    a.tsv, lines 2, 5: no label. Give it one.
    """
    faults: dict[tuple[str, str, str], list[int]] = {}
    for error in sorted(errors, key=lambda error: (error.path, error.line)):
        fault = (error.path, error.what, error.remedy)
        faults.setdefault(fault, []).append(error.line)
    return "\n".join(
        f"{path}, {named_lines(lines)}: {what}. {remedy}".rstrip()
        for (path, what, remedy), lines in faults.items()
    )
