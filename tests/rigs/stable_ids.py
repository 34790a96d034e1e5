"""Names of parameters that are the same in every process, for pytest-xdist."""

import re


def stable(value):
    """Returns `str(value)` without the address of an object."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))
