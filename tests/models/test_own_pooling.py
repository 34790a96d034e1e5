"""A classifier with a user's own pooling, from fit to the exported model."""

import keras
import numpy as np
import tensorflow as tf

from siatl_keras.export import export_saved_model
from siatl_keras.models import SiATLClassifier


@keras.saving.register_keras_serializable(package="tests_models")
class MaxPooling(keras.layers.Layer):
    """The highest value of each unit."""

    def call(self, states, padding_mask):
        real = keras.ops.cast(padding_mask, "bool")[..., None]
        return keras.ops.max(keras.ops.where(real, states, -1e9), axis=1), None


def test_it_learns_is_saved_and_is_served(make_classifier, texts, labels, tmp_path):
    model = make_classifier(pooling=MaxPooling())
    model.fit(texts, labels, epochs=2, batch_size=4, verbose=0)
    expected = model.predict_proba(texts, verbose=0)
    model.save_to_preset(str(tmp_path / "preset"))
    again = SiATLClassifier.from_preset(str(tmp_path / "preset"))
    assert isinstance(again.task_head.pooling, MaxPooling)
    np.testing.assert_allclose(
        again.predict_proba(texts, verbose=0), expected, atol=1e-6
    )
    served = tf.saved_model.load(export_saved_model(model, tmp_path / "served"))
    answer = served.signatures["serving_default"](text=tf.constant(texts))
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-6)
