"""The built wheel is enough: the package works in an environment without a clone."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import siatl_keras

REPOSITORY = Path(__file__).parents[1]
pytestmark = pytest.mark.slow
USE = """
import json
from pathlib import Path
import siatl_keras
from siatl_keras import models, text

tokenizer = text.WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "good", "bad"])
model = models.SiATLClassifier(
    models.LSTMBackbone(6, 8, hidden_dim=8, num_layers=1),
    preprocessor=models.SiATLPreprocessor(tokenizer),
    label_names=["no", "yes"],
)
plan = siatl_keras.plans.siatl()
model.compile(plan.optimizer(model, 1))
texts, labels = ["good", "bad"] * 8, ["yes", "no"] * 8
model.fit(texts, labels, epochs=1, callbacks=plan.callbacks(), verbose=0)
model.save_to_preset("preset")
again = models.SiATLClassifier.from_preset("preset")
assert again.predict_labels(texts) == model.predict_labels(texts)
siatl_keras.export.export_saved_model(model, "served")
targets = again.task.encode(siatl_keras.inputs.Column(labels, "y"))
report = again.task.report(targets, again.predict(texts, verbose=0))
print(json.dumps({
    "file": siatl_keras.__file__,
    "version": siatl_keras.__version__,
    "accuracy": report.accuracy,
    "typed": Path(siatl_keras.__file__).with_name("py.typed").is_file(),
}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built in a folder of links: building leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("siatl_keras", "pyproject.toml", "README.md"):
        (source / name).symlink_to(REPOSITORY / name)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, source]
    done = subprocess.run(build, capture_output=True, text=True)
    if "No matching distribution found for setuptools" in done.stderr:
        pytest.skip("no package index is reachable, from which to get setuptools")
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_module_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        str(path.relative_to(REPOSITORY))
        for path in (REPOSITORY / "siatl_keras").rglob("*.py")
    }
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == modules | {"siatl_keras/py.typed"}


def test_the_wheel_works_where_no_clone_is(wheel, tmp_path):
    python = tmp_path / "environment" / "bin" / "python"
    venv = [sys.executable, "-m", "venv", tmp_path / "environment"]
    subprocess.run(venv, check=True)
    install = [python, "-m", "pip", "install", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True)
    # The requirements are those of this environment; what stands in a .pth file there,
    # such as the way to this clone, is not followed from here.
    packages = Path(sysconfig.get_paths()["purelib"])
    own = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    Path(own, "requirements.pth").write_text(f"{packages}\n", "utf-8")
    (tmp_path / "elsewhere").mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-c", USE],
        cwd=tmp_path / "elsewhere",
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["file"].startswith(own)
    assert said["version"] == siatl_keras.__version__
    assert said["typed"] and 0 <= said["accuracy"] <= 1
