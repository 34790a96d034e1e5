"""A small model with two outputs and layer groups, as the training package needs it."""

import keras
import keras_hub
import numpy as np

from siatl_keras.callbacks import in_order
from siatl_keras.metrics import MacroF1
from siatl_keras.optimizers import GroupedOptimizer
from siatl_keras.optimizers.groups import LayerPart

VOCABULARY, TIME, CLASSES = 7, 5, 3


class SmallModel(keras.Model):
    """Embedding, two backbone layers, a task head and an LM head tied to nothing."""

    def __init__(self, dropout=0.0, **kwargs):
        self.embedding = keras.layers.Embedding(VOCABULARY, 4, name="embedding")
        self.lower = keras.layers.Dense(4, activation="tanh", name="lower")
        self.dropout = keras.layers.Dropout(dropout, seed=3, name="dropout")
        self.upper = keras.layers.Dense(4, activation="tanh", name="upper")
        self.lm_head = keras.layers.Dense(VOCABULARY, name="lm_head", dtype="float32")
        self.task_head = keras.layers.Dense(CLASSES, name="task_head", dtype="float32")
        tokens = keras.Input((None,), dtype="int32", name="token_ids")
        hidden = self.upper(self.dropout(self.lower(self.embedding(tokens))))
        pooled = keras.layers.GlobalAveragePooling1D()(hidden)
        self.gamma = keras.Variable(0.2, trainable=False, name="gamma")
        super().__init__(
            tokens,
            {"task": self.task_head(pooled), "lm": self.lm_head(hidden)},
            **kwargs,
        )

    @property
    def parts(self):
        layers = self.embedding, self.lower, self.upper, self.lm_head, self.task_head
        return [LayerPart(layer) for layer in layers]

    def compile_arguments(self, optimizer):
        return {
            "optimizer": optimizer,
            "loss": {
                "task": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                "lm": keras.losses.SparseCategoricalCrossentropy(
                    from_logits=True, reduction="mean_with_sample_weight"
                ),
            },
            "loss_weights": {"task": 1.0, "lm": self.gamma},
            "metrics": {"task": [MacroF1(CLASSES)]},
            "weighted_metrics": {
                "lm": [keras_hub.metrics.Perplexity(from_logits=True)]
            },
            "jit_compile": False,
        }

    def compile(self, **kwargs):
        optimizer = kwargs.pop("optimizer")
        optimizer = keras.optimizers.get(optimizer)
        if isinstance(optimizer, GroupedOptimizer):
            optimizer.bind_model(self)
        super().compile(optimizer=optimizer, **kwargs)
        self.optimizer.build([v for part in self.parts for v in part.variables])

    def recompile(self, optimizer):
        # Keras builds losses and metrics from a batch, here before `fit` goes on.
        with self.distribute_strategy.scope():
            optimizer = keras.optimizers.get(optimizer)
            optimizer = type(optimizer).from_config(optimizer.get_config())
            self.compile(**self.compile_arguments(optimizer))
            self._symbolic_build(data_batch=small_data(2))
        self.make_train_function(force=True)

    def fit(self, *args, callbacks=None, verbose="auto", **kwargs):
        callbacks = in_order(callbacks, verbose)
        return super().fit(*args, callbacks=callbacks, verbose=verbose, **kwargs)

    def get_compile_config(self):
        return {"optimizer": keras.optimizers.serialize(self.optimizer)}

    def compile_from_config(self, config):
        optimizer = keras.optimizers.deserialize(config["optimizer"])
        self.compile(**self.compile_arguments(optimizer))

    def get_config(self):
        return {"dropout": self.dropout.rate}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def grouped_optimizer():
    """Adam for the task, one SGD with momentum for the rest."""
    sgd = keras.optimizers.SGD(0.1, momentum=0.9, global_clipnorm=1.0)
    return GroupedOptimizer(
        {
            "task": keras.optimizers.Adam(0.05, global_clipnorm=1.0),
            "backbone": sgd,
            "embedding": sgd,
        }
    )


def small_model(optimizer=None, steps_per_execution=1, **kwargs):
    """A compiled model with the same weights at every call."""
    keras.utils.set_random_seed(1)
    model = SmallModel(**kwargs)
    arguments = model.compile_arguments(optimizer or grouped_optimizer())
    model.compile(**arguments, steps_per_execution=steps_per_execution)
    return model


def small_data(rows=16, seed=0):
    """`(x, y, sample_weight)` with texts of different lengths, at least one token."""
    random = np.random.default_rng(seed)
    tokens = random.integers(1, VOCABULARY, (rows, TIME + 1)).astype("int32")
    lengths = random.integers(1, TIME + 1, (rows, 1))
    weights = (np.arange(TIME)[None] < lengths).astype("float32")
    labels = (tokens[:, 0] % CLASSES).astype("int32")
    return (
        tokens[:, :-1],
        {"task": labels, "lm": tokens[:, 1:]},
        {"task": np.ones(rows, "float32"), "lm": weights},
    )
