import re
import tomllib
from pathlib import Path

import pytest

from siatl_keras.extras import EXTRAS, MissingExtraError, is_installed, needed

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
# Packages whose distribution has another name.
DISTRIBUTIONS = {"tensorflow_serving": "tensorflow-serving-api"}


def test_each_package_is_of_the_extra_that_is_named():
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    for package, extra in EXTRAS.items():
        name = DISTRIBUTIONS.get(package, package)
        names = [re.split("[~>]", one)[0].replace("-", "_") for one in extras[extra]]
        assert name.replace("-", "_") in names


def test_what_is_not_installed_is_named_with_the_command(monkeypatch):
    assert is_installed("matplotlib")
    monkeypatch.setitem(EXTRAS, "no_such_package", "plots")
    assert not is_installed("no_such_package")
    with pytest.raises(MissingExtraError, match=r'pip install "siatl_keras\[plots\]"'):
        needed("no_such_package.part")
