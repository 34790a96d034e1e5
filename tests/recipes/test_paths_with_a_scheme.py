"""Every recipe refuses a path with a scheme; one process asks all of them."""

import json
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[2] / "recipes"
TRAINING = ["--train=a.tsv", "--validation=b.tsv", "--lm=lm", "--output=o"]
PRETRAINING = ["--train=a.txt", "--validation=b.txt", "--vocabulary=v"]
TOKENIZING = ["--corpus=a.txt", "--vocabulary=v", "--output=o"]
# A recipe, its flags, and which of them is refused.
CASES = [
    ("build_vocabulary", ["--corpus=a.txt", "--output=gs://b/x"], "output"),
    ("build_vocabulary", ["--corpus=a.txt", "--corpus=s3://b", "--output=o"], "corpus"),
    ("demo", ["--model=gs://b/m"], "models"),
    ("distill", [*TRAINING, "--teacher=gs://b/m"], "teacher"),
    ("distill", [*TRAINING, "--teacher=m", "--texts=s3://b/x.txt"], "texts"),
    ("evaluate", ["--model=m", "--data=s3://b/x.tsv", "--output=o"], "data"),
    ("evaluate", ["--model=gs://b/m", "--data=x.tsv", "--output=o"], "model"),
    ("explain", ["--models=m,s3://b/m", "--texts=a", "--output=o"], "models"),
    ("export", ["--model=m", "--output=gs://b/x"], "output"),
    ("fetch_data", ["--name=scv2", "--output=gs://b/x"], "output"),
    ("fetch_data", ["--name=scv2", "--sources=s3://b/x"], "sources"),
    ("finetune", [*TRAINING, "--output=gs://b/x"], "output"),
    ("finetune", [*TRAINING, "--train=gs://b/x.tsv"], "train"),
    ("finetune", [*TRAINING, "--test=hf://b/x.tsv"], "test"),
    ("finetune", [*TRAINING, "--lm=gs://b/x"], "lm"),
    ("import_gguf_lm", ["--checkpoint=hf://a/b.gguf", "--output=o"], "checkpoint"),
    ("import_torch_lm", ["--checkpoint=a.pt", "--output=s3://b/x"], "output"),
    ("mix_corpora", ["--corpus=s3://b/a.txt", "--output=o"], "corpus"),
    ("predict", ["--model=m", "--input=gs://b/x.txt"], "input"),
    ("pretrain_lm", [*PRETRAINING, "--preset=gs://b", "--output=o"], "preset"),
    ("quickstart", ["--output=gs://b/x"], "output"),
    ("reproduce", ["--datasets=a", "--output=gs://b/x"], "output"),
    (
        "reproduce",
        ["--datasets=a", "--flags_folder=s3://b", "--output=o"],
        "flags_folder",
    ),
    ("tokenize_corpus", [*TOKENIZING, "--output=gs://b/x"], "output"),
    ("tokenize_corpus", [*TOKENIZING, "--corpus=s3://b/x.txt"], "corpus"),
    ("tune", [*TRAINING, "--output=gs://b/x"], "output"),
]
ASK = """
import json, os, runpy, sys
import recipes
said = []
for recipe, flags, _ in json.loads(sys.argv[1]):
    read, write = os.pipe()
    child = os.fork()  # Flags of two recipes do not go into one process.
    if not child:
        os.dup2(write, 1)
        os.dup2(write, 2)
        sys.argv = ["recipe", *flags]
        try:
            runpy.run_module(f"recipes.{recipe}", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            print(end, flush=True)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as file:
        said.append(file.read())
    os.waitpid(child, 0)
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def answers(run_python, tmp_path_factory):
    return json.loads(run_python(json.dumps(CASES), code=ASK).splitlines()[-1])


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_path_with_a_scheme_is_refused_in_one_line(answers, number):
    recipe, _, flag = CASES[number]
    lines = answers[number].splitlines()
    assert len(lines) == 1, recipe
    expected = f"Error: --{flag} must be a path on this machine. Received: "
    assert lines[0].startswith(expected), recipe


def test_every_recipe_is_asked():
    scripts = {
        path.stem for path in RECIPES.glob("*.py") if "common.run(" in path.read_text()
    }
    # `fetch_model` takes a name, and no path.
    assert {recipe for recipe, *_ in CASES} == scripts - {"common", "fetch_model"}
