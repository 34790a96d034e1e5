"""Compares one device with several logical CPU devices; run by test_replicas.py.

Takes their number and prints, as JSON, the largest difference in each case. Batches
have 8 texts: 25 leave a single one for the last batch, so that replicas get none.
"""

import functools
import json
import sys

import keras
import keras_hub
import numpy as np
import tensorflow as tf

from rigs.small_model import grouped_optimizer
from rigs.tiny_classifier import WORDS, tiny_classifier, tiny_texts
from siatl_keras.callbacks import (
    GammaDecay,
    GroupLearningRates,
    SequentialUnfreezing,
    WeightAveraging,
)
from siatl_keras.models import (
    LSTMBackbone,
    LSTMCausalLM,
    LSTMCausalLMPreprocessor,
    SiATLClassifier,
    SiATLPreprocessor,
)
from siatl_keras.models.replica_share import loss_over_replicas
from siatl_keras.optimizers import GroupedOptimizer
from siatl_keras.plans import Rate, stages
from siatl_keras.text import WordTokenizer

ULMFIT_HEAD = {"pooling": "concat", "num_layers": 0, "block_units": 4}
ONE = tf.distribute.get_strategy()


def tokenizer():
    """The tokenizer of the tiny texts."""
    return WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *WORDS])


def clipping_optimizer():
    """Clips hard, in the two ways that Keras has, so that clipping shows."""
    pretrained = keras.optimizers.SGD(0.5, momentum=0.9, global_clipnorm=0.01)
    return GroupedOptimizer(
        {
            "task": keras.optimizers.Adam(0.01, epsilon=0.01, clipnorm=0.01),
            "backbone": pretrained,
            "embedding": pretrained,
        }
    )


def plain_optimizer():
    """One Keras optimizer for all, which clips hard."""
    return keras.optimizers.SGD(0.5, momentum=0.9, global_clipnorm=0.02)


def layered_optimizer():
    """An optimizer per layer, rates and momenta on their cycle."""
    layers = ["task", "backbone/projection", "backbone/lstm_1", "backbone/lstm_0"]
    rate = Rate("adam", 0.01, "one_cycle", divisor=2.6, beta_1=0.7, beta_2=0.99)
    return GroupedOptimizer(
        {
            name: rate.make("adam", 12, depth)
            for depth, name in enumerate([*layers, "embedding"])
        }
    )


def classifier(optimizer, **compile_arguments):
    """A classifier on random weights, compiled."""
    model = tiny_classifier()
    model.compile(optimizer, **compile_arguments)
    return model


def fit(model, rows, *callbacks, epochs=3, **arguments):
    """Trains on texts of different lengths; returns all that may differ."""
    history = model.fit(
        *tiny_texts(rows),
        batch_size=8,
        validation_data=tiny_texts(9, seed=1),
        epochs=epochs,
        verbose=0,
        callbacks=[*callbacks, WeightAveraging(0.8)],
        **arguments,
    )
    return {"weights": model.get_weights(), "history": history.history}


def three_stages(strategy):
    """25 texts with weights, through all stages; evaluates and predicts."""
    with strategy.scope():
        model = classifier(clipping_optimizer())
    weights = np.random.default_rng(2).uniform(0.1, 2.0, 25)
    got = fit(
        model,
        25,
        GammaDecay(epochs=3),
        SequentialUnfreezing(stages(2, 3)),
        GroupLearningRates(),
        sample_weight=weights,
        class_weight={0: 0.5, 1: 2.0, 2: 3.0},
    )
    texts, labels = tiny_texts(25)
    got["evaluate"] = model.evaluate(texts, labels, 8, sample_weight=weights, verbose=0)
    got["predict"] = model.predict(texts, 8, verbose=0)
    return got


def optimizer_per_stage(strategy):
    """7 texts, one batch; each stage is recompiled with its own optimizer."""
    with strategy.scope():
        model = classifier(grouped_optimizer())
    optimizers = {2: clipping_optimizer(), 3: plain_optimizer()}
    return fit(model, 7, SequentialUnfreezing(stages(2, 3, optimizers=optimizers)))


def ulmfit(strategy):
    """25 texts; an optimizer a layer, batch normalisation in the head."""
    with strategy.scope():
        model = tiny_classifier(layered_optimizer(), **ULMFIT_HEAD)
    return fit(model, 25, GroupLearningRates())


def steps_at_once(strategy):
    """25 texts, a plain optimizer, several steps an execution on several devices."""
    with strategy.scope():
        steps = 1 if strategy is ONE else 3
        model = classifier(plain_optimizer(), steps_per_execution=steps)
    decay = GammaDecay(0.8, 0.1, epochs=6, per="step")
    got = fit(model, 25, decay, epochs=2)
    return {**got, "predict": model.predict(tiny_texts(25)[0], 8, verbose=0)}


def transformer(strategy):
    """9 texts on a transformer; one of the replicas gets none of the last batch."""
    with strategy.scope():
        keras.utils.set_random_seed(1)
        backbone = keras_hub.models.GPT2Backbone(
            tokenizer().vocabulary_size(), 1, 2, 8, 16, dropout=0.0
        )
        preprocessor = SiATLPreprocessor(tokenizer(), sequence_length=12)
        model = SiATLClassifier(backbone, 3, preprocessor)
        model.compile(plain_optimizer())
    return fit(model, 9, epochs=2)


def language_model(strategy, **compile_arguments):
    """25 texts, a plain optimizer; evaluates and predicts."""
    with strategy.scope():
        keras.utils.set_random_seed(1)
        backbone = LSTMBackbone(
            tokenizer().vocabulary_size(), embedding_dim=6, hidden_dim=8, num_layers=1
        )
        model = LSTMCausalLM(
            backbone, LSTMCausalLMPreprocessor(tokenizer(), sequence_length=12)
        )
        model.compile(plain_optimizer(), **compile_arguments)
    texts, _ = tiny_texts(25)
    history = model.fit(texts, batch_size=8, epochs=2, verbose=0, shuffle=False)
    return {
        "weights": model.get_weights(),
        "history": history.history,
        "evaluate": model.evaluate(texts, batch_size=8, verbose=0),
        "predict": model.predict(texts[:8], batch_size=8, verbose=0),
    }


def sampled_words(strategy):
    """The same on a sample of the vocabulary."""
    return language_model(strategy, sampled_words=6)


def soft_labels(strategy):
    """25 texts whose labels are probabilities, and weights."""
    with strategy.scope():
        model = classifier(plain_optimizer())
    random = np.random.default_rng(0)
    shares = random.dirichlet(np.ones(model.task.num_outputs), 25)
    history = model.fit(
        tiny_texts(25)[0],
        shares,
        sample_weight=random.uniform(0.5, 2.0, 25),
        batch_size=8,
        epochs=2,
        verbose=0,
    )
    return {"weights": model.get_weights(), "history": history.history}


def single_batches(strategy):
    """Steps and evaluations on batches of 7 texts, each whole on every device."""
    with strategy.scope():
        model = classifier(plain_optimizer())
    texts, labels = tiny_texts(7)
    batch = model.preprocessor(tf.constant(texts), tf.constant(labels))
    # Keras's own methods: the batch is packed already.
    return {
        "train": [keras.Model.train_on_batch(model, *batch) for _ in range(2)],
        "test": keras.Model.test_on_batch(model, *batch),
        "weights": model.get_weights(),
    }


CASES = {
    2: (
        three_stages,
        optimizer_per_stage,
        ulmfit,
        steps_at_once,
        transformer,
        language_model,
        single_batches,
    ),
    3: (three_stages, steps_at_once, language_model, sampled_words, soft_labels),
}


def losses(strategy):
    """Losses of every reduction of five texts, and their gradients, over replicas."""
    y_true, y_pred, weights = (
        np.random.default_rng(3).uniform(0.1, 2.0, (5, *shape)).astype("float32")
        for shape in ((), (1,), ())
    )
    results = {}
    for reduction in ("sum", "mean", "sum_over_batch_size", "mean_with_sample_weight"):
        loss = keras.losses.MeanSquaredError(reduction)
        value = loss(y_true, y_pred, weights)
        scaled = functools.partial(loss_over_replicas, loss)
        parts = iter(
            strategy.experimental_distribute_dataset(
                tf.data.Dataset.from_tensors((y_true[:, None], y_pred, weights))
            )
        )
        total = tf.function(
            lambda batch, scaled=scaled: strategy.reduce(
                "SUM", strategy.run(scaled, args=batch), axis=None
            )
        )(next(parts))
        results[reduction] = abs(float(total) - float(value))
    return results


def overflow(strategy):
    """One replica's gradients overflow; returns the weights and the loss scale."""
    keras.config.set_dtype_policy("mixed_float16")
    with strategy.scope():
        model = classifier(plain_optimizer())
    keras.config.set_dtype_policy("float32")
    texts, labels = tiny_texts(8)
    weights = np.where(np.arange(8) == 7, 3e38, 1.0)
    before = model.get_weights()
    model.fit(
        texts, labels, batch_size=8, sample_weight=weights, shuffle=False, verbose=0
    )
    same = map(np.array_equal, before, model.get_weights())
    return all(same), float(model.optimizer.dynamic_scale.numpy())


def largest_difference(some, others):
    """Compares two structures of numbers; NaN, of what was not computed, equals NaN."""
    assert keras.tree.map_structure(np.shape, some) == keras.tree.map_structure(
        np.shape, others
    )
    pairs = zip(keras.tree.flatten(some), keras.tree.flatten(others), strict=True)
    differences = [
        np.where(np.isnan(a) & np.isnan(b), 0.0, np.abs(np.subtract(a, b))).max()
        for a, b in pairs
    ]
    return float(max(np.nan_to_num(differences, nan=np.inf)))


def main():
    """Runs everything with one strategy: several in a process break collectives."""
    count = int(sys.argv[1])
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * count,
    )
    strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])
    names = sys.argv[2:]
    results = {}
    for case in CASES[count]:
        if not names or case.__name__ in names:
            results[case.__name__] = {
                part: largest_difference(one, several)
                for (part, one), several in zip(
                    case(ONE).items(), case(strategy).values(), strict=True
                )
            }
    results["losses"] = losses(strategy)
    if count == 2:
        results["overflow"] = overflow(strategy)
    print(json.dumps(results))


if __name__ == "__main__":
    main()
