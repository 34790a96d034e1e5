"""What --help prints: what is needed first, the rest by what it sets, none left out."""

import re
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[2] / "recipes"
PROGRAMS = sorted(
    path.stem
    for path in RECIPES.glob("[a-z]*.py")
    if 'if __name__ == "__main__":' in path.read_text("utf-8")
)
FLAG = re.compile(r"^  --(?:\[no\])?(\w+)", re.M)


def help_of(recipe, start_program, *words):
    return start_program("-m", f"recipes.{recipe}", *words, "--help")


def test_flags_of_finetune_are_in_groups_and_all_are_there(start_program):
    printed = help_of("finetune", start_program)
    groups = re.findall(r"^(\S[^\n]*):\n  --", printed, re.M)
    assert groups == ["Needed", "Data", "Model", "Training", "Stages and γ", "Output"]
    full = start_program("-m", "recipes.finetune", "--helpfull", check=False).stdout
    own = full.split("recipes/finetune.py:")[1].split("\n\n")[0]
    names = set(re.findall(r"^  --(?:\[no\])?(\w+)", own, re.M))
    shared = {"output", "overwrite", "seed", "devices", "mixed_precision"}
    assert set(FLAG.findall(printed)) == (names - {"train"}) | shared | {"show_trace"}
    assert "  --data=…, --train=…" in printed
    assert "Default: auto." in printed and "<attention|" not in printed
    assert max(map(len, printed.splitlines())) < 200
    texts = [line for line in printed.splitlines() if line.startswith("      ")]
    assert max(map(len, texts)) <= 88


@pytest.mark.parametrize("recipe", PROGRAMS)
def test_every_recipe_says_what_it_is_for_before_its_flags(recipe, start_program):
    printed = help_of(recipe, start_program, "--nonsense")
    docstring = (RECIPES / f"{recipe}.py").read_text("utf-8").split('"""')[1]
    assert printed.startswith(docstring.strip().splitlines()[0])
    assert "Always: --flagfile=FILE" in printed
    # A command that is shown in two lines can be copied.
    for line in docstring.splitlines():
        if line.endswith("\\"):
            assert line in printed
