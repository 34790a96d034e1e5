"""The package as pip installs it: a wheel, its command, a folder far from the clone."""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import siatl_keras
from siatl_keras.extras import EXTRAS

REPOSITORY = Path(__file__).parents[1]
PARTS = ("siatl_keras", "recipes", "saved_models", "pyproject.toml", "README.md")
ROWS = ["so glad today\tgood", "what an awful day\tbad", "i love it\tgood"] * 10
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder that a wheel has been installed into, nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    for name in PARTS:  # Else the clone would have what building leaves.
        ignored = shutil.ignore_patterns("__pycache__")
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, folder / "source" / name, ignore=ignored)
        else:
            shutil.copy(REPOSITORY / name, folder / "source" / name)
    build = ("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    subprocess.run([*PIP, *build, folder / "source"], check=True)
    (wheel,) = folder.glob("siatl_keras-*.whl")
    into = ("install", "--no-deps", "--target", folder / "site", wheel)
    subprocess.run([*PIP, *into], check=True)
    return folder / "site"


@pytest.fixture
def python(installed, tmp_path):
    """Runs Python where the package is what has been installed."""

    def run(*arguments, check=True):
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(installed),
                "KERAS_HOME": str(tmp_path),
            },
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def siatl(python, installed):
    return functools.partial(python, installed / "bin" / "siatl")


@pytest.fixture
def core(python, tmp_path):
    """The recipes where no extra is installed."""
    packages = dict.fromkeys(EXTRAS)
    script = tmp_path / "core.py"
    script.write_text(
        "import importlib.abc, runpy, sys\n"
        "class Missing(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path, target=None):\n"
        f"        if name in {list(packages)}:\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
        "import siatl\n"
        "sys.argv[1:2], name = [], sys.argv[1]\n"
        "runpy.run_module(f'siatl.{name}', run_name='__main__', alter_sys=True)\n"
    )
    return functools.partial(python, script)


def files_under(folder):
    return {
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_page_of_the_demo_is_in_it(installed):
    files = {path.name for path in (installed / "siatl_keras" / "demo").iterdir()}
    assert {"page.html", "page.js", "page.css"} <= files


def test_a_wheel_has_all_that_the_repository_runs_on(installed):
    top = {path.name for path in installed.iterdir() if "dist-info" not in path.name}
    assert top == {"bin", "siatl", "siatl_keras"}
    library = files_under(REPOSITORY / "siatl_keras")
    model = Path("saved_models", "tweets_lstm_small_en")
    library |= {model / path for path in files_under(REPOSITORY / model)}
    assert files_under(installed / "siatl_keras") == library
    assert files_under(installed / "siatl") == files_under(REPOSITORY / "recipes")


def test_what_is_imported_is_installed_and_not_the_clone(installed, python):
    ask = "import siatl_keras as s; print(s.__file__, s.__version__)"
    said = python("-c", ask).stdout.split()
    path = installed / "siatl_keras" / "__init__.py"
    assert said == [str(path), siatl_keras.__version__]
    assert path.with_name("py.typed").is_file()


def test_the_command_lists_the_recipes_and_runs_them(siatl):
    listed = siatl().stdout
    assert "  finetune " in listed and "  fetch-model " in listed
    assert "common" not in listed and "__main__" not in listed
    done = siatl("finetune", "--help", check=False)
    assert "--train" in done.stdout
    done = siatl("fine-tune", check=False)
    assert done.returncode == 1 and "no command 'fine-tune'" in done.stderr
    done = siatl("predict", "--model=nowhere", check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr


def test_what_is_installed_fine_tunes_the_shipped_model_and_answers(siatl, tmp_path):
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + "\n".join(ROWS) + "\n")
    how = ("--lm=tweets_lstm_small_en", "--epochs=1", "--sampled_words=64")
    siatl("finetune", "--train=train.tsv", "--output=run", *how)
    answers = siatl("predict", "--model=run/model", "--input=train.tsv").stdout
    siatl("export", "--model=run/model", "--output=served")
    assert (tmp_path / "served" / "1" / "saved_model.pb").is_file()
    lines = answers.splitlines()
    assert len(lines) == len(ROWS) + 1
    assert lines[1].split("\t")[:2] == ["so glad today", "good"]


def test_without_extras_a_run_has_all_but_pictures(core, tmp_path):
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + "\n".join(ROWS) + "\n")
    how = ("--lm=tweets_lstm_small_en", "--epochs=1", "--sampled_words=64")
    done = core("finetune", "--train=train.tsv", "--output=run", *how)
    assert (
        'no pictures: matplotlib is not installed, pip install "siatl_keras[plots]"'
        in (done.stdout)
    )
    files = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"report.html", "report.txt", "predictions.tsv", "metrics.json"} <= files
    assert not {"training.png", "confusion.png", "doubtful_labels.tsv"} & files
    page = (tmp_path / "run" / "report.html").read_text("utf-8")
    assert "least confidence" in page and "<svg" not in page  # Tables are no pictures.
    answers = core("predict", "--model=run/model", "--input=train.tsv").stdout
    assert len(answers.splitlines()) == len(ROWS) + 1
    done = core("explain", "--models=run/model", "--texts=so glad", "--output=seen")
    assert [path.name for path in (tmp_path / "seen").glob("attention*")] == [
        "attention.html"
    ]
    done = core("export", "--model=run/model", "--output=served")
    assert 'pip install "siatl_keras[serving]"' in done.stderr
    assert (tmp_path / "served" / "1" / "saved_model.pb").is_file()


@pytest.mark.parametrize(
    ("recipe", "extra"),
    [
        (("tune", "--train=train.tsv", "--output=tuned"), "tune"),
        (("fetch_model", "--name=smollm2_135m"), "gguf"),
        (("fetch_model", "--name=smollm2_135m_base"), "hub"),
        (("import_gguf_lm", "--checkpoint=model.gguf", "--output=lm"), "gguf"),
        (("finetune", "--train=train.xlsx", "--output=run"), "tables"),
    ],
)
def test_a_missing_extra_is_named_in_one_line(core, tmp_path, recipe, extra):
    for name in ("train.tsv", "model.gguf", "train.xlsx"):
        (tmp_path / name).write_text("text\tlabel\n" + "\n".join(ROWS) + "\n")
    done = core(*recipe, check=False)
    assert done.returncode == 1
    assert f'pip install "siatl_keras[{extra}]"' in done.stderr
    assert "Traceback" not in done.stderr
