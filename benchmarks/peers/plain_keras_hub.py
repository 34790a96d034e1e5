"""The peer in plain KerasHub: SmolLM2's last real state and a dense layer.

KerasHub has no classifier on its causal models; this is what its users write. Epochs,
rate and texts per step are those that transformers has by default.
"""

import keras
import keras_hub
import numpy as np

from benchmarks.quality.sides import Answers, folder_megabytes
from siatl_keras.presets.named_models import preset_path

MOST_TOKENS = 256  # As many as ours reads.
EPOCHS, RATE, BATCH = 3, 5e-5, 8


@keras.saving.register_keras_serializable("siatl_benchmarks")
class LastRealState(keras.layers.Layer):
    """Takes a text's last state that is no padding."""

    def call(self, states, padding_mask):
        """Returns float `[batch, width]`."""
        last = keras.ops.sum(padding_mask, axis=1) - 1
        return keras.ops.take_along_axis(states, last[:, None, None], axis=1)[:, 0]


def fit(texts, labels, seed, folder):
    """Fine-tunes all weights; see `benchmarks.quality.sides`."""
    keras.utils.set_random_seed(seed)
    names = sorted(set(labels))
    lm = keras_hub.models.CausalLM.from_preset(preset_path("smollm2_135m"))
    tokenizer = lm.preprocessor.tokenizer
    states = LastRealState()(lm.backbone.output, lm.backbone.input["padding_mask"])
    outputs = keras.layers.Dense(len(names), dtype="float32")(states)
    model = keras.Model(lm.backbone.input, outputs)
    model.compile(
        keras.optimizers.Adam(RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    packer = keras_hub.layers.StartEndPacker(
        MOST_TOKENS, pad_value=tokenizer.pad_token_id, return_padding_mask=True
    )

    def packed(texts):
        token_ids, mask = map(np.asarray, packer(tokenizer(texts)))
        longest = max(1, mask.sum(1).max())
        return {
            "token_ids": token_ids[:, :longest],
            "padding_mask": mask[:, :longest].astype("int32"),
        }

    numbers = np.array([names.index(label) for label in labels])
    model.fit(packed(texts), numbers, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    (folder / "saved").mkdir()
    model.save(folder / "saved" / "model.keras", include_optimizer=False)

    def answers(texts):
        logits = model.predict(packed(texts), batch_size=32, verbose=0)
        return Answers.of(names, keras.ops.softmax(logits).numpy())

    return answers, folder_megabytes(folder / "saved")
