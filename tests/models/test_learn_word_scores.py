"""Word scores of a classifier: fitted on texts, weighed on others, kept and served."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from rigs.round_trips import through_export, through_preset
from siatl_keras.models import (
    LSTMBackbone,
    SiATLClassifier,
    SiATLPreprocessor,
    learn_word_scores,
)
from siatl_keras.models.learn_word_scores import MOST_TEXTS, _counts, _parts
from siatl_keras.tasks import MultiLabel, Ordinal, Regression, SingleLabel
from siatl_keras.text import WordTokenizer

GOOD = ["splendid", "lovely", "superb", "charming"]
BAD = ["dreadful", "awful", "tedious", "dull"]
OTHERS = ["the", "film", "was", "a", "night", "and", "we", "it", "so", "then"]
# In the vocabulary, and in no text.
UNSEEN = ["splendidly", "dreadfully"]
VOCABULARY = ["<pad>", "<s>", "</s>", "<unk>", *GOOD, *BAD, *OTHERS, *UNSEEN]


def texts_of(rows, seed=0):
    """Texts, and whether they are good: one word of eight or so says it."""
    random = np.random.default_rng(seed)
    good = random.integers(0, 2, rows)
    texts = []
    for is_good in good:
        words = [*random.choice(OTHERS, 7), random.choice(GOOD if is_good else BAD)]
        texts.append(" ".join(random.permutation(words)))
    return texts, good


TEXTS, GOOD_ONES = texts_of(80)
HELD_OUT, HELD_OUT_GOOD = texts_of(40, seed=1)
TASKS = {
    "single_label": SingleLabel(["bad", "good"]),
    "multi_label": MultiLabel(["good", "not good"]),
    "ordinal": Ordinal(["bad", "good"]),
    "regression": Regression.from_labels([10, 30]),
}


def labels_of(kind, good):
    if kind == "multi_label":
        return [["good"] if is_good else ["not good"] for is_good in good]
    if kind == "regression":
        return [30.0 if is_good else 10.0 for is_good in good]
    return ["good" if is_good else "bad" for is_good in good]


def classifier(kind="single_label", **arguments):
    """One that has learned nothing."""
    keras.utils.set_random_seed(0)
    tokenizer = WordTokenizer(VOCABULARY)
    arguments = {
        "preprocessor": SiATLPreprocessor(tokenizer, 20),
        "word_scores": True,
        **arguments,
    }
    return SiATLClassifier(
        LSTMBackbone(len(VOCABULARY), 8, hidden_dim=8, num_layers=1),
        task=TASKS[kind],
        units=5,
        **arguments,
    )


def learned(kind="single_label", **arguments):
    model = classifier(kind, **arguments)
    learn_word_scores(
        model,
        TEXTS,
        labels_of(kind, GOOD_ONES),
        (HELD_OUT, labels_of(kind, HELD_OUT_GOOD)),
    )
    return model


@pytest.mark.parametrize("kind", TASKS)
def test_what_the_model_has_not_learned_its_words_say(kind):
    model = learned(kind)
    answers = model.predict_labels(HELD_OUT, verbose=0)
    expected = labels_of(kind, HELD_OUT_GOOD)
    if kind == "regression":
        assert [number > 20 for number in answers] == list(HELD_OUT_GOOD > 0)
        # The model's own numbers are wrong; its logits are next to nothing.
        assert model.word_scores.share > 0.3
    else:
        assert answers == expected


def test_evaluate_says_what_predict_answers():
    model = learned()
    labels = labels_of("single_label", HELD_OUT_GOOD)
    figures = model.evaluate(HELD_OUT, labels, return_dict=True, verbose=0)
    assert figures["accuracy"] == 1


def test_words_spelt_alike_say_alike():
    model = classifier()
    embeddings = model.backbone.token_embedding.embeddings
    embeddings.assign(np.zeros(embeddings.shape))  # Which say nothing.
    labels = labels_of("single_label", GOOD_ONES)
    held_out = (HELD_OUT, labels_of("single_label", HELD_OUT_GOOD))
    learn_word_scores(model, TEXTS, labels, held_out)
    answers = model.predict_labels(UNSEEN, verbose=0)
    assert answers == ["good", "bad"]


def test_words_that_the_embeddings_are_alike_of_say_alike():
    others = ["wunderbar", "furchtbar"]
    tokenizer = WordTokenizer([*VOCABULARY, *others])
    model = SiATLClassifier(
        LSTMBackbone(tokenizer.vocabulary_size(), 8, hidden_dim=8, num_layers=1),
        preprocessor=SiATLPreprocessor(tokenizer, 20),
        label_names=["bad", "good"],
        word_scores=True,
    )
    embeddings = model.backbone.token_embedding.embeddings
    words = tokenizer.get_vocabulary()
    table = np.array(embeddings)
    for stranger, word in zip(others, ["lovely", "awful"], strict=True):
        table[words.index(stranger)] = table[words.index(word)]
    embeddings.assign(table)
    labels = labels_of("single_label", GOOD_ONES)
    held_out = (HELD_OUT, labels_of("single_label", HELD_OUT_GOOD))
    learn_word_scores(model, TEXTS, labels, held_out)
    assert model.predict_labels(others, verbose=0) == ["good", "bad"]


def test_a_classifier_that_knows_more_than_its_words_answers_as_before():
    model = classifier()
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(OTHERS, 8)) for _ in range(80)]
    # The first word alone: which words a text has says little.
    labels = [int(text.split()[0] in OTHERS[:5]) for text in texts]
    model.compile(keras.optimizers.Adam(0.03), loss_weights={"lm": 0.0})
    model.fit(texts[:60], labels[:60], epochs=60, verbose=0)
    right = model.evaluate(texts[60:], labels[60:], return_dict=True, verbose=0)
    assert right["accuracy"] > 0.9
    answers = model.predict_labels(texts[60:], verbose=0)
    learn_word_scores(model, texts[:60], labels[:60], (texts[60:], labels[60:]))
    assert model.predict_labels(texts[60:], verbose=0) == answers
    after = model.evaluate(texts[60:], labels[60:], return_dict=True, verbose=0)
    assert after["accuracy"] >= right["accuracy"]


def lstm():
    return LSTMBackbone(len(VOCABULARY), 8, hidden_dim=8, num_layers=1)


def gpt2():
    return keras_hub.models.GPT2Backbone(len(VOCABULARY), 1, 2, 8, 16, 0.0, 20)


@pytest.mark.parametrize(("make", "lowest"), [(lstm, 0.45), (gpt2, 0.25)])
def test_of_two_held_out_texts_the_share_is_about_the_usual(make, lowest):
    model = SiATLClassifier(
        make(),
        preprocessor=SiATLPreprocessor(WordTokenizer(VOCABULARY), 20),
        label_names=["bad", "good"],
        word_scores=True,
    )
    labels = labels_of("single_label", GOOD_ONES)
    right = labels_of("single_label", HELD_OUT_GOOD[:2])
    learn_word_scores(model, TEXTS, labels, (HELD_OUT[:2], right))
    assert lowest <= model.word_scores.share <= lowest + 0.2


def test_training_goes_on_as_without_them():
    labels = labels_of("single_label", GOOD_ONES)

    def trained(model):
        model.compile(keras.optimizers.Adam(0.01))
        return model.fit(TEXTS, labels, epochs=2, verbose=0).history["task_loss"]

    assert trained(learned()) == trained(classifier(word_scores=False))


@pytest.mark.parametrize("kind", TASKS)
def test_they_are_saved_and_served(kind, tmp_path):
    model = learned(kind)
    again = through_preset(model, tmp_path, HELD_OUT[:8])
    np.testing.assert_array_equal(again.word_scores.table, model.word_scores.table)
    if kind != "regression":
        through_export(model, tmp_path, HELD_OUT[:8])


def test_texts_in_windows_have_the_words_of_all_windows(tmp_path):
    tokenizer = WordTokenizer(VOCABULARY)
    windows = SiATLPreprocessor(tokenizer, 4, long_texts="windows", max_windows=8)
    model = learned(preprocessor=windows)
    expected = labels_of("single_label", HELD_OUT_GOOD)
    assert model.predict_labels(HELD_OUT, verbose=0) == expected
    through_export(model, tmp_path, HELD_OUT[:8])


def test_words_count_beyond_what_the_language_model_reads(tmp_path):
    tokenizer = WordTokenizer(VOCABULARY)
    # The word that says it comes after all that is read.
    beyond = ["so it was then we " + text for text in TEXTS]
    held_out = ["so it was then we " + text for text in HELD_OUT]
    labels = labels_of("single_label", GOOD_ONES)
    expected = labels_of("single_label", HELD_OUT_GOOD)

    def learned_and_trained(long_texts):
        preprocessor = SiATLPreprocessor(tokenizer, 5, long_texts=long_texts)
        model = classifier(preprocessor=preprocessor)
        model.compile(keras.optimizers.Adam(0.01))
        history = model.fit(
            beyond, labels, validation_data=(held_out, expected), epochs=2, verbose=0
        )
        learn_word_scores(model, beyond, labels, (held_out, expected))
        return model, history.history

    model, history = learned_and_trained("words")
    cut, history_of_cut = learned_and_trained("cut")
    assert history == history_of_cut
    assert model.predict_labels(held_out, verbose=0) == expected
    assert cut.predict_labels(held_out, verbose=0) != expected
    figures = model.evaluate(held_out, expected, return_dict=True, verbose=0)
    assert figures["accuracy"] == 1
    packed = tf.data.Dataset.from_tensors(
        model.preprocessor(held_out, y=HELD_OUT_GOOD.astype("int32"))
    )
    assert model.evaluate(packed, return_dict=True, verbose=0)["accuracy"] == 1
    x = model.preprocessor(held_out)
    logits = model.predict(held_out, verbose=0)
    np.testing.assert_allclose(model(x)["task"], logits, atol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(held_out), logits, atol=1e-5)
    through_preset(model, tmp_path, held_out[:8])
    through_export(model, tmp_path, held_out[:8])


def test_words_are_kept_for_word_scores_alone():
    counted = SiATLPreprocessor(WordTokenizer(VOCABULARY), long_texts="words")
    with pytest.raises(ValueError, match="word_scores=True"):
        classifier(preprocessor=counted, word_scores=False)


def test_pairs_have_the_words_of_both_texts(tmp_path):
    tokenizer = WordTokenizer(VOCABULARY)
    model = classifier(preprocessor=SiATLPreprocessor(tokenizer, 30, pairs=True))
    pairs = [("so it was", text) for text in TEXTS]
    held_out = [("so it was", text) for text in HELD_OUT]
    labels = labels_of("single_label", HELD_OUT_GOOD)
    theirs = labels_of("single_label", GOOD_ONES)
    learn_word_scores(model, pairs, theirs, (held_out, labels))
    assert model.predict_labels(held_out, verbose=0) == labels
    through_preset(model, tmp_path, held_out[:8])


def test_probabilities_are_learned_as_their_most_probable_classes():
    model, hard = classifier(), learned()
    soft = np.where(GOOD_ONES[:, None] == [0, 1], 0.9, 0.1)
    held_out = np.where(HELD_OUT_GOOD[:, None] == [0, 1], 1.0, 0.0)
    learn_word_scores(model, TEXTS, soft, (HELD_OUT, held_out))
    np.testing.assert_allclose(
        model.word_scores.table, hard.word_scores.table, atol=1e-5
    )


def test_counts_are_those_of_the_layer():
    model = learned()
    words = [np.array([1, 4, 5]), np.array([5, 6]), np.array([], int)]
    counts, rarity = _counts(words, len(VOCABULARY), silent=(1,))
    assert rarity[1] == 0
    assert rarity[5] < rarity[4] < rarity[7]
    of_word_5 = np.stack([np.eye(len(VOCABULARY))[5]] * 2, 1)
    model.word_scores.set_scores(of_word_5, rarity, np.zeros(2))
    mask = tf.constant([[1, 1, 1], [1, 1, 0], [0, 0, 0]])
    x = {"token_ids": tf.constant([[1, 4, 5], [5, 6, 0], [0, 0, 0]])}
    found = model.word_scores.scores({**x, "padding_mask": mask})
    np.testing.assert_allclose(found[:, 0], counts.toarray()[:, 5], rtol=1e-5)


def test_parts_are_of_the_word_alone():
    assert _parts("Ġso") == [" s", "so", "o ", " so", "so ", " so ", " so "]
    assert _parts("So") == _parts("▁so")


def test_of_many_texts_so_many_are_drawn():
    many = TEXTS * (MOST_TEXTS // len(TEXTS) + 1)
    good = np.concatenate([GOOD_ONES] * (MOST_TEXTS // len(TEXTS) + 1))
    model = classifier()
    held_out = (HELD_OUT, labels_of("single_label", HELD_OUT_GOOD))
    learn_word_scores(model, many, labels_of("single_label", good), held_out)
    assert model.predict_labels(HELD_OUT, verbose=0) == held_out[1]


def test_texts_of_unknown_words_say_how_many_are_of_a_class():
    model = classifier()
    texts = ["xyz"] * 30
    labels = ["good"] * 24 + ["bad"] * 6
    learn_word_scores(model, texts, labels, (texts, labels))
    model.word_scores.share.assign(1.0)
    odds = model.predict(["xyz", "splendid", ""], verbose=0)
    assert np.isfinite(odds).all() and (odds[:, 1] > odds[:, 0]).all()


def test_neither_ends_nor_unknown_words_say_anything():
    words = learned().word_scores
    no_words = words.scores(packed([]))
    np.testing.assert_array_equal(words.scores(packed([1, 3, 3, 2])), no_words)
    splendid = VOCABULARY.index("splendid")
    expected = words.scores(packed([splendid]))
    np.testing.assert_array_equal(words.scores(packed([1, splendid, 3, 2])), expected)


def packed(token_ids):
    ids = tf.constant([token_ids], tf.int32)
    return {"token_ids": ids, "padding_mask": tf.ones_like(ids)}


def test_words_of_which_no_two_share_a_part_are_words_all_the_same():
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", "ab", "cd"])
    model = SiATLClassifier(
        LSTMBackbone(6, 8, hidden_dim=8, num_layers=1),
        preprocessor=SiATLPreprocessor(tokenizer, 20),
        num_classes=2,
        word_scores=True,
    )
    texts, labels = ["ab", "cd"] * 20, [0, 1] * 20
    learn_word_scores(model, texts, labels, (texts, labels))
    assert model.predict_labels(texts[:2], verbose=0) == ["0", "1"]


def test_without_held_out_texts_the_share_stays_as_it_is():
    model = learned()
    share, table = float(model.word_scores.share), np.array(model.word_scores.table)
    labels = labels_of("single_label", HELD_OUT_GOOD)
    learn_word_scores(model, HELD_OUT, labels)
    assert float(model.word_scores.share) == share > 0
    assert not np.array_equal(model.word_scores.table, table)


def test_a_model_without_them_has_none_to_fit():
    with pytest.raises(ValueError, match="word_scores=True"):
        learned(word_scores=False)
    with pytest.raises(ValueError, match="no preprocessor"):
        learned(preprocessor=None)


def test_wrong_held_out_labels_are_named():
    model = classifier()
    labels = labels_of("single_label", GOOD_ONES)
    with pytest.raises(ValueError, match=r"validation_data\[1\].*'neither'"):
        learn_word_scores(model, TEXTS, labels, (["good"], ["neither"]))
