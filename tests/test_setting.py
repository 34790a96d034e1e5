from dataclasses import dataclass, fields

import pytest

from siatl_keras.setting import SearchRange, check_given, check_settings, setting


@dataclass(frozen=True)
class Config:
    path: str = setting(None, "A file.")
    kind: str = setting("a", "A kind.", choices=("a", "b"))
    size: int | None = setting(None, "A size.", lower_bound=2)
    rate: float = setting(0.1, "A rate.", search=SearchRange(0.0, 1.0))


def test_a_field_says_all_there_is_to_say():
    by_name = {each.name: each for each in fields(Config)}
    assert by_name["kind"].default == "a"
    assert by_name["kind"].metadata["choices"] == ("a", "b")
    assert by_name["size"].metadata["help"] == "A size."
    assert by_name["rate"].metadata["search"] == SearchRange(0.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "c"}, r"`kind` must be one of \['a', 'b'\]. .*c"),
        ({"kind": None}, "`kind` must be given, 'a' by default"),
        ({"size": 1}, "size=1"),
        ({"size": 2.5}, "size=2.5"),
    ],
)
def test_wrong_values_are_refused_by_name(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_settings(Config(**arguments))


def test_right_values_pass():
    check_settings(Config(path="a", kind="b", size=2))


def test_all_that_is_missing_is_named():
    with pytest.raises(ValueError, match="`path`, `size` must be given"):
        check_given(Config(path=""), "path", "kind", "size")
