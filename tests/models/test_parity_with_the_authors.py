"""The authors' PyTorch code at a tiny size, dropout off, number by number.

Every figure that is compared with comes from a run of theirs (see `shared/parity`); it
is run through both LSTM implementations and both ways to compute the LM loss.
"""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from rigs.step_losses import loss_of_logits, step_losses, total_of_logits
from siatl_keras.importers.torch import backbone_from_state_dict
from siatl_keras.layers import LSTM
from siatl_keras.models import LSTMCausalLM, SiATLClassifier
from siatl_keras.models.language_model_head import LanguageModelHead
from siatl_keras.models.packing import next_tokens
from siatl_keras.optimizers import FusedAdam, FusedSGD, GroupedOptimizer

OUTPUTS, LOSSES, GRADIENTS, WEIGHTS = 1e-5, 1e-6, 1e-5, 1e-6  # tolerances
# Keras adds epsilon before it undoes the second moment's bias, PyTorch after: at the
# first step PyTorch's 1e-8 is this one.
EPSILON = 1e-8 * (1 - 0.999) ** 0.5


@pytest.fixture(scope="module")
def reference(shared_parity):
    with np.load(shared_parity / "tiny" / "reference.npz") as file:
        return dict(file)


@pytest.fixture(params=["our kernel", "Keras's loop"], autouse=True)
def lstm(request, monkeypatch):
    if request.param == "Keras's loop":
        monkeypatch.setattr(LSTM, "inner_loop", keras.layers.LSTM.inner_loop)
        for ours in ("lstm_sequence", "lstm_inference"):
            monkeypatch.setattr(f"siatl_keras.layers.lstm.{ours}", None)


@pytest.fixture(params=["sliced", "logits"])
def loss(request):
    return request.param


def part(reference, name):
    """The arrays under a name, by the rest of theirs."""
    prefix = f"{name}/"
    return {
        key.removeprefix(prefix): value
        for key, value in reference.items()
        if key.startswith(prefix)
    }


def make_backbone(weights):
    # As their own code carries a language model over into a classifier.
    names = {"bottom_rnn": "encoder", "vocab": "decoder"}
    tensors = {}
    for name, value in weights.items():
        first, _, rest = name.partition(".")
        if first in ("embed", "encoder", "decoder", "down", *names):
            tensors[f"{names.get(first, first)}.{rest}"] = value
    return backbone_from_state_dict(tensors)


@pytest.fixture
def lm(reference):
    return LSTMCausalLM(make_backbone(part(reference, "lm.weights")))


@pytest.fixture
def classifier(reference):
    weights = part(reference, "clf.weights")
    model = SiATLClassifier(make_backbone(weights), num_classes=3, units=9)
    for name, rows in table(model).items():
        if name.startswith(("top_rnn", "attention", "classes")):
            variable, value = rows[0], weights[name]
            if "_rnn.rnn.bias" in name:
                value = value + weights[other_bias(name)]
            variable.assign(np.reshape(value.T, variable.shape))
    model.gamma.assign(reference["gamma_per_epoch"][0])
    return model


def lstm_rows(prefix, index, layer):
    cell = layer.cell
    return {
        f"{prefix}.weight_ih_l{index}": (cell.kernel, True),
        f"{prefix}.weight_hh_l{index}": (cell.recurrent_kernel, True),
        # Theirs add up to ours, so each has the gradient of ours.
        f"{prefix}.bias_ih_l{index}": (cell.bias, False),
        f"{prefix}.bias_hh_l{index}": (cell.bias, False),
    }


def table(model):
    """Their names: our variable, and whether it is theirs transposed."""
    embedding, head = model.backbone.token_embedding, model.task_head
    rows = {"embed.embedding.weight": (embedding.embeddings, False)}
    for index, layer in enumerate(model.backbone.lstms):
        rows.update(lstm_rows("bottom_rnn.rnn", index, layer))
    return {
        **rows,
        **lstm_rows("top_rnn.rnn", 0, head.lstms[0]),
        "attention.attention.0.weight": (head.pooling_layer.kernel, True),
        "attention.attention.0.bias": (head.pooling_layer.bias, True),
        "vocab.bias": (embedding.reverse_bias, False),
        "classes.weight": (head.classes.kernel, True),
        "classes.bias": (head.classes.bias, False),
        "down.weight": (model.backbone.projection.kernel, True),
        "down.bias": (model.backbone.projection.bias, False),
    }


def other_bias(name):
    swapped = {"bias_ih": "bias_hh", "bias_hh": "bias_ih"}
    return re.sub("bias_[ih]h", lambda match: swapped[match[0]], name)


def in_their_shape(value, transposed, shape):
    value = np.asarray(value)
    return np.reshape(value.T if transposed else value, shape)


def batch(reference):
    lengths = reference["lengths"][:, None]
    token_ids = reference["token_ids"].astype("int32")
    mask = (np.arange(token_ids.shape[1]) < lengths).astype("int32")
    x = {"token_ids": tf.constant(token_ids), "padding_mask": tf.constant(mask)}
    targets, weights = next_tokens(x)
    labels = tf.constant(reference["labels"].astype("int32"))
    ones = tf.ones(labels.shape)
    return x, {"task": labels, "lm": targets}, {"task": ones, "lm": weights}


def losses(model, reference, loss):
    """The total loss, the task's and the LM's."""
    x, y, weights = data = batch(reference)
    if loss == "sliced":
        total, ((task, _), (lm, _)) = step_losses(model, data, training=True)
        return total, task, lm
    outputs = model(x, training=True)
    task = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return (
        total_of_logits(model, data, training=True),
        task(y["task"], outputs["task"]),
        loss_of_logits(y["lm"], outputs["lm"], weights["lm"]),
    )


def gradients(model, reference, loss):
    """The total's gradients by their names, the last word's as their code has it.

    Their embedding lookup passes `padding_idx=-1`, meaning none; to PyTorch that is the
    last word, whose embedding then gets no gradient as an input, only as an output.
    """
    variables = model.trainable_variables
    values = [variable.value for variable in variables]
    with tf.GradientTape(persistent=True) as tape:
        total, _, _ = losses(model, reference, loss)
        at_output = model.gamma * output_loss(model, reference, loss)
    computed = dict(zip(map(id, variables), tape.gradient(total, values), strict=True))
    named = {
        name: tf.convert_to_tensor(computed[id(row[0])]).numpy()
        for name, row in table(model).items()
    }
    embeddings = model.backbone.token_embedding.embeddings.value
    last_word = tf.convert_to_tensor(tape.gradient(at_output, embeddings))[-1]
    assert (reference["token_ids"] == embeddings.shape[0] - 1).any()
    named["embed.embedding.weight"][-1] = last_word
    return named


def output_loss(model, reference, loss):
    """The LM loss as a function of the output layer alone."""
    x, y, weights = batch(reference)
    hidden = tf.stop_gradient(model.backbone(x, training=True))
    embedding = model.backbone.token_embedding
    if loss == "sliced":
        head = LanguageModelHead(embedding)
        return head.loss(hidden, y["lm"], weights["lm"], training=True)[0]
    return loss_of_logits(y["lm"], embedding(hidden, reverse=True), weights["lm"])


def at_real_positions(reference, values):
    return np.asarray(values)[batch(reference)[0]["padding_mask"].numpy() > 0]


def assert_equal(received, expected, tolerance, name=""):
    np.testing.assert_allclose(received, expected, rtol=0, atol=tolerance, err_msg=name)


def test_language_model_gives_their_logits(lm, reference):
    logits = lm(batch(reference)[0], training=True)
    assert_equal(
        at_real_positions(reference, logits),
        at_real_positions(reference, reference["lm.logits"]),
        OUTPUTS,
    )


def test_language_model_gives_their_loss(lm, reference, loss):
    x, y, weights = batch(reference)
    if loss == "sliced":
        received, _ = step_losses(lm, (x, y, weights), training=True)
    else:
        received = loss_of_logits(y["lm"], lm(x, training=True), weights["lm"])
    assert_equal(received, reference["lm.loss"], LOSSES)


def test_classifier_gives_their_logits_and_attention(classifier, reference):
    x, _, _ = batch(reference)
    outputs = classifier(x, training=True)
    task_logits, attention = classifier.classify(x, training=True)
    assert_equal(
        at_real_positions(reference, outputs["lm"]),
        at_real_positions(reference, reference["clf.lm_logits"]),
        OUTPUTS,
    )
    assert_equal(outputs["task"], reference["clf.task_logits"], OUTPUTS)
    assert_equal(task_logits, reference["clf.task_logits"], OUTPUTS)
    assert_equal(
        at_real_positions(reference, attention),
        at_real_positions(reference, reference["clf.attention"]),
        OUTPUTS,
    )


def test_classifier_gives_their_losses_and_total(classifier, reference, loss):
    total, task_loss, lm_loss = losses(classifier, reference, loss)
    assert_equal(lm_loss, reference["clf.lm_loss"], LOSSES)
    assert_equal(task_loss, reference["clf.task_loss"], LOSSES)
    assert_equal(total, reference["clf.total_loss"], LOSSES)


def test_every_gradient_of_the_total_is_theirs(classifier, reference, loss):
    received = gradients(classifier, reference, loss)
    expected = part(reference, "clf.grads")
    assert received.keys() == expected.keys()
    for name, (_, transposed) in table(classifier).items():
        gradient = in_their_shape(received[name], transposed, expected[name].shape)
        assert_equal(gradient, expected[name], GRADIENTS, name)


def optimizer(sgd_rate=1e-4, clipnorm=1.0):
    pretrained = FusedSGD(sgd_rate, global_clipnorm=clipnorm)
    new = FusedAdam(5e-4, epsilon=EPSILON, global_clipnorm=clipnorm)
    return GroupedOptimizer(
        {"task": new, "backbone": pretrained, "embedding": pretrained}
    )


def group_of(name):
    groups = {"embed": "embedding", "vocab": "embedding"}
    new = dict.fromkeys(("top_rnn", "attention", "classes"), "task")
    return {**groups, **new}.get(name.partition(".")[0], "backbone")


def step_with_two_biases(model, reference, loss, **settings):
    """Our optimizers on our gradients and their parameters.

    Theirs learn each LSTM's bias twice, as two vectors that add up: the sum moves
    twice as far, and its gradient counts twice in the norm that is clipped. Our layers
    have one. So that it is their step, both vectors are variables of their own here.
    """
    start = part(reference, "clf.weights")
    computed = gradients(model, reference, loss)
    variables, grads = {}, []
    for name, (_, transposed) in table(model).items():
        variables[name] = keras.Variable(start[name])
        grads.append(in_their_shape(computed[name], transposed, start[name].shape))
    groups = {"task": [], "backbone": [], "embedding": []}
    for name, variable in variables.items():
        groups[group_of(name)].append(variable)
    optimizers = optimizer(**settings)
    optimizers.bind(groups)
    optimizers.build(list(variables.values()))
    optimizers.apply([tf.constant(g) for g in grads], list(variables.values()))
    return {name: variable.numpy() for name, variable in variables.items()}


def test_one_step_of_the_two_optimizers_gives_their_weights(
    classifier, reference, loss
):
    received = step_with_two_biases(classifier, reference, loss)
    expected = part(reference, "clf.weights_after_one_step")
    assert_equal(received["embed.embedding.weight"], expected.pop("vocab.weight"), 1e-6)
    assert received.keys() == expected.keys()
    for name, value in received.items():
        assert_equal(value, expected[name], WEIGHTS, name)
        # Far more than the tolerance for Adam, and not nothing for SGD.
        moved = np.abs(value - reference[f"clf.weights/{name}"]).max()
        assert moved > (4e-4 if group_of(name) == "task" else 1e-8), name


def test_clipping_counts_both_of_their_biases(classifier, reference, loss):
    # In the reference step both norms are under 1 (0.58 and 0.19). Under a limit that
    # acts, PyTorch's rule on their gradients says where SGD has to go; at a rate of 1,
    # for a wrong norm to show.
    settings = {"sgd_rate": 1.0, "clipnorm": 0.01}
    received = step_with_two_biases(classifier, reference, loss, **settings)
    theirs = {
        name: gradient
        for name, gradient in part(reference, "clf.grads").items()
        if group_of(name) != "task"
    }
    norm = np.sqrt(sum(np.sum(np.square(g, dtype="float64")) for g in theirs.values()))
    for name, gradient in theirs.items():
        step = gradient * 0.01 / (norm + 1e-6)
        moved = reference[f"clf.weights/{name}"] - received[name]
        assert_equal(moved, step, WEIGHTS, name)


def test_train_step_gives_their_weights_with_one_bias(classifier, reference):
    # The model's own step, metrics, graph and all. Both norms are under 1, so clipping
    # does nothing, and that our one bias counts once does not matter. It moves as each
    # of their two does, from their sum.
    classifier.compile(optimizer())
    classifier.fit(tf.data.Dataset.from_tensors(batch(reference)), verbose=0)
    start = part(reference, "clf.weights")
    after = part(reference, "clf.weights_after_one_step")
    for name, (variable, transposed) in table(classifier).items():
        expected = after[name]
        if "bias_ih" in name or "bias_hh" in name:
            expected = after[name] + start[other_bias(name)]
        received = in_their_shape(variable, transposed, expected.shape)
        assert_equal(received, expected, WEIGHTS, name)
