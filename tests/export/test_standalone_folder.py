"""Exports for LiteRT and ONNX, answered where there is no TensorFlow.

What a model reads of texts is compared in `standalone/test_read_texts.py`; here, what
it answers.
"""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from rigs import small_backbones as small
from siatl_keras.export import export_litert, export_onnx
from siatl_keras.export.standalone.answer import Classifier
from siatl_keras.models import (
    LSTMBackbone,
    SiATLClassifier,
    SiATLPreprocessor,
    learn_word_scores,
)
from siatl_keras.tasks import MultiLabel, Ordinal, Regression, SingleLabel
from siatl_keras.text import WordTokenizer

WORDS = ["so", "glad", "my", "flight", "is", "late", "what", "a", "day", "!", "not"]
VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", *WORDS]
TEXTS = [
    "so glad my flight",
    "",
    "What a DAY!!!",
    "never seen 😀 words",
    "not so glad " * 20,  # Longer than what is read.
    *[f"{word} day, not late" for word in WORDS],
]
FORMATS = {
    "litert": lambda model, folder: export_litert(model, folder, "float32"),
    "onnx": export_onnx,
}
# Refuses what a small server has not.
ANSWER = """
import json, sys

class Refused:
    def find_spec(self, name, path=None, target=None):
        package = name.partition(".")[0]
        if package in {"tensorflow", "keras", "keras_hub", "siatl_keras"}:
            raise ImportError(f"{name} is not here")

sys.meta_path.insert(0, Refused())
sys.path.insert(0, sys.argv[1])
from standalone.answer import Classifier
print(json.dumps(Classifier(threads=1).answer(json.loads(sys.argv[2]))))
"""


@pytest.fixture(params=sorted(FORMATS))
def export(request):
    return FORMATS[request.param]


def classifier(task=None, preprocessor=None, **head):
    keras.utils.set_random_seed(3)
    settings = {"sequence_length": 12, **(preprocessor or {})}
    model = SiATLClassifier(
        LSTMBackbone(len(VOCABULARY), embedding_dim=6, hidden_dim=8, num_layers=2),
        preprocessor=SiATLPreprocessor(WordTokenizer(VOCABULARY), **settings),
        task=task or SingleLabel(["no", "yes", "perhaps"]),
        **{"units": 5, **head},
    )
    return small.with_classes_apart(model)


def answers_of(run_python, path, texts):
    return json.loads(run_python(path, json.dumps(texts), code=ANSWER))


def check_answers(model, received, texts, tolerance=1e-5):
    expected = model.task.answer_rows(model.predict(texts, verbose=0))
    assert len(received) == len(expected)
    for row, wanted in zip(received, expected, strict=True):
        assert row.keys() == wanted.keys()
        for name, value in wanted.items():
            if name in ("label", "labels"):
                assert row[name] == value
            else:
                assert row[name] == pytest.approx(value, abs=tolerance, rel=1e-5)


def test_answers_are_those_of_the_model(export, tmp_path, run_python):
    model = classifier()
    received = answers_of(run_python, export(model, tmp_path), TEXTS)
    check_answers(model, received, TEXTS)
    assert len({row["label"] for row in received}) > 1


def test_words_beyond_what_the_language_model_reads_count(export, tmp_path, run_python):
    preprocessor = {"long_texts": "words", "sequence_length": 4}
    model = classifier(preprocessor=preprocessor, word_scores=True)
    texts = [f"{word} " * 3 + "not late " * 4 for word in WORDS]
    labels = ["no", "yes", "perhaps"] * 4
    learn_word_scores(model, texts, labels[:11], (texts, labels[:11]))
    assert model.word_scores.share > 0.1
    received = answers_of(run_python, export(model, tmp_path), texts)
    check_answers(model, received, texts)
    cut = [" ".join(text.split()[:3]) for text in texts]
    assert answers_of(run_python, tmp_path / "1", cut)[0] != received[0]


def test_a_transformer_with_byte_pairs(export, tmp_path, run_python):
    preprocessor = SiATLPreprocessor(small.small_tokenizer("Qwen"), 16)
    model = SiATLClassifier(small.small_backbone("Qwen"), 2, preprocessor)
    texts = [*small.TEXTS, "the good day " * 9, ""]
    received = answers_of(run_python, export(model, tmp_path), texts)
    check_answers(model, received, texts)


@pytest.mark.slow
@pytest.mark.parametrize(
    "task",
    [
        MultiLabel(["a", "b", "c"]),
        Ordinal([1, 2, 3, 4]),
        Regression.from_labels([30, 20, 40, 10]),
        SingleLabel(["no", "yes"]).abstaining(0.6),
    ],
    ids=["several labels", "levels", "numbers", "abstaining"],
)
def test_every_task(task, export, tmp_path, run_python):
    model = classifier(task)
    received = answers_of(run_python, export(model, tmp_path), TEXTS)
    check_answers(model, received, TEXTS)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", "last", "concat"])
def test_every_pooling(pooling, export, tmp_path, run_python):
    model = classifier(pooling=pooling)
    check_answers(model, answers_of(run_python, export(model, tmp_path), TEXTS), TEXTS)


@pytest.mark.slow
def test_long_texts_in_windows(tmp_path, run_python):
    model = classifier(preprocessor={"long_texts": "windows", "max_windows": 4})
    received = answers_of(run_python, export_onnx(model, tmp_path), TEXTS)
    check_answers(model, received, TEXTS)
    with pytest.raises(ValueError, match=r"LiteRT cannot.*windows.*ONNX"):
        export_litert(model, tmp_path)


@pytest.mark.slow
def test_pairs(export, tmp_path, run_python):
    model = classifier(preprocessor={"pairs": True})
    pairs = list(zip(TEXTS, reversed(TEXTS), strict=True))
    received = answers_of(run_python, export(model, tmp_path), pairs)
    check_answers(model, received, pairs)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["GPT2", "Llama3", "SmolLM3"])
def test_families_with_byte_pairs(family, export, tmp_path, run_python):
    preprocessor = SiATLPreprocessor(small.small_tokenizer(family), 16)
    model = SiATLClassifier(small.small_backbone(family), 2, preprocessor)
    received = answers_of(run_python, export(model, tmp_path), small.TEXTS)
    check_answers(model, received, small.TEXTS)


def test_any_number_of_texts_is_answered_and_no_other_thing(export, tmp_path):
    model = classifier()
    answering = Classifier(export(model, tmp_path))
    assert answering.answer([]) == []
    for count in (1, 7, 8, 9, 35):
        texts = (TEXTS * 3)[:count]
        check_answers(model, answering.answer(texts), texts)
    with pytest.raises(ValueError, match=r"Row 2 must be a string.*nan"):
        answering.answer(["so glad", float("nan")])
    with pytest.raises(ValueError, match=r"must be a list of texts.*so glad"):
        answering.answer("so glad")


def test_the_folder_answers_from_a_command_line(tmp_path):
    model = classifier()
    path = export_litert(model, tmp_path, model_card="# Moods\n")
    for arguments, lines in ((TEXTS[:3], ""), ([], "\n".join(TEXTS[:3]))):
        done = subprocess.run(
            [sys.executable, "-m", "standalone", *arguments],
            cwd=path,
            input=lines,
            capture_output=True,
            text=True,
            check=True,
        )
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        check_answers(model, rows, TEXTS[:3], tolerance=0.02)
    assert (tmp_path / "1" / "README.md").read_text() == "# Moods\n"
    assert export_litert(model, tmp_path) == str(tmp_path / "2")
    assert not list(tmp_path.glob(".partial-*"))


def test_sentence_pieces_are_refused_before_anything_is_written(export, tmp_path):
    preprocessor = SiATLPreprocessor(small.small_tokenizer("Llama"), 16)
    model = SiATLClassifier(small.small_backbone("Llama"), 2, preprocessor)
    with pytest.raises(ValueError, match=r"LlamaTokenizer.*SavedModel"):
        export(model, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_computes_in_half_precision_is_refused(export, tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = classifier()
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match=r'bfloat16.*dtype="float32"'):
        export(model, tmp_path)


def test_no_classifier_and_no_preprocessor_are_refused(export, tmp_path):
    with pytest.raises(ValueError, match="must be a `SiATLClassifier`"):
        export(keras.Sequential(), tmp_path)
    bare = SiATLClassifier(LSTMBackbone(5, 4, 4, 1), num_classes=2)
    with pytest.raises(ValueError, match="needs a preprocessor"):
        export(bare, tmp_path)


def test_weights_of_whole_numbers_take_a_quarter(tmp_path, run_python):
    keras.utils.set_random_seed(0)
    model = SiATLClassifier(
        LSTMBackbone(len(VOCABULARY), 128, hidden_dim=256, num_layers=2),
        preprocessor=SiATLPreprocessor(WordTokenizer(VOCABULARY)),
        label_names=["no", "yes"],
    )
    small.with_classes_apart(model)
    sizes, texts = {}, TEXTS[:4]
    exact = np.array(model.predict_proba(texts, verbose=0))
    for weights, tolerance in (("float32", 1e-5), ("float16", 0.002), ("int8", 0.03)):
        path = export_litert(model, tmp_path, weights)
        rows = answers_of(run_python, path, texts)
        received = [list(row["probabilities"].values()) for row in rows]
        np.testing.assert_allclose(received, exact, atol=tolerance)
        sizes[weights] = (tmp_path / path / "model.tflite").stat().st_size
    assert sizes["int8"] < 0.35 * sizes["float32"]
    assert sizes["float16"] < 0.6 * sizes["float32"]


def test_other_weights_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"`weights`.*int8.*int4"):
        export_litert(classifier(), tmp_path, "int4")
