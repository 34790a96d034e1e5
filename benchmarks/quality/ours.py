"""Our sides: `finetune` with no flag but the data."""

import json

from benchmarks.quality.sides import folder_megabytes
from siatl_keras.atomic import write_text
from siatl_keras.runs import FinetuneConfig, finetune


def fit_lstm(texts, labels, seed, folder):
    """Fine-tunes the shipped language model; see `benchmarks.quality.sides`."""
    return _finetuned("tweets_lstm_small_en", texts, labels, seed, folder)


def fit_smollm2(texts, labels, seed, folder):
    """The same of SmolLM2-135M, which `python -m recipes.fetch_model` gets."""
    return _finetuned("smollm2_135m", texts, labels, seed, folder)


def _finetuned(lm, texts, labels, seed, folder):
    train = folder / "train.jsonl"
    rows = zip(texts, labels, strict=True)
    lines = [json.dumps({"text": text, "label": label}) + "\n" for text, label in rows]
    write_text(train, "".join(lines))
    config = FinetuneConfig(
        train=str(train), lm=lm, output=str(folder / "run"), seed=seed
    )
    model, _ = finetune(config, verbose=0)
    size = folder_megabytes(folder / "run" / "model")
    return lambda texts: model.predict_labels(texts, verbose=0), size
