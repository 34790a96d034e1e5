"""Our sides: `finetune` and `distill` with no flag but the data."""

from benchmarks.quality.sides import (
    UNLABELLED,
    Answers,
    folder_megabytes,
    write_texts,
)
from siatl_keras.runs import DistillConfig, FinetuneConfig, distill, finetune


def fit_lstm(texts, labels, seed, folder):
    """Fine-tunes the shipped language model; see `benchmarks.quality.sides`."""
    return _finetuned("tweets_lstm_small_en", texts, labels, seed, folder)


def fit_smollm2(texts, labels, seed, folder):
    """The same of SmolLM2-135M, which `python -m recipes.fetch_model` gets."""
    return _finetuned("smollm2_135m", texts, labels, seed, folder)


def fit_taught_lstm(texts, labels, seed, folder):
    """Lets what `fit_smollm2` makes teach the shipped language model."""
    _finetuned("smollm2_135m", texts, labels, seed, folder)
    unlabelled = folder / UNLABELLED
    config = DistillConfig(
        train=str(folder / "train.jsonl"),
        texts=(str(unlabelled),) if unlabelled.stat().st_size else (),
        teacher=str(folder / "run" / "model"),
        output=str(folder / "taught"),
        seed=seed,
    )
    return _answers(distill(config, verbose=0)[0], folder / "taught")


def _finetuned(lm, texts, labels, seed, folder):
    train = folder / "train.jsonl"
    write_texts(train, texts, labels)
    config = FinetuneConfig(
        train=str(train), lm=lm, output=str(folder / "run"), seed=seed
    )
    return _answers(finetune(config, verbose=0)[0], folder / "run")


def _answers(model, run):
    names = list(model.task.label_names)

    def answers(texts):
        return Answers.of(names, model.predict_proba(texts, verbose=0))

    return answers, folder_megabytes(run / "model")
