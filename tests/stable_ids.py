"""Names of parameters that are the same in every process, as pytest-xdist wants them."""

import re


def stable(value):
    """Returns `str(value)` without the address of an object."""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))
