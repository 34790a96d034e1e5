"""The peer in plain Keras: its own LSTM, all logits at once, its own `fit` step.

A stage is what a Keras user makes of it: `trainable` set, then `compile`.
"""

import keras
import tensorflow as tf

from benchmarks.sizes import Sizes

GAMMA = 0.2


def finetuning_step(stage, **sizes):
    """Makes a training step of a stage, 1 to 3."""
    sizes = Sizes(**sizes)
    token_ids = keras.Input((None,), dtype="int32", name="token_ids")
    embedding, below, hidden = _language_model(sizes, token_ids)
    states = keras.layers.LSTM(sizes.task_units, return_sequences=True)(hidden)
    scores = keras.layers.Dense(1, activation="tanh")(states)
    weights = keras.layers.Softmax(axis=1)(scores)
    pooled = keras.ops.sum(weights * states, axis=1)
    task = keras.layers.Dense(sizes.classes, name="task")(pooled)
    lm = keras.layers.Identity(name="lm")(embedding(hidden, reverse=True))
    model = keras.Model(token_ids, {"task": task, "lm": lm})
    for layer in below:
        layer.trainable = stage >= 2
    embedding.trainable = stage >= 3
    pretrained = {id(w) for layer in (embedding, *below) for w in layer.variables}
    sgd = keras.optimizers.SGD(1e-4, global_clipnorm=1.0)
    adam = keras.optimizers.Adam(5e-4, global_clipnorm=1.0)
    optimizer = adam
    if stage > 1:
        optimizer = keras.optimizers.MultiOptimizer(
            lambda variable: sgd if id(variable) in pretrained else adam
        )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        optimizer=optimizer,
        loss={"task": loss, "lm": loss},
        loss_weights={"task": 1.0, "lm": GAMMA},
        jit_compile=False,
    )
    ids = sizes.token_ids()
    return _fit_step(model, ids[:, :-1], {"task": sizes.labels(), "lm": ids[:, 1:]})


def lstm_step(**sizes):
    """Makes a forward and backward pass through the LSTMs alone."""
    return lstm_step_of(keras.layers.LSTM, "float32", **sizes)


def lstm_step_of(layer, dtype, **sizes):
    """Makes such a pass through layers of a class, in a dtype policy."""
    sizes = Sizes(**sizes)
    layers = [
        layer(sizes.hidden, return_sequences=True, dtype=dtype)
        for _ in range(sizes.layers)
    ]
    model = keras.Sequential([keras.Input((None, sizes.embedding)), *layers])
    inputs = tf.random.normal([sizes.batch, sizes.time, sizes.embedding])

    @tf.function
    def gradients(inputs):
        values = [variable.value for variable in model.trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([inputs, *values])
            loss = tf.reduce_sum(tf.cast(model(inputs, training=True), "float32"))
        return loss, tape.gradient(loss, [inputs, *values])

    return lambda: gradients(inputs)[0].numpy()


def _language_model(sizes, token_ids):
    embedding = keras.layers.ReversibleEmbedding(
        sizes.vocabulary, sizes.embedding, name="embedding"
    )
    x = embedding(token_ids)
    below = [
        keras.layers.LSTM(sizes.hidden, return_sequences=True)
        for _ in range(sizes.layers)
    ]
    for lstm in below:
        x = lstm(x)
    below.append(keras.layers.Dense(sizes.embedding))
    return embedding, below, below[-1](x)


def _fit_step(model, x, y):
    """Makes one step of `fit`, on a batch that lies in memory."""
    dataset = tf.data.Dataset.from_tensors((x, y)).cache().repeat()
    iterator = iter(dataset)
    model.make_train_function()

    def step():
        return float(model.train_function(iterator)["loss"])

    return step
