"""Presets with one random piece of damage: each is loaded, or refused in words.

Three small presets: a word-level language model, a classifier on one, and a GPT-2 of
KerasHub's. Damage hits any of their files; JSON files are also damaged as JSON, with a
field removed, renamed, or given a value of another kind.

    python -m benchmarks.robustness.presets
"""

import json
import shutil
import tempfile
from pathlib import Path

import keras
import keras_hub
import numpy as np

from benchmarks.robustness.outcomes import mutated, report, tally
from siatl_keras.models import (
    LSTMBackbone,
    LSTMCausalLM,
    LSTMCausalLMPreprocessor,
    SiATLClassifier,
    SiATLPreprocessor,
)
from siatl_keras.text import WordTokenizer

SEED = 20
TRIES = 300
WORDS = ["<pad>", "<s>", "</s>", "<unk>", "so", "glad", "what", "a", "day", "!"]
LETTERS = [*"abcdefghilmnoprstwy", "Ġ"]
MERGES = ["d a", "da y", "Ġ day", "g o", "o d", "go od", "Ġ good"]
# What a field may turn into.
VALUES = [None, True, -1, 0, 3, 10**9, 1e300, float("nan"), "", "x", [], [[]], {}, 0.5]


def made_presets(folder):
    """Saves the three presets.

    Args:
        folder: `Path` to save them in.

    Returns:
        dict of a path and a function that loads it, by name.
    """
    keras.utils.set_random_seed(SEED)
    tokenizer = WordTokenizer(WORDS)
    backbone = LSTMBackbone(len(WORDS), 4, hidden_dim=6, num_layers=2)
    lm = LSTMCausalLM(backbone, LSTMCausalLMPreprocessor(tokenizer, 12))
    classifier = SiATLClassifier(
        backbone,
        preprocessor=SiATLPreprocessor(tokenizer, 12),
        label_names=["no", "yes"],
        units=3,
    )
    words = ["<|endoftext|>", *LETTERS, *(m.replace(" ", "") for m in MERGES)]
    gpt2 = keras_hub.models.GPT2CausalLM(
        keras_hub.models.GPT2Backbone(
            len(words), 1, num_heads=2, hidden_dim=4, intermediate_dim=8
        ),
        keras_hub.models.GPT2CausalLMPreprocessor(
            keras_hub.models.GPT2Tokenizer(
                {word: number for number, word in enumerate(words)}, MERGES
            ),
            sequence_length=12,
        ),
    )
    presets = {
        "lm": (lm, LSTMCausalLM.from_preset),
        "classifier": (classifier, SiATLClassifier.from_preset),
        "gpt2": (gpt2, new_classifier),
    }
    for name, (model, _) in presets.items():
        model.save_to_preset(folder / name)
        # Or damaged weights would all be refused by their checksums.
        (folder / name / "weights.sha256").unlink(missing_ok=True)
    return {name: (folder / name, load) for name, (_, load) in presets.items()}


def new_classifier(preset):
    """Puts a classifier on a language model's preset."""
    return SiATLClassifier.from_preset(preset, num_classes=2, sequence_length=12)


def mutated_json(data, generator):
    """Returns a JSON text with one field removed, renamed, or with another value."""
    value = json.loads(data)
    places = [(value, key) for key in value]
    for owner, key in places:
        inner = owner[key]
        keys = range(len(inner)) if isinstance(inner, list) else inner
        if isinstance(inner, (dict, list)):
            places.extend((inner, key) for key in keys)
    owner, key = places[int(generator.integers(len(places)))]
    if generator.random() < 0.6:
        owner[key] = VALUES[int(generator.integers(len(VALUES)))]
    elif isinstance(owner, list) or generator.random() < 0.5:
        del owner[key]
    else:
        owner[f"{key}_"] = owner.pop(key)
    return json.dumps(value).encode()


def damaged_presets(tries, folder, seed=SEED):
    """Makes presets with one damaged file, one after the other in the same place.

    Args:
        tries: int.
        folder: `Path` to work in.
        seed: int.

    Yields:
        `(description, function)`; the function loads the preset and answers a text.
    """
    generator = np.random.default_rng(seed)
    presets = made_presets(folder)
    damaged = folder / "damaged"
    place = str(damaged)
    for number in range(tries):
        name = list(presets)[number % len(presets)]
        whole, load = presets[name]
        shutil.rmtree(damaged, ignore_errors=True)
        shutil.copytree(whole, damaged)
        files = [path for path in sorted(damaged.rglob("*")) if path.is_file()]
        path = files[int(generator.integers(len(files)))]
        data, kind = path.read_bytes(), "bytes"
        if path.suffix == ".json" and generator.random() < 0.7:
            path.write_bytes(mutated_json(data, generator))
            kind = "JSON"
        elif generator.random() < 0.05:
            path.unlink()
            kind = "missing"
        else:
            path.write_bytes(mutated(data, generator))
        yield f"{number}: {name}/{path.name}, {kind}", lambda load=load: load(place)


def run(tries, folder, seed=SEED):
    """Loads damaged presets and tells how each load ended."""

    def answered(load):
        model = load()
        x = model.preprocessor(["what a day"])
        model(x[0] if isinstance(x, tuple) else x)
        keras.backend.clear_session()

    return tally(
        (description, lambda load=load: answered(load))
        for description, load in damaged_presets(tries, folder, seed)
    )


def main():
    """Runs all tries and reports the figures."""
    with tempfile.TemporaryDirectory() as folder:
        result = run(TRIES, Path(folder))
    report("presets", SEED, result)


if __name__ == "__main__":
    main()
