"""What tuning by tf.data costs: `python -m benchmarks.ends_of_epochs`.

The same `fit` of the task layers on the shipped language model, 40 epochs of 10 steps;
with tuning, an iterator's destructor waits for a thread that may sleep as long again as
the iterator has lived (`siatl_keras.data.untuned`).
"""

import keras
import numpy as np
import tensorflow as tf

from benchmarks.contest import Contestant, contest
from benchmarks.tweets import texts
from siatl_keras.data import classification_dataset
from siatl_keras.models import SiATLClassifier

LM = "saved_models/tweets_lstm_small_en"
EPOCHS, STEPS, BATCH = 40, 10, 32


def training(tuned):
    """Makes the work of training for some epochs."""
    model = SiATLClassifier.from_preset(LM, num_classes=2)
    model.backbone.trainable = False
    model.compile(keras.optimizers.Adam(1e-3))
    count = STEPS * BATCH
    targets = np.arange(count) % 2
    batches = classification_dataset(
        list(texts(count)), targets, model.preprocessor, BATCH, seed=0
    )
    options = tf.data.Options()
    options.autotune.enabled = tuned
    batches = batches.with_options(options)

    def work():
        # Keras's own, since the classifier's turns the tuning off.
        keras.Model.fit(model, batches, epochs=EPOCHS, verbose=0)

    return work


def main():
    """Prints both."""
    function = "benchmarks.ends_of_epochs:training"
    sides = {"ours": False, "tuned": True}
    made = {side: Contestant(function, {"tuned": on}) for side, on in sides.items()}
    figures = contest(made)
    for side, seconds in figures["seconds"].items():
        low, high = figures["spread"][side]
        print(f"{side}: {EPOCHS} epochs in {seconds:.1f} s ({low:.1f} to {high:.1f})")
    print(f"{figures['ratio']['ours']['tuned']:.2f} times as fast")


if __name__ == "__main__":
    main()
