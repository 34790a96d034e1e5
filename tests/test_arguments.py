"""Checks of arguments: wrong values are refused by name, right ones pass."""

import numpy as np
import pytest

from siatl_keras.arguments import (
    check_at_least,
    check_choice,
    check_flag,
    check_positive,
    check_share,
    check_whole,
)

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (
            lambda value: check_whole(1, size=value),
            [1, 2**70, np.int8(3)],
            [0, -1, 1.0, "1", None, True, NAN, np.float32(2)],
        ),
        (
            lambda value: check_share(size=value),
            [0, 0.0, 0.999, np.float32(0.5)],
            [-1e-9, 1, 1.0, "0.5", None, NAN, False],
        ),
        (
            lambda value: check_positive(size=value),
            [1e-300, 1, np.float64(3)],
            [0, -1.0, NAN, INF, "1", None, True, 1j],
        ),
        (
            lambda value: check_at_least(1, size=value),
            [1, 1.0, 1e9],
            [0.999, NAN, INF, "1", None],
        ),
        (lambda value: check_flag(size=value), [True, False], [0, 1, "yes", None]),
        (
            lambda value: check_choice(("a", "b"), size=value),
            ["a", "b"],
            ["c", "", None, 1, ["a"]],
        ),
    ],
)
def test_wrong_values_are_refused_by_name_and_right_ones_pass(check, right, wrong):
    for value in right:
        check(value)
    for value in wrong:
        with pytest.raises(ValueError, match=r"^`size` must be .* Received: size="):
            check(value)


def test_the_first_wrong_one_of_several_is_named():
    with pytest.raises(ValueError, match="Received: b=1.5"):
        check_share(a=0.5, b=1.5, c=2.0)
