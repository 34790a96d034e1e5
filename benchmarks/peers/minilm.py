"""Peers on sentence vectors of all-MiniLM-L6-v2: logistic regression, and SetFit."""

import numpy as np
from all_minilm_l6_v2 import extract_model
from sentence_transformers import SentenceTransformer
from sklearn.linear_model import LogisticRegression

from benchmarks.quality.sides import Answers, folder_megabytes


def fit_logistic_regression(texts, labels, seed, folder):
    """Fits logistic regression to frozen vectors; see `benchmarks.quality.sides`."""
    path = extract_model(str(folder))
    encoder = SentenceTransformer(str(path), device="cpu")
    model = LogisticRegression(max_iter=1000, random_state=seed)
    model.fit(encoder.encode(texts, show_progress_bar=False), labels)

    def answers(texts):
        vectors = encoder.encode(texts, show_progress_bar=False)
        return Answers.of(list(model.classes_), model.predict_proba(vectors))

    return answers, folder_megabytes(path)


def fit_setfit(texts, labels, seed, folder):
    """Fits SetFit with its defaults; see `benchmarks.quality.sides`."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    path = extract_model(str(folder))
    names = sorted(set(labels))
    model = SetFitModel.from_pretrained(str(path), labels=names, device="cpu")
    rows = {"text": texts, "label": [names.index(label) for label in labels]}
    arguments = TrainingArguments(
        output_dir=str(folder / "setfit"), seed=seed, report_to="none"
    )
    Trainer(model, arguments, train_dataset=Dataset.from_dict(rows)).train()

    def answers(texts):
        return Answers.of(names, np.asarray(model.predict_proba(texts)))

    return answers, folder_megabytes(path)
