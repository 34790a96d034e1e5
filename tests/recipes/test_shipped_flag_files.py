"""Every flag file that is shipped says only what its recipe's flags can be."""

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FILES = sorted((REPOSITORY / "recipes" / "flags").rglob("*.flags"))
PARSE = """
import importlib, sys
from absl import flags
importlib.import_module(f"recipes.{sys.argv[1]}")
flags.FLAGS(["recipe", "--output=o", *(f"--flagfile={path}" for path in sys.argv[2:3])])
"""


def recipe_of(path):
    """Language models are pre-trained, classifiers fine-tuned."""
    return "pretrain_lm" if "--vocabulary" in path.read_text("utf-8") else "finetune"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_flag_file_parses(start_program, tmp_path, path):
    script = tmp_path / "parse.py"
    script.write_text(PARSE, "utf-8")
    start_program(script, recipe_of(path), path)


def test_a_mistyped_flag_does_not_parse(start_program, tmp_path):
    script, wrong = tmp_path / "parse.py", tmp_path / "wrong.flags"
    script.write_text(PARSE, "utf-8")
    wrong.write_text(FILES[-1].read_text("utf-8") + "--epoch=3\n", "utf-8")
    done = start_program(script, recipe_of(FILES[-1]), wrong, check=False)
    assert done.returncode and "Unknown command line flag 'epoch'" in done.stderr
