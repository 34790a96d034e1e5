"""untuned: no dataset of ours has a thread that its iterators' ends would wait for."""

import pytest
import tensorflow as tf

from siatl_keras.data import classification_dataset, lm_dataset
from siatl_keras.data.untuned import untuned
from siatl_keras.inputs.batches import packed_batches
from siatl_keras.models import SiATLPreprocessor
from siatl_keras.tasks import SingleLabel
from siatl_keras.text import WordTokenizer

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "so", "glad"]


def labelled_texts(count, batch_size):
    data = tf.data.Dataset.from_tensors(("so glad", 1)).repeat(count)
    return data.batch(batch_size)


def of_texts(write, of_lm, of_classifier):
    return classification_dataset(["a", "b"], [0, 1], of_classifier, 2, seed=0)


def of_files(write, of_lm, of_classifier):
    return lm_dataset(write("a.txt", "so glad\n" * 9), of_lm, 2, seed=0)


def of_a_dataset(write, of_lm, of_classifier):
    preprocessor = SiATLPreprocessor(WordTokenizer(WORDS))
    data = labelled_texts(9, 2)
    return packed_batches(
        data, preprocessor, SingleLabel(["no", "yes"]), "x", labelled=True
    )


def of_packed_batches(write, of_lm, of_classifier):
    preprocessor = SiATLPreprocessor(WordTokenizer(WORDS))
    packed = labelled_texts(9, 2).map(lambda x, y: preprocessor(x, y=y))
    return packed_batches(
        packed, preprocessor, SingleLabel(["no", "yes"]), "x", labelled=True
    )


@pytest.mark.parametrize("make", [of_texts, of_files, of_a_dataset, of_packed_batches])
def test_no_pipeline_is_tuned(make, write, lm_preprocessor, classifier_preprocessor):
    data = make(write, lm_preprocessor, classifier_preprocessor)
    assert data.options().autotune.enabled is False
    assert len(list(data.take(3))) in (1, 3)


def test_other_options_stay():
    options = tf.data.Options()
    options.deterministic = False
    data = untuned(tf.data.Dataset.range(3).with_options(options))
    assert data.options().deterministic is False
    assert data.options().autotune.enabled is False
