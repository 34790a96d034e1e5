"""`learn_word_scores`: a linear model of words, fitted beside a trained classifier.

Words share what they say with words that are spelt alike (Bojanowski et al. 2017,
"Enriching word vectors with subword information") and with words that the language
model's embeddings are alike of, so that something is known of words, too, that no
training text has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import sparse

from siatl_keras.data.marker_ids import marker_ids
from siatl_keras.heads.word_scores import NO_WORD, words_of
from siatl_keras.models.embedding_table import embedding_table
from siatl_keras.models.raw_text_batches import RawTextBatches
from siatl_keras.models.token_names import token_names
from siatl_keras.models.word_share import packed_parts, word_outputs, word_share
from siatl_keras.tasks import Task

# Texts that are learned from: time grows with their square.
MOST_TEXTS = 2000
# Characters of the parts of words, and marks that tokenizers put where a word begins.
SHORTEST, LONGEST = 2, 5
MARKS = "Ġ▁"
# How much the embeddings of a text's words count, beside the words themselves.
MEANING = 2.0


def learn_word_scores(
    model: Any,
    x: Any,
    y: Any,
    validation_data: tuple[Any, Any] | None = None,
    seed: int = 0,
) -> None:
    """Fits the word scores of a classifier, and their share in its outputs.

    Args:
        model: a trained `SiATLClassifier` with `word_scores=True` and a preprocessor.
        x: texts that it has learned from, as for `fit`; of more than 2 000, so many are
            drawn.
        y: their labels, as for `fit`.
        validation_data: `(texts, labels)` that it has not learned from, which the share
            is chosen on, see `word_share`. `None` leaves the share as it is, as where
            it has been chosen and all texts are to be learned from.
        seed: int, of the drawing.

    Raises:
        ValueError: if the model was made without word scores or without a preprocessor,
            or texts or labels are not what is said above.

    Example:
    >>> import siatl_keras
    >>> tokenizer = siatl_keras.text.WordTokenizer(
    ...     ["<pad>", "<s>", "</s>", "<unk>", "good", "bad"])
    >>> model = siatl_keras.models.SiATLClassifier(
    ...     siatl_keras.models.LSTMBackbone(6, 8, hidden_dim=8, num_layers=1),
    ...     preprocessor=siatl_keras.models.SiATLPreprocessor(tokenizer),
    ...     label_names=["negative", "positive"], word_scores=True)
    >>> texts, labels = ["good", "bad"] * 8, ["positive", "negative"] * 8
    >>> siatl_keras.models.learn_word_scores(model, texts, labels, (texts, labels))
    >>> model.predict_labels(["good"], verbose=0)
    ['positive']
    """
    if model.word_scores is None:
        raise ValueError(
            "`model` must have word scores to be fitted. Received one without. Make it "
            "with `word_scores=True`."
        )
    batches = RawTextBatches(model.backbone, model.preprocessor, model.task)
    preprocessor = batches.texts_preprocessor
    lesson = batches.labelled(x, y, None)
    held_out = None
    if validation_data is not None:
        names = ("validation_data[0]", "validation_data[1]", None)
        held_out = batches.labelled(*validation_data, None, names)
    if len(lesson) > MOST_TEXTS:
        random = np.random.default_rng(seed)
        drawn = random.choice(len(lesson), MOST_TEXTS, replace=False)
        lesson = lesson.rows(np.sort(drawn))
    words = [
        np.unique(row[row != NO_WORD])
        for x in packed_parts(preprocessor, lesson.texts)
        for row in np.asarray(words_of(x))
    ]
    tokenizer = preprocessor.tokenizer
    silent = marker_ids(preprocessor)
    unknown_id = getattr(tokenizer, "unk_token_id", None)
    if unknown_id is not None:  # It says no more than where a text begins.
        silent.add(unknown_id)
    size = model.word_scores.vocabulary_size
    counts, rarity = _counts(words, size, silent)
    alike = [
        _spellings(token_names(tokenizer), size),
        _directions(embedding_table(model.backbone), counts),
    ]
    features = sparse.hstack([counts, *(counts @ each for each in alike)]).tocsr()
    kernel, bias = _linear(model.task, features, lesson.targets)
    own, *shared = np.split(kernel, [size, size + alike[0].shape[1]])
    table = own + sum(each @ part for each, part in zip(alike, shared, strict=True))
    model.word_scores.set_scores(table, rarity, bias)
    if held_out is not None:
        model.word_scores.share.assign(0.0)
        outputs = model.predict(held_out.texts, verbose=0)
        alone = word_outputs(model, held_out.texts)
        share = word_share(model, held_out.targets, outputs, alone)
        model.word_scores.share.assign(share)


def _counts(
    texts: list[np.ndarray], size: int, silent: Iterable[int]
) -> tuple[Any, np.ndarray]:
    """Counts words as the layer does; returns the counts and the words' rarity.

    That of `silent` ones is 0, so that they count for nothing.
    """
    from sklearn.preprocessing import normalize

    rows = np.repeat(np.arange(len(texts)), [len(words) for words in texts])
    places = np.concatenate(texts)
    present = sparse.csr_matrix(
        (np.ones(len(places)), (rows, places)), shape=(len(texts), size)
    )
    texts_with = np.asarray(present.sum(0))[0]
    rarity = np.log((1 + len(texts)) / (1 + texts_with)) + 1
    rarity[list(silent)] = 0.0
    return normalize(present.multiply(rarity).tocsr()), rarity


def _spellings(names: list[str], size: int) -> Any:
    """Returns the parts of each word, sparse `[words, parts]`, rows of length 1."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    names = names + [""] * (size - len(names))
    vectorizer = TfidfVectorizer(analyzer=_parts, binary=True, norm=None)
    parts = vectorizer.fit_transform(names)
    return normalize(parts[:, parts.getnnz(0) > 1])


def _directions(embeddings: np.ndarray, counts: Any) -> np.ndarray:
    """Returns where embeddings point to from their mean, `[words, embedding]`.

    Their length is such that those of a text's words count `MEANING` times as much as
    the words themselves.
    """
    from sklearn.preprocessing import normalize

    rows = normalize(embeddings - embeddings.mean(0))
    size = np.square(counts @ rows).sum(1).mean()
    return rows * np.sqrt(MEANING / size) if size else rows


def _parts(name: str) -> list[str]:
    """Cuts a word into the parts that others may share; the whole is one of them."""
    word = f" {name.strip(MARKS).lower()} "
    sizes = range(SHORTEST, LONGEST + 1)
    parts = [word[at : at + n] for n in sizes for at in range(len(word) - n + 1)]
    return [*parts, word]


def _linear(task: Task, x: Any, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fits kernel `[features, outputs]` and bias `[outputs]` of a linear model.

    It is fitted on the texts' principal components, which are no more than texts, and
    lose nothing.
    """
    products = (x @ x.T).toarray()
    means = products.mean(0)
    squares, vectors = np.linalg.eigh(products - means - means[:, None] + means.mean())
    kept = squares > 1e-6
    if not kept.any():  # All texts have the same words, such as unknown ones.
        kept[-1], squares[-1], vectors[:, -1] = True, 1.0, 0.0
    sizes, vectors = np.sqrt(squares[kept]), vectors[:, kept]
    # Of mean square 1: as large as the features that heads begin with.
    scale = np.sqrt(x.shape[0] * len(sizes) / np.square(sizes).sum())
    start = task.word_start(scale * vectors * sizes, targets)
    if start is None:
        raise ValueError(
            f"{type(task).__name__} has no `linear_start`, which fits them."
        )
    slopes, bias = start
    kernel = x.T @ (scale * (vectors / sizes) @ slopes)
    return kernel, bias - (np.asarray(x.mean(0)) @ kernel)[0]
