import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "siatl_keras"

# Who may import whom. Modules beside the packages that all may use: these.
FOR_ALL = {
    "extras",
    "_version",
    "compat",
    "arguments",
    "atomic",
    "checksums",
    "local_path",
    "locks",
    "presets",
    "setting",
    "workers",
}
MAY_IMPORT = {
    "callbacks": {"optimizers"},
    "data": set(),
    "demo": {"data", "evaluation", "models", "runs"},
    "distribute": set(),
    "evaluation": set(),
    "export": {"layers", "models", "text"},
    "heads": {"layers"},
    "importers": {"models", "runs", "text"},
    "inputs": {"data"},
    "layers": set(),
    "losses": set(),
    "metrics": {"losses"},
    "models": {
        "callbacks",
        "data",
        "heads",
        "inputs",
        "layers",
        "losses",
        "metrics",
        "optimizers",
        "tasks",
        "text",
    },
    "optimizers": set(),
    "plans": {"callbacks", "optimizers"},
    "runs": {
        "callbacks",
        "data",
        "evaluation",
        "heads",
        "inputs",
        "layers",
        "models",
        "optimizers",
        "plans",
        "tasks",
        "text",
    },
    "tasks": {"data", "evaluation", "inputs", "losses", "metrics"},
    "text": {"data"},
}

# Parts of something larger, which is what the tests are of.
TESTED_ELSEWHERE = {
    "callbacks/main_measure.py",
    "callbacks/read_arrays.py",
    "callbacks/training_state.py",
    "callbacks/wait_for_data.py",
    "data/epoch_counter.py",
    "data/excerpt.py",
    "data/marker_ids.py",
    "data/one_line.py",
    "data/visible_form.py",
    "demo/answering.py",
    "evaluation/attention_map.py",
    "evaluation/figure.py",
    "export/litert.py",
    "export/onnx.py",
    "export/served.py",
    "export/serving_warmup.py",
    "export/standalone/__main__.py",
    "export/standalone/answer.py",
    "export/standalone/runtimes.py",
    "export/versions.py",
    "heads/attention_pooling.py",
    "heads/concat_pooling.py",
    "heads/last_pooling.py",
    "heads/last_real_step.py",
    "heads/linear_block.py",
    "heads/mean_pooling.py",
    "heads/task_head.py",
    "importers/architectures.py",
    "importers/checkpoint_fields.py",
    "importers/checkpoint_model.py",
    "importers/gguf_header.py",
    "importers/torch/legacy_format.py",
    "importers/torch/write_checkpoint.py",
    "importers/torch/zip_format.py",
    "inputs/batches.py",
    "inputs/column.py",
    "inputs/labelled_texts.py",
    "inputs/plain_texts.py",
    "inputs/refusals.py",
    "inputs/rows.py",
    "layers/embedding_dropout.py",
    "layers/lstm_inference.py",
    "layers/lstm_kernel.py",
    "layers/token_embedding.py",
    "locks.py",
    "losses/label_crossentropy.py",
    "losses/real_tokens.py",
    "losses/task_scores.py",
    "losses/output_weights.py",
    "models/backbone_class.py",
    "models/causal_backbone.py",
    "models/fit_preparation.py",
    "models/from_language_model.py",
    "models/gradient_checkpointing.py",
    "models/joint_task.py",
    "models/learning_parts.py",
    "models/lstm_causal_lm_preprocessor.py",
    "models/objectives.py",
    "models/packing.py",
    "models/raw_text_batches.py",
    "models/token_names.py",
    "models/whole_model_saving.py",
    "optimizers/scheduled.py",
    "plans/plan.py",
    "plans/rate.py",
    "plans/settings.py",
    "presets/check_assets.py",
    "presets/check_config.py",
    "presets/check_inside.py",
    "presets/stored_weights.py",
    "runs/adapt_language_model.py",
    "runs/counted_words.py",
    "runs/explain.py",
    "runs/linear_baselines.py",
    "runs/predict.py",
    "runs/distill_config.py",
    "runs/run_data.py",
    "runs/held_out_answers.py",
    "runs/training.py",
    "runs/worker_output.py",
    "runs/pretrain_config.py",
    "runs/tokenize_config.py",
    "tasks/chosen_task.py",
    "tasks/label_thresholds.py",
    "tasks/sure_start.py",
    "tasks/task.py",
    "text/normalizer_rules.py",
}

HOW_IT_STARTS = """
import sys
import keras, keras_hub, numpy, tensorflow
before = set(sys.modules)
import siatl_keras
new = {name.partition(".")[0] for name in set(sys.modules) - before}
assert new - set(sys.stdlib_module_names) <= {"siatl_keras", "google"}, new
# Of these the libraries may have a part, and not what our own modules need of it.
for heavy in ("keras_tuner", "matplotlib.figure", "sklearn.linear_model"):
    assert heavy in before or heavy not in sys.modules, heavy
assert callable(siatl_keras.runs.finetune)
print(siatl_keras.__version__)
from siatl_keras import *
print(callbacks.GammaDecay.__name__, export.export_saved_model.__name__)
import keras
for name in ("LSTMBackbone", "LSTMCausalLM", "SiATLClassifier"):
    assert keras.saving.get_registered_object(f"siatl_keras>{name}"), name
print(distribute.strategy_from_devices("cpu:2").num_replicas_in_sync)
"""


def listed(*which):
    """Files that git names, by path."""
    found = subprocess.run(
        ["git", "ls-files", *which, "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )
    if found.returncode:
        pytest.skip("not a git checkout")
    return [REPOSITORY / name for name in found.stdout.split("\0") if name]


def tracked_files():
    """The files that git keeps, or would keep: not what it ignores."""
    return [path for path in listed("--cached", "--others") if path.is_file()]


def test_no_file_of_the_repository_is_ignored():
    # ruff passes over what git ignores.
    assert listed("--cached", "--ignored") == []


def requirements(lines):
    """Maps each requirement to its comment."""
    parts = [re.fullmatch(r'\s*"?([^"#]+?)"?,?\s*(?:#\s*(.+))?', li) for li in lines]
    return {part[1]: part[2] for part in parts}


def in_requirements_txt():
    lines = (REPOSITORY / "requirements.txt").read_text("utf-8").splitlines()
    return requirements(li for li in lines if li and not li.startswith("#"))


def in_pyproject():
    text = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    lines = re.findall(r'^ {4}"[^"]+(?:~=|>=).*$', text, re.MULTILINE)
    return requirements(lines)


def modules():
    """Every module of the package, and the part of it that it belongs to."""
    for path in sorted(PACKAGE.rglob("*.py")):
        part = path.relative_to(PACKAGE).with_suffix("").parts[0]
        yield path, part


def parts_imported(path):
    """The parts of the package that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            is_copied = path.parent.name == "standalone"  # Into another folder.
            assert node.level == 0 or is_copied, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] == "siatl_keras":
                yield [*name.split("."), ""][1]


def test_requirements_are_those_of_pyproject():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))[
        "project"
    ]
    extras = project["optional-dependencies"]
    expected = [*project["dependencies"]]
    own = project["optional-dependencies"]["all"][0]
    shown = re.fullmatch(r"siatl_keras\[(.+)\]", own)[1].split(",")
    for extra in (*shown, "test", "lint", "docs"):
        expected += extras[extra]
    assert list(in_requirements_txt()) == expected


def test_every_requirement_is_a_compatible_range_and_says_why():
    both = {**in_pyproject(), **in_requirements_txt()}
    assert in_pyproject().keys() == both.keys()
    for requirement, why in both.items():
        assert re.search(r"~=[\d.]+$|>=[\d.]+,<[\d.]+$", requirement)
        assert why, requirement


def test_imports_go_one_way():
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {imported}"
        for path, part in modules()
        for imported in parts_imported(path)
        if part in MAY_IMPORT and imported not in {part} | FOR_ALL | MAY_IMPORT[part]
    ]
    assert wrong == []


def test_every_part_of_the_package_has_its_rule():
    parts = {part for _, part in modules()}
    assert parts - FOR_ALL - {"__init__"} == set(MAY_IMPORT)


def test_text_knows_of_data_how_files_are_read_and_nothing_of_batches():
    known = ("siatl_keras.data.readers", "siatl_keras.data.untuned")
    for path in (PACKAGE / "text").glob("*.py"):
        for line in path.read_text("utf-8").splitlines():
            if "import" in line and "siatl_keras.data" in line:
                assert any(name in line for name in known)


def private_attributes(path):
    """Private names that a module takes from what it has not defined itself."""
    tree = ast.parse(path.read_text("utf-8"))
    own = {
        name
        for node in ast.walk(tree)
        for name in (
            [node.name] if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else []
        )
    }
    own |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("self", "cls")
        and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and re.match(r"_[^_]", node.attr):
            yield node.attr, node.attr in own


def test_private_keras_is_used_in_compat_only():
    private = re.compile(r"keras\.src|keras_hub\.src|tensorflow\.python")
    for path, part in modules():
        if part == "compat":
            continue
        assert not private.search(path.read_text("utf-8")), path
        foreign = [name for name, is_own in private_attributes(path) if not is_own]
        assert foreign == [], path


def test_every_part_of_compat_says_what_it_was_checked_against():
    for path in (PACKAGE / "compat").glob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in tree.body:
            if (
                isinstance(node, (ast.FunctionDef, ast.ClassDef))
                and node.name[0] != "_"
            ):
                source = ast.get_source_segment(path.read_text("utf-8"), node)
                if "._" in source or ".src" in source:
                    assert "Checked against" in source, f"{path}: {node.name}"


def test_every_module_has_its_mirror_or_is_named_here():
    lacking = set()
    for path, _ in modules():
        module = path.relative_to(PACKAGE)
        mirror = module.with_name(f"test_{module.name.lstrip('_')}")
        is_plain = module.name in ("__init__.py", "_version.py")
        if not is_plain and not (REPOSITORY / "tests" / mirror).is_file():
            lacking.add(module.as_posix())
    # Both ways: what has got its own tests leaves the list.
    assert lacking == TESTED_ELSEWHERE


def test_init_files_only_export():
    allowed = (ast.Import, ast.ImportFrom, ast.Assign, ast.Expr)
    for path in PACKAGE.rglob("__init__.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            # The one function: imports on demand.
            exports = getattr(node, "name", None) == "__getattr__"
            assert exports or isinstance(node, allowed), f"{path}, line {node.lineno}"


def test_no_source_file_is_too_long_to_read():
    long = {
        path.name: lines
        for path in tracked_files()
        if path.suffix == ".py"
        and (lines := len(path.read_text("utf-8").splitlines())) > 400
    }
    assert long == {}


def test_no_file_names_a_place_on_one_machine():
    absolute = re.compile(rb"(?<![\w.$])/(work|home|root|tmp|Users|mnt)/\w")
    found = [
        str(path.relative_to(REPOSITORY))
        for path in tracked_files()
        if path.suffix not in (".h5", ".png", ".gz")
        and path.name != "vertex.yaml"  # Which mounts shares there, everywhere.
        and absolute.search(path.read_bytes())
    ]
    assert found == []


def test_importing_the_package_registers_its_classes_and_starts_nothing(run_python):
    version, names, replicas = run_python(code=HOW_IT_STARTS).splitlines()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert names == "GammaDecay export_saved_model"
    assert replicas == "2"


def test_make_says_which_python_is_needed(tmp_path):
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes((REPOSITORY / name).read_bytes())
    # As on a machine whose only Python is too old: no candidate starts.
    done = subprocess.run(
        ["make", "setup", "PYTHON="], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stderr
    assert not (tmp_path / ".venv").exists()
