import numpy as np
from sklearn.preprocessing import FunctionTransformer

from siatl_keras.evaluation import PairFeatures, choose_strength, word_counts
from siatl_keras.tasks import SingleLabel

PAIRS = [("a b", "a b"), ("a", "c c"), ("", "b")]
WORDS = [f"word{number}" for number in range(12)]


def lengths(texts):
    return np.array([[len(text), text.count("b")] for text in texts], float)


def test_a_pair_has_the_features_of_both_and_what_they_have_in_common():
    features = PairFeatures(FunctionTransformer(lengths)).fit_transform(PAIRS)
    np.testing.assert_array_equal(
        features,
        [
            [3, 1, 3, 1, 0, 0, 9, 1, 10],
            [1, 0, 3, 0, 2, 0, 3, 0, 3],
            [0, 0, 1, 1, 1, 1, 0, 0, 0],
        ],
    )


def test_counts_stay_sparse_and_know_the_words_of_both_texts():
    counts = word_counts()
    features = PairFeatures(counts).fit_transform([("one two", "one two"), ("", "six")])
    assert set(counts.vocabulary_) == {"one", "two", "six", "one two"}
    assert features.shape == (2, 4 * 4 + 1) and features.nnz < 17
    dense = features.toarray()
    np.testing.assert_allclose(dense[:, -1], [1, 0])
    assert not dense[0, 8:12].any()


def test_a_linear_model_sees_whether_two_texts_agree():
    generator = np.random.default_rng(0)
    firsts = generator.choice(WORDS, (200, 4))
    agree = generator.integers(0, 2, 200)
    seconds = np.where(agree[:, None], firsts, generator.choice(WORDS, (200, 4)))
    pairs = [tuple(map(" ".join, pair)) for pair in zip(firsts, seconds, strict=True)]
    features = PairFeatures(word_counts()).fit(pairs[:100]).transform(pairs)
    task = SingleLabel(["no", "yes"])
    known, held_out = (features[:100], agree[:100]), (features[100:], agree[100:])
    strength, _, _ = choose_strength(task, [(*known, held_out[0])], held_out[1])
    model = task.linear_model(strength).fit(*known)
    assert model.score(*held_out) > 0.95
