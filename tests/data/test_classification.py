"""classification_dataset: what belongs together stays together, in a known order."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from rigs.hash_preprocessor import HashClassifierPreprocessor
from siatl_keras.data import EpochCounter, classification_dataset, padding_share

SCRIPT = Path(__file__).with_name("distributed_script.py")
COUNT = 70
LABELS = np.arange(COUNT)
WEIGHTS = np.arange(COUNT) / 10
TEXTS = [" ".join(["w"] * (index * 7 % 11)) for index in range(COUNT)]


def dataset(preprocessor, batch_size=8, **options):
    options = {"targets": LABELS, "sample_weight": WEIGHTS, **options}
    return classification_dataset(
        TEXTS, preprocessor=preprocessor, batch_size=batch_size, **options
    )


def numbers(batches):
    return [y.numpy().tolist() for _, y, _ in batches]


@pytest.mark.parametrize("seed", [None, 0])
def test_tokens_labels_and_weights_of_a_text_stay_together(
    classifier_preprocessor, seed
):
    expected = classifier_preprocessor.tokenize(TEXTS).to_list()
    seen = []
    for x, y, weights in dataset(classifier_preprocessor, seed=seed):
        rows = tf.ragged.boolean_mask(x["token_ids"], x["padding_mask"] > 0).to_list()
        for row, label, weight in zip(rows, y.numpy(), weights.numpy(), strict=True):
            assert row == expected[label]
            assert weight == np.float32(WEIGHTS[label])
            seen.append(int(label))
    assert sorted(seen) == list(range(COUNT))


def test_without_shuffling_the_order_is_that_of_the_texts(classifier_preprocessor):
    assert sum(numbers(dataset(classifier_preprocessor)), []) == list(range(COUNT))


def test_without_labels_the_inputs_come_alone(classifier_preprocessor):
    batches = list(dataset(classifier_preprocessor, targets=None, sample_weight=None))
    assert [set(batch) for batch in batches] == [{"token_ids", "padding_mask"}] * 9


def test_weights_are_one_if_not_given(classifier_preprocessor):
    for _, _, weights in dataset(classifier_preprocessor, sample_weight=None):
        assert set(weights.numpy()) == {1.0}


@pytest.mark.parametrize("seed", [None, 0])
def test_number_of_batches_is_known_before_the_first(classifier_preprocessor, seed):
    batches = dataset(classifier_preprocessor, seed=seed)
    assert int(batches.cardinality()) == len(list(batches)) == 9


def test_order_goes_by_the_epoch_counter_and_by_nothing_else(classifier_preprocessor):
    counter = EpochCounter()
    batches = dataset(classifier_preprocessor, seed=0, epoch=counter)
    by_epoch = []
    for epoch in range(3):
        counter.set(epoch)
        next(iter(batches))  # Keras looks at one batch before it trains.
        by_epoch.append(numbers(batches))
    assert len({str(order) for order in by_epoch}) == 3
    counter.set(1)
    assert numbers(batches) == by_epoch[1]

    resumed = EpochCounter()
    resumed.set(2)
    tf.random.set_seed(99)
    again = dataset(classifier_preprocessor, seed=0, epoch=resumed)
    assert numbers(again) == by_epoch[2]


def test_another_seed_gives_another_order(classifier_preprocessor):
    first = numbers(dataset(classifier_preprocessor, seed=0))
    assert first != numbers(dataset(classifier_preprocessor, seed=1))


def test_sorting_by_length_leaves_little_padding():
    preprocessor = HashClassifierPreprocessor(sequence_length=40)
    lengths = np.random.default_rng(0).integers(0, 30, 1000)
    texts = [" ".join(["w"] * length) for length in lengths]
    plain, by_length = (
        padding_share(classification_dataset(texts, None, preprocessor, 8, seed=seed))
        for seed in (None, 0)
    )
    assert by_length < 0.1 < plain


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"targets": [0, 1]},
            "`targets` must have one value per text. Received: 2 for 70",
        ),
        ({"sample_weight": [1.0]}, "`sample_weight` must have one value per text"),
    ],
)
def test_one_label_and_weight_a_text_or_an_error(
    classifier_preprocessor, options, message
):
    with pytest.raises(ValueError, match=message):
        dataset(classifier_preprocessor, **options)


def test_no_texts_are_an_error(classifier_preprocessor):
    with pytest.raises(ValueError, match="`texts` is empty"):
        classification_dataset([], [], classifier_preprocessor, 8)


@pytest.fixture(scope="module")
def distributed(start_program):
    return json.loads(start_program(SCRIPT).splitlines()[-1])


@pytest.mark.parametrize("counter", ["counter outside scope", "counter in scope"])
def test_two_replicas_share_the_batches_of_one_device(distributed, counter):
    """Replicas split each batch; nothing is lost, and the epoch is still obeyed."""
    for epoch in range(2):
        assert distributed[counter][epoch] == distributed["one device"][epoch]
    assert distributed["one device"][0] != distributed["one device"][1]


def test_two_replicas_share_streamed_texts(distributed):
    assert distributed["lm"] == distributed["lm, one device"]
    assert len(distributed["lm"]) == 13
