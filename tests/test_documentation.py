"""What README and docs tell users to type is there, and runs."""

import re
import shlex
from pathlib import Path

import nbclient
import nbformat
import pytest

import siatl_keras
from siatl_keras.data import read_examples

REPOSITORY = Path(__file__).parents[1]
PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "BUILD.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),  # Those of the reference name modules.
]
SUPPORT_DESK = REPOSITORY / "recipes" / "data" / "support_desk"
# Fences, and commands within a line, which may be wrapped.
SNIPPETS = re.compile(r"```\w*\n(.*?)```|`([^`]+)`", re.DOTALL)
FLAGS = """
import importlib, sys
from absl import flags
importlib.import_module(f"recipes.{sys.argv[1]}")
given = [word.lstrip("-").partition("=")[0] for word in sys.argv[2:]]
known = {"flagfile", *flags.FLAGS, *(f"no{name}" for name in flags.FLAGS)}
assert set(given) <= known, set(given) - known
"""


def commands(page):
    """Lists the commands of recipes on a page: the recipe's name, and the flags."""
    for fence, line in SNIPPETS.findall(page.read_text("utf-8")):
        snippet = re.sub(r"\\\n", " ", fence) or " ".join(line.split())
        for command in re.findall(r"python -m recipes\.(.+)", snippet):
            recipe, *words = shlex.split(command.split(" | ")[0], comments=True)
            yield recipe, [word for word in words if word.startswith("--")]


COMMANDS = sorted({(r, *flags) for page in PAGES for r, flags in commands(page)})


def test_commands_are_found():
    recipes = {recipe for recipe, *_ in COMMANDS}
    assert {"finetune", "pretrain_lm", "reproduce", "explain"} <= recipes
    assert ("import_torch_lm", "--checkpoint=lm20m_70K.pt") in {c[:2] for c in COMMANDS}


@pytest.mark.parametrize("command", [c for c in COMMANDS if c[1:]], ids=lambda c: c[0])
def test_a_command_has_the_flags_that_it_is_shown_with(
    start_program, tmp_path, command
):
    script = tmp_path / "flags.py"
    script.write_text(FLAGS, "utf-8")
    start_program(script, *command)


def test_every_recipe_that_is_named_is_there():
    for recipe, *_ in COMMANDS:
        assert (REPOSITORY / "recipes" / f"{recipe}.py").is_file(), recipe


def python_blocks(page):
    return re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


@pytest.mark.slow
def test_the_first_example_of_the_readme_runs(run_python, tmp_path):
    # That of docs/keras_hub.md: `models/test_downloaded_presets.py`.
    block = python_blocks(REPOSITORY / "README.md")[0]
    examples = read_examples(SUPPORT_DESK / "train.tsv")
    rows = [row for row in range(400) if examples.labels[row] in ("billing", "account")]
    texts = [examples.texts[row] for row in rows]
    names = {"billing": "negative", "account": "positive"}
    labels = [names[examples.labels[row]] for row in rows]
    assert len(texts) > 50
    (tmp_path / "saved_models").mkdir()
    (tmp_path / "saved_models" / "tweets_lstm_small_en").symlink_to(
        REPOSITORY / "saved_models" / "tweets_lstm_small_en"
    )
    # Fewer epochs than the plan's, which are for a real run.
    assert "epochs=plan.epochs" in block
    script = (
        f"import os\nos.chdir({str(tmp_path)!r})\n"
        f"texts, labels = {texts[:32]!r}, {labels[:32]!r}\n"
        f"more_texts, more_labels = {texts[32:]!r}, {labels[32:]!r}\n"
        + block.replace("epochs=plan.epochs", "epochs=2, verbose=0")
    )
    printed = run_python(code=script)
    assert printed.splitlines()[-1] in ("['negative']", "['positive']")
    assert (tmp_path / "saved_models" / "mine" / "1" / "saved_model.pb").is_file()
    assert list((tmp_path / "runs" / "mine").rglob("events.out.tfevents*"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_other_pages_runs(page, start_program, tmp_path):
    if page.stem in ("README", "keras_hub"):
        pytest.skip("its example has a test of its own")
    for block in python_blocks(page):
        script = tmp_path / "block.py"
        script.write_text(block, "utf-8")
        start_program(script)


def test_the_reference_names_every_public_package():
    pages = (REPOSITORY / "docs" / "reference").glob("*.md")
    named = {
        name
        for page in pages
        for name in re.findall(r"^::: siatl_keras\.(\w+)$", page.read_text(), re.M)
    }
    assert named == {*siatl_keras.__all__} - {"__version__"}


NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))


def test_notebooks_show_what_they_printed():
    assert len(NOTEBOOKS) == 2
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        assert any(cell.get("outputs") for cell in cells)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(tmp_path, path, monkeypatch):
    notebook = nbformat.read(path, as_version=4)
    # As in a clone: the sample data is found from the notebook's folder.
    folder = tmp_path / "docs" / "notebooks"
    folder.mkdir(parents=True)
    (tmp_path / "recipes").symlink_to(REPOSITORY / "recipes")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    client = nbclient.NotebookClient(
        notebook, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()  # Raises what a cell raises.
    printed = [
        output["text"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stdout"
    ]
    assert any("served/1" in text for text in printed)
