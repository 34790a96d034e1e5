"""A classifier with a user's own pooling, from fit to the exported model."""

import keras

from rigs.round_trips import through_export, through_preset


@keras.saving.register_keras_serializable(package="tests_models")
class MaxPooling(keras.layers.Layer):
    """The highest value of each unit."""

    def call(self, states, padding_mask):
        real = keras.ops.cast(padding_mask, "bool")[..., None]
        return keras.ops.max(keras.ops.where(real, states, -1e9), axis=1), None


def test_it_learns_is_saved_and_is_served(make_classifier, texts, labels, tmp_path):
    model = make_classifier(pooling=MaxPooling())
    model.fit(texts, labels, epochs=2, batch_size=4, verbose=0)
    again = through_preset(model, tmp_path, texts)
    assert isinstance(again.task_head.pooling, MaxPooling)
    through_export(model, tmp_path, texts)
