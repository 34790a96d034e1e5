"""The head's start: measured on the training texts, once, and saved with the model."""

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from rigs.letters import CLASSES, letter_texts, letters_tokenizer
from rigs.round_trips import through_export, through_preset
from siatl_keras.callbacks import BackupAndRestore, SequentialUnfreezing
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.plans import Phase
from siatl_keras.tasks import MultiLabel

TEXTS, LABELS = letter_texts(80, 4, 20)
TASK_ALONE = (Phase(1, ("task",)),)


def classifier(pooling="mean", **arguments):
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.LlamaBackbone(14, 2, 2, 32, 32, num_key_value_heads=1)
    if "task" not in arguments:
        arguments["label_names"] = CLASSES
    return SiATLClassifier(
        backbone,
        preprocessor=SiATLPreprocessor(letters_tokenizer(), 20),
        pooling=pooling,
        standardize=True,
        **arguments,
    )


def fitted(model, *callbacks, rate=1e-9, labels=LABELS, **arguments):
    model.compile(keras.optimizers.SGD(rate))
    callbacks = [SequentialUnfreezing(TASK_ALONE), *callbacks]
    return model.fit(TEXTS, labels, callbacks=callbacks, verbose=0, **arguments).history


def pooled(model):
    """Vectors of the texts, before they are standardized."""
    x = model.preprocessor(tf.constant(TEXTS))
    return model.task_head.pool(model.states(x), x["padding_mask"])[0].numpy()


@pytest.mark.parametrize("pooling", ["mean", "last", "concat", "attention"])
def test_the_classes_begin_where_an_analysis_of_the_texts_puts_them(pooling):
    model = classifier(pooling)
    before = model.evaluate(TEXTS, LABELS, return_dict=True, verbose=0)
    assert abs(before["task_loss"] - np.log(2)) < 1e-3
    history = fitted(model)
    vectors = pooled(model)
    layer = model.task_head.standardization
    np.testing.assert_allclose(layer.mean, vectors.mean(0), atol=1e-4)
    np.testing.assert_allclose(layer.deviation, vectors.std(0), rtol=1e-2, atol=1e-4)
    # At a rate of next to nothing, so that it is the start that is measured.
    assert history["accuracy"][0] > 0.85
    assert history["task_loss"][0] < 0.5


def test_a_second_fit_goes_on_from_the_first():
    model = classifier()
    fitted(model)
    layer = model.task_head.standardization
    mean, kernel = layer.mean.numpy(), model.task_head.classes.kernel.numpy()
    model.fit(TEXTS[:20], LABELS[:20], verbose=0)
    np.testing.assert_array_equal(layer.mean, mean)
    np.testing.assert_allclose(model.task_head.classes.kernel, kernel, atol=1e-5)


def test_a_stopped_run_goes_on_with_what_was_measured(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    def run(folder, *callbacks):
        model = classifier()
        backup = BackupAndRestore(folder, delete_checkpoint=False)
        history = fitted(model, *callbacks, backup, rate=1e-2, epochs=4)
        return history, model.get_weights()

    expected, weights = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "stopped", Stop())
    history, found = run(tmp_path / "stopped")
    assert history["task_loss"] == expected["task_loss"]
    for mine, theirs in zip(found, weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_it_is_saved_and_served(tmp_path):
    model = classifier()
    fitted(model)
    again = through_preset(model, tmp_path, TEXTS[:8])
    assert again.task_head.standardization.is_adapted
    through_export(model, tmp_path, TEXTS[:8])


def test_several_labels_have_their_start_too():
    model = classifier(task=MultiLabel(["with", "short"]))
    labels = [
        [*(["with"] if "a" in text else []), *(["short"] if len(text) < 20 else [])]
        for text in TEXTS
    ]
    history = fitted(model, labels=labels)
    assert history["task_loss"][0] < 1.8 * np.log(2)


def test_a_task_lstm_s_states_are_standardized_too():
    keras.utils.set_random_seed(0)
    model = SiATLClassifier(
        LSTMBackbone(14, 8, hidden_dim=8, num_layers=1),
        preprocessor=SiATLPreprocessor(letters_tokenizer(), 20),
        label_names=CLASSES,
        units=6,
        standardize=True,
    )
    kernel = model.task_head.classes.kernel.numpy()
    fitted(model)
    vectors = model.task_head.standardization(pooled(model)).numpy()
    np.testing.assert_allclose(vectors.std(0), 1.0, rtol=1e-2)
    np.testing.assert_allclose(model.task_head.classes.kernel, kernel, atol=1e-5)


def test_a_dataset_of_the_user_s_own_is_not_read_before_it_is_trained_on():
    model = classifier()
    model.compile()
    data = tf.data.Dataset.from_tensor_slices((TEXTS, LABELS)).batch(8)
    model.fit(data, verbose=0)
    assert not model.task_head.standardization.is_adapted
