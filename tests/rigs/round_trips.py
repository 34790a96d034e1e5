"""What goes out and comes back, which must be what it was."""

import json

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.export import export_saved_model


def through_config(thing):
    """Writes a Keras object's configuration as JSON, and reads it.

    Args:
        thing: a layer, metric, schedule, optimizer or model.

    Returns:
        the copy, of the same class and configuration, with weights of its own.
    """
    written = json.dumps(keras.saving.serialize_keras_object(thing))
    again = keras.saving.deserialize_keras_object(json.loads(written))
    assert type(again) is type(thing) and again is not thing
    assert _settings(again.get_config()) == _settings(thing.get_config())
    return again


def _settings(config):
    """Leaves out which layers inside are built."""
    if not isinstance(config, dict):
        return config
    return {k: _settings(v) for k, v in config.items() if k != "build_config"}


def through_preset(model, folder, inputs):
    """Saves a task as a preset, loads it, and compares what it predicts.

    Args:
        model: a `keras_hub.models.Task`.
        folder: `Path` of a folder to save it in.
        inputs: what `predict` takes.

    Returns:
        the loaded task.
    """
    model.save_to_preset(str(folder / "preset"))
    again = type(model).from_preset(str(folder / "preset"))
    _predicts_alike(again, model, inputs)
    return again


def through_keras_file(model, folder, inputs):
    """Does the same with a `.keras` file, which has the optimizer too."""
    model.save(folder / "model.keras")
    again = keras.saving.load_model(folder / "model.keras")
    assert type(again) is type(model)
    _predicts_alike(again, model, inputs)
    return again


def through_export(model, folder, texts):
    """Exports a classifier, and compares what it answers with what the model does.

    Returns:
        dict of the served answers, arrays by output.
    """
    served = tf.saved_model.load(export_saved_model(model, folder / "served"))
    answers = served.signatures["serving_default"](text=tf.constant(texts))
    np.testing.assert_allclose(
        answers["probabilities"], model.predict_proba(texts, verbose=0), atol=1e-5
    )
    return {name: answer.numpy() for name, answer in answers.items()}


def _predicts_alike(again, model, inputs):
    np.testing.assert_allclose(
        again.predict(inputs, verbose=0), model.predict(inputs, verbose=0), atol=1e-5
    )
