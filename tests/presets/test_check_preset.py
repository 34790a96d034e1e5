"""Presets from strangers: what is refused, by which name, and what must not happen."""

import json
import shutil
import sys
import time

import h5py
import keras
import numpy as np
import pytest

from benchmarks.robustness.presets import made_presets, new_classifier, run
from siatl_keras.compat import keras_hub_presets
from siatl_keras.models import LSTMBackbone, LSTMCausalLM, SiATLClassifier
from siatl_keras.models import backbone_class as class_of_backbone
from siatl_keras.presets.check_preset import named_errors

LOAD = {
    "lm": LSTMCausalLM.from_preset,
    "classifier": SiATLClassifier.from_preset,
    "gpt2": new_classifier,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets")
    made_presets(folder)
    return folder


@pytest.fixture
def preset(whole, tmp_path):
    """Copies a preset to a folder that may be damaged."""

    def copy(name, task=True):
        folder = shutil.copytree(whole / name, tmp_path / name)
        if not task:
            (folder / "task.json").unlink()  # The backbone is then config.json's.
        return folder

    return copy


def changed(path, change):
    """Rewrites a JSON file."""
    value = json.loads(path.read_bytes())
    change(value)
    path.write_text(json.dumps(value))


def refusal(name, folder):
    """Loads a preset that must be refused, at once, and returns the message."""
    begin = time.monotonic()
    with pytest.raises(ValueError) as error:
        LOAD[name](str(folder))
    assert time.monotonic() - begin < 10
    message = str(error.value)
    assert message.startswith(str(folder)), message
    return message.removeprefix(f"{folder}/")


@pytest.mark.slow
def test_damaged_presets_are_answered_or_refused_in_words(tmp_path):
    result = run(20, tmp_path, seed=5)
    assert result["faults"] == [] and result["slow"] == {}
    assert result["answered"] > 0 and result["refused"] > 0


FOREIGN = {
    "a class of Keras's that unpickles": ("keras.layers", "TorchModuleWrapper"),
    "one that loads another model": ("keras.layers", "TFSMLayer"),
    "a function of another package": ("os", "system"),
    "a stranger's module": ("stranger_of_the_test", "Backbone"),
    "an unregistered class of KerasHub's": ("keras_hub.src.utils.tensor_utils", "x"),
    "a lambda": (None, "__lambda__"),
    "a type": (None, "__typespec__"),
}
PLACES = {
    "config.json": lambda config: config["config"],
    "tokenizer.json": lambda config: config["config"],
    "preprocessor.json": lambda config: config["config"]["tokenizer"]["config"],
    "task.json": lambda config: config["config"]["backbone"]["config"],
}


@pytest.mark.parametrize("file", PLACES)
@pytest.mark.parametrize(("module", "name"), FOREIGN.values(), ids=FOREIGN)
def test_foreign_classes_are_refused_before_anything_is_imported(
    module, name, file, preset, tmp_path, monkeypatch
):
    (tmp_path / "stranger_of_the_test.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    folder = preset("classifier")
    foreign = {"module": module, "class_name": name, "config": {}}
    changed(folder / file, lambda c: PLACES[file](c).update(dtype=foreign))
    message = refusal("classifier", folder)
    assert message.startswith(f"{file}, `config.")
    assert f"names the class '{name}'" in message and "nothing was imported" in message
    assert "stranger_of_the_test" not in sys.modules


def test_the_whole_config_cannot_be_a_foreign_class_either(preset):
    folder = preset("lm")
    wrapper = {
        "module": "keras.layers",
        "class_name": "TorchModuleWrapper",
        "registered_name": "TorchModuleWrapper",
        "config": {"module": "gASV"},
    }
    (folder / "config.json").write_text(json.dumps(wrapper))
    for load in (
        LSTMCausalLM.from_preset,
        class_of_backbone,
        keras_hub_presets.load_backbone,
        keras_hub_presets.load_tokenizer,
        lambda path: SiATLClassifier.from_preset(path, num_classes=2),
    ):
        with pytest.raises(ValueError, match="config.json: names the class 'Torch"):
            load(str(folder))


def test_a_class_of_the_user_s_own_is_loaded_once_it_is_registered(preset):
    @keras.saving.register_keras_serializable(package="own")
    class OwnBackbone(LSTMBackbone):
        pass

    folder = preset("lm")
    changed(
        folder / "config.json", lambda c: c.update(registered_name="own>OwnBackbone")
    )
    assert class_of_backbone(str(folder)) is OwnBackbone


@pytest.mark.parametrize(
    ("name", "file", "fields"),
    [
        ("lm", "config.json", {"vocabulary_size": 10**9}),
        ("lm", "config.json", {"embedding_dim": 10**9}),
        ("lm", "config.json", {"hidden_dim": 10**9}),
        ("lm", "config.json", {"num_layers": 10**9}),
        ("gpt2", "config.json", {"vocabulary_size": 10**9}),
        ("gpt2", "config.json", {"num_layers": 10**6}),
        ("gpt2", "config.json", {"intermediate_dim": 10**9}),
        ("classifier", "task.json", {"units": 10**8}),
    ],
    ids=str,
)
def test_sizes_that_the_weights_do_not_bear_out_are_refused_at_once(
    name, file, fields, preset
):
    folder = preset(name)
    changed(folder / file, lambda config: config["config"].update(fields))
    ((field, value),) = fields.items()
    assert refusal(name, folder).startswith(f"{file}, `config.{field}` is {value}, but")


def test_sizes_that_are_too_much_together_are_refused_before_they_are_allocated(preset):
    folder = preset("lm", task=False)
    # A long axis in the weights makes each size alone possible.
    with h5py.File(folder / "model.weights.h5", "a") as file:
        file["long"] = np.zeros(200_000, "int8")
    sizes = {"vocabulary_size": 400_000, "embedding_dim": 400_000}
    changed(folder / "config.json", lambda config: config["config"].update(sizes))
    message = refusal("lm", folder)
    assert message.startswith("config.json: its sizes ask for more than the weights")


def test_positions_without_weights_are_refused_too(preset):
    folder = preset("gpt2", task=False)
    sizes = {"max_sequence_length": 2_000_000_000}
    changed(folder / "config.json", lambda config: config["config"].update(sizes))
    assert "ask for more than the weights" in refusal("gpt2", folder)


@pytest.mark.parametrize(
    ("file", "field", "value", "message"),
    [
        ("config.json", "hidden_dim", "8", "a whole number expected. Found: '8'"),
        ("config.json", "hidden_dim", True, "a whole number expected. Found: True"),
        ("config.json", "hidden_dim", -3, "a whole number expected. Found: -3"),
        ("config.json", "input_dropout", "a", "a number that is not negative"),
        ("config.json", "name", 3, "a text expected"),
        ("task.json", "label_names", "yes", "a list of texts expected"),
        ("task.json", "label_names", [1, 2], "a list of texts expected"),
        ("task.json", "backbone", [], "an object expected. Found: a list"),
        ("task.json", "units", 2.5, "a whole number expected. Found: 2.5"),
        ("preprocessor.json", "sequence_length", "x", "a whole number expected"),
        (
            "preprocessor.json",
            "config_file",
            "../../x.json",
            "the plain name of a JSON",
        ),
        ("tokenizer.json", "config_file", "/etc/x.json", "the plain name of a JSON"),
        ("tokenizer.json", "vocabulary", "/etc/passwd", "null, since it lies in"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(file, field, value, message, preset):
    folder = preset("classifier")
    changed(folder / file, lambda config: config["config"].update({field: value}))
    received = refusal("classifier", folder)
    assert received.startswith(f"{file}, `config.{field}`: {message}"), received


def test_a_missing_field_is_named(preset):
    folder = preset("lm", task=False)
    changed(folder / "config.json", lambda config: config["config"].pop("hidden_dim"))
    assert "'hidden_dim'" in refusal("lm", folder)


def test_deep_json_and_no_json_are_refused_by_name(preset):
    folder = preset("lm")
    for text in ("[" * 100_000, "{", "[]", "\x00", '{"registered_name": 3}', ""):
        (folder / "config.json").write_text(text)
        assert refusal("lm", folder).startswith("config.json")


@pytest.mark.parametrize("file", ["config.json", "model.weights.h5", "vocabulary.txt"])
def test_links_out_of_the_preset_are_not_followed(file, preset, tmp_path):
    folder = preset("lm")
    (path,) = folder.rglob(file)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert f"{file}: a link to a file outside of its preset" in refusal("lm", folder)


def rewritten(folder, change):
    with h5py.File(folder / "model.weights.h5", "a") as file:
        names = []
        file.visititems(
            lambda name, node: names.append(name) if hasattr(node, "shape") else None
        )
        name = max(names, key=lambda name: file[name].size)
        del file[name]
        change(file, name)
    return name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda file, name: file.create_dataset(name, (10**7, 10**5), "f4"),
            "says that it has the shape (10000000, 100000)",
        ),
        (
            lambda file, name: file.create_dataset(
                name, (10, 4), "f4", external=[("/etc/passwd", 0, 160)]
            ),
            "lies in another file",
        ),
        (lambda file, name: file.create_dataset(name, data="x"), "numbers expected"),
    ],
    ids=["empty", "external", "text"],
)
def test_weights_that_are_not_there_are_refused_by_name(change, message, preset):
    folder = preset("lm")
    name = rewritten(folder, change)
    received = refusal("lm", folder)
    assert received.startswith(f"model.weights.h5, `{name}`") and message in received


def test_weights_of_another_shape_are_refused_by_the_file_s_name(preset):
    folder = preset("lm")
    rewritten(
        folder, lambda file, name: file.create_dataset(name, data=np.ones((3, 4)))
    )
    assert refusal("lm", folder).startswith("model.weights.h5: cannot be loaded")


def test_files_that_are_missing_in_a_preset_are_named(preset):
    folder = preset("gpt2")
    (folder / "assets" / "tokenizer" / "merges.txt").unlink()
    message = refusal("gpt2", folder)
    assert "tokenizer.json" in message and "assets/tokenizer/merges.txt" in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda words: words.update(day=10**9), "`day`: an id from 0 to"),
        (lambda words: words.update(day=-1), "`day`: an id from 0 to"),
        (lambda words: words.update(day=1.5), "`day`: an id from 0 to"),
        (lambda words: words.update(day=0), "`day`: its id 0 is also that of"),
    ],
    ids=["huge", "negative", "fraction", "twice"],
)
def test_ids_outside_of_the_embedding_are_refused_by_token(change, message, preset):
    folder = preset("gpt2")
    changed(folder / "assets" / "tokenizer" / "vocabulary.json", change)
    received = refusal("gpt2", folder)
    assert received.startswith(f"assets/tokenizer/vocabulary.json, {message}"), received


@pytest.mark.parametrize("line", [b"d", b"d a y", b"d zz", b"g a", b"\xff a"], ids=repr)
def test_merges_that_are_no_pairs_of_tokens_are_refused_by_line(line, preset):
    folder = preset("gpt2")
    merges = folder / "assets" / "tokenizer" / "merges.txt"
    merges.write_bytes(b"d a\n" + line + b"\n")
    assert refusal("gpt2", folder).startswith("assets/tokenizer/merges.txt, line 2: ")


def test_more_words_than_the_embedding_has_rows_are_refused(preset):
    folder = preset("lm")
    with (folder / "assets" / "tokenizer" / "vocabulary.txt").open("a") as file:
        file.write("new\n")
    message = refusal("lm", folder)
    assert "vocabulary.txt: 11 words, but the embedding has 10 rows" in message


def test_a_preset_of_another_family_is_refused_by_both_names(whole):
    with pytest.raises(ValueError, match="LSTMCausalLM needs a LSTMBackbone.*GPT2"):
        LSTMCausalLM.from_preset(str(whole / "gpt2"))


@pytest.mark.parametrize(
    "error",
    [
        TypeError("x"),
        KeyError("x"),
        AttributeError("x"),
        EOFError("x"),
        OSError("unable to open"),
        FileNotFoundError(2, "no", "asset"),
        RecursionError("x"),
        UnicodeDecodeError("utf-8", b"a", 0, 1, "x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_is_raised_becomes_a_value_error_with_the_file_s_name(error):
    message = f"p/file.json: .*{type(error).__name__}"
    with (
        pytest.raises(ValueError, match=message) as e,
        named_errors("p/file.json", "p"),
    ):
        raise error
    assert e.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [PermissionError(13, "denied"), OSError(28, "disk full"), ImportError("torch")],
    ids=repr,
)
def test_what_is_not_the_preset_s_fault_stays_as_it_is(error):
    with pytest.raises(type(error)) as received, named_errors("p/file.json", "p"):
        raise error
    assert received.value is error
