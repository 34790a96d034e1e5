"""The flag files in recipes/flags are those of their recipes, and their values fit."""

import json
from pathlib import Path

import pytest

FLAGS = Path(__file__).parents[2] / "recipes" / "flags"
PRETRAINING = sorted(
    [*FLAGS.glob("tweets_*.flags"), *(FLAGS / "language_models").glob("*.flags")]
)
FINETUNING = sorted(set(FLAGS.glob("*.flags")) - set(PRETRAINING))
# Each file is parsed as the command line does it, and made a configuration.
PARSE = """
import importlib, json, sys
from absl import flags
from recipes import config_flags
from siatl_keras import workflows

recipe, config, paths = json.loads(sys.argv[1])
importlib.import_module(f"recipes.{recipe}")
config = getattr(workflows, config)
for path in paths:
    flags.FLAGS.unparse_flags()
    flags.FLAGS([recipe, f"--flagfile={path}", "--output=runs/test"])
    made = config_flags.config_from_flags(config)
    if recipe == "finetune" and made.method in workflows.METHOD_NAMES[:-2]:
        made.plan()
    print(path)
"""


@pytest.mark.parametrize(
    ("recipe", "config", "paths"),
    [
        ("finetune", "FinetuneConfig", FINETUNING),
        ("pretrain_lm", "PretrainConfig", PRETRAINING),
    ],
)
def test_shipped_flag_files_are_taken_by_their_recipe(
    run_python, recipe, config, paths
):
    assert paths
    names = list(map(str, paths))
    printed = run_python(json.dumps([recipe, config, names]), code=PARSE)
    assert printed.splitlines() == names
