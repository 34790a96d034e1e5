"""`read_flag_file`: the flags that a flag file sets, nested ones included."""

from __future__ import annotations

import os

from absl import flags


def read_flag_file(path: str | os.PathLike[str]) -> list[str]:
    """Lists a flag file's flags as absl reads them, one `--name=value` each.

    Args:
        path: the file.

    Raises:
        ValueError: if it, or one that it names, cannot be read.
    """
    try:
        return flags.FlagValues().read_flags_from_files(
            [f"--flagfile={os.fspath(path)}"]
        )
    except flags.Error as error:
        raise ValueError(f"{path}: {error}") from error


def flag_values(lines: list[str]) -> dict[str, str]:
    """Maps names to values; of a flag that is set twice, the last counts.

    Args:
        lines: `--name=value`; without a value, a switch.
    """
    pairs = (line.lstrip("-").partition("=") for line in lines)
    return {name: value for name, _, value in pairs}


def columns_of(values: dict[str, str]) -> tuple[str, str, str]:
    """Returns the columns that `read_examples` takes: text, label, second text.

    Args:
        values: what `flag_values` returns.
    """
    text, label = values.get("text_column", "text"), values.get("label_column", "label")
    return text, label, values.get("pair_column", "")
