"""`geometric_decay`: the value of a quantity that falls by a constant factor.

Source: Chronopoulou et al. 2019, section 3: γ decays exponentially over the epochs.
"""

from __future__ import annotations


def geometric_decay(
    position: float, initial: float, final: float, length: float
) -> float:
    """Falls (or rises) geometrically from `initial` to `final`, then stays there.

    Args:
        position: how far training has come, counted from 0.
        initial: positive value at position 0.
        final: positive value at position `length - 1` and after it.
        length: number of positions from `initial` to `final`, both counted.

    Returns:
        the value, between `initial` and `final`.
    """
    if length <= 1 or position >= length - 1:
        return float(final)
    share = max(position, 0) / (length - 1)
    return float(initial * (final / initial) ** share)
