"""Windows: each token's state once, gradients through the last ones, any length."""

import json
import subprocess
import sys

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf

from rigs.round_trips import through_keras_file, through_preset
from siatl_keras.data import classification_dataset
from siatl_keras.export import export_saved_model
from siatl_keras.models import LSTMBackbone, SiATLClassifier, SiATLPreprocessor
from siatl_keras.models.window_reading import LEARNING_WINDOWS, read_in_windows
from siatl_keras.text import WordTokenizer

LENGTHS = [3, 8, 9, 16, 17, 30, 1]
RANDOM = np.random.default_rng(0)
WORDS = [f"word{number}" for number in range(16)]
SERVER = """
import json, sys
import tensorflow as tf, tensorflow_text
assert not {"siatl_keras", "keras_hub"} & set(sys.modules)
served = tf.saved_model.load(sys.argv[1]).signatures
texts = tf.constant(json.loads(sys.argv[2]))
answer = served["serving_default"](text=texts)["probabilities"]
tokens = served["tokens"](text=texts)["tokens"]
print(json.dumps([answer.numpy().tolist(), tokens.shape.as_list()]))
"""


def inputs(lengths=LENGTHS):
    """Token ids of rows of some lengths, and four steps of padding more."""
    time = max(lengths) + 4
    mask = (np.arange(time) < np.array(lengths)[:, None]).astype("int32")
    token_ids = RANDOM.integers(4, 20, mask.shape).astype("int32") * mask
    return {"token_ids": tf.constant(token_ids), "padding_mask": tf.constant(mask)}


def lstm(**arguments):
    keras.utils.set_random_seed(3)
    return LSTMBackbone(20, 6, hidden_dim=8, num_layers=2, **arguments)


def gpt2(longest=8, **arguments):
    keras.utils.set_random_seed(3)
    arguments = {"dropout": 0.0, **arguments}
    return keras_hub.models.GPT2Backbone(
        20, 2, 2, 8, 16, max_sequence_length=longest, **arguments
    )


def by_hand(backbone, x, length=8, learning=None):
    """States of a transformer, window after window, row after row.

    Args:
        learning: keeps the own states of this many last windows alone; all if `None`.
    """
    step, rows = length // 2, []
    for token_ids, mask in zip(x["token_ids"], x["padding_mask"], strict=True):
        count, parts = int(tf.reduce_sum(mask)), []
        starts = [0]
        while starts[-1] + length < count:
            starts.append(starts[-1] + step)
        for number, start in enumerate(starts):
            window = slice(start, start + length)
            hidden = backbone(
                {
                    "token_ids": token_ids[None, window],
                    "padding_mask": mask[None, window],
                }
            )[0]
            own = hidden[: count - start] if number == 0 else hidden[step:]
            own = own[: count - start - (step if number else 0)]
            if learning is not None and number < len(starts) - learning:
                own = tf.zeros_like(own)
            parts.append(own)
        whole = tf.concat(parts, 0)
        rows.append(tf.pad(whole, [[0, len(mask) - len(whole)], [0, 0]]))
    return tf.stack(rows)


@pytest.mark.parametrize("length", [1, 4, 8, 13, 40])
def test_an_lstm_s_states_are_those_of_reading_all_at_once(length):
    backbone, x = lstm(), inputs()
    received = tf.function(lambda: read_in_windows(backbone, x, length))()
    np.testing.assert_allclose(received, backbone(x), atol=1e-6)


@pytest.mark.parametrize(
    "arguments", [{"tie_weights": False}, {"dtype": "mixed_bfloat16"}]
)
def test_other_lstms_are_read_alike(arguments):
    backbone, x = lstm(**arguments), inputs()
    received = read_in_windows(backbone, x, 8)
    expected = backbone(x)
    assert received.dtype == expected.dtype
    np.testing.assert_allclose(
        tf.cast(received, "float32"), tf.cast(expected, "float32"), atol=0.02
    )


def test_a_transformer_s_tokens_have_half_a_window_before_them():
    backbone, x = gpt2(), inputs()
    received = tf.function(lambda: read_in_windows(backbone, x, 8))()
    np.testing.assert_allclose(received, by_hand(backbone, x), atol=1e-6)


@pytest.mark.parametrize("make", [lstm, gpt2])
def test_texts_of_one_window_have_the_backbone_s_states_exactly(make):
    backbone, x = make(), inputs([3, 8, 5, 1])
    x = {name: value[:, :8] for name, value in x.items()}
    received = tf.function(lambda: read_in_windows(backbone, x, 8))()
    expected = tf.function(lambda: backbone(x))()
    real = x["padding_mask"].numpy() > 0
    np.testing.assert_array_equal(received.numpy()[real], expected.numpy()[real])


def gradients(backbone, states, weights):
    """Gradients of a weighed sum of states by the backbone's weights."""
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(states() * weights)
    values = [variable.value for variable in backbone.trainable_variables]
    found = tape.gradient(total, values)
    return [tf.convert_to_tensor(0.0 if one is None else one) for one in found]


def test_gradients_go_through_an_lstm_s_last_windows_alone():
    backbone, x = lstm(), inputs([17])
    weights = tf.constant(RANDOM.normal(size=(1, 21, 6)), "float32")

    def last_two():
        ids, mask = x["token_ids"], x["padding_mask"]
        # Five windows of four: three are read before.
        _, states = backbone.read(ids[:, :12], mask[:, :12])
        states = tf.stack([tf.stack(state, 1) for state in states], 1)
        found, _ = backbone.read(ids[:, 12:], mask[:, 12:], tf.stop_gradient(states))
        return tf.pad(found, [[0, 0], [12, 0], [0, 0]])

    received = gradients(backbone, lambda: read_in_windows(backbone, x, 4), weights)
    expected = gradients(backbone, last_two, weights)
    for one, other in zip(received, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert max(float(tf.reduce_max(tf.abs(one))) for one in received) > 0.01


def test_gradients_go_through_a_transformer_s_last_windows_alone():
    backbone, x = gpt2(), inputs()
    weights = tf.constant(RANDOM.normal(size=(len(LENGTHS), 34, 8)), "float32")
    received = gradients(backbone, lambda: read_in_windows(backbone, x, 8), weights)
    expected = gradients(
        backbone, lambda: by_hand(backbone, x, learning=LEARNING_WINDOWS), weights
    )
    for one, other in zip(received, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-3)


def classifier(make=lstm, pooling="attention", length=8, **how):
    tokenizer = WordTokenizer(["<pad>", "<s>", "</s>", "<unk>", *WORDS])
    how = {"long_texts": "windows", "max_windows": 4, **how}
    return SiATLClassifier(
        make(),
        label_names=["no", "yes"],
        preprocessor=SiATLPreprocessor(tokenizer, length, **how),
        units=5,
        pooling=pooling,
    )


def texts_of(lengths):
    return [" ".join(RANDOM.choice(WORDS, length)) for length in lengths]


@pytest.mark.parametrize("make", [lstm, gpt2])
def test_short_texts_train_as_if_they_were_cut(make):
    texts, labels = texts_of([2, 3, 5, 6] * 4), ["no", "yes"] * 8
    histories = []
    for long_texts in ("cut", "windows"):
        model = classifier(make, long_texts=long_texts)
        keras.utils.set_random_seed(1)
        histories.append(model.fit(texts, labels, 4, epochs=2, verbose=0).history)
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "pooling"),
    [
        (lstm, "attention"),
        pytest.param(lstm, "concat", marks=pytest.mark.slow),
        pytest.param(gpt2, "last", marks=pytest.mark.slow),
        pytest.param(gpt2, "attention", marks=pytest.mark.slow),
    ],
)
def test_what_stands_late_is_learned_and_all_ways_out_agree(make, pooling, tmp_path):
    # What tells the class comes after the first window, in texts of all lengths.
    random = np.random.default_rng(0)
    texts = [
        " ".join(random.choice(WORDS[4:], length)) for length in (9, 14, 20, 26) * 6
    ]
    labels = ["no", "yes", "yes", "no"] * 6
    texts = [
        f"{text} {'word1 word1' if label == 'yes' else 'word2 word2'} word3"
        for text, label in zip(texts, labels, strict=True)
    ]
    model = classifier(make, pooling)
    rate, epochs = (0.03, 50) if make is lstm else (0.01, 200)
    model.compile(keras.optimizers.Adam(rate), loss_weights={"lm": 0.01})
    history = model.fit(texts, labels, 8, epochs=epochs, verbose=0).history
    assert history["accuracy"][-1] > 0.8
    expected = model.predict_proba(texts[:8], verbose=0)
    np.testing.assert_allclose(
        tf.nn.softmax(model.classify_texts(tf.constant(texts[:8]))), expected, atol=1e-5
    )
    x = model.preprocessor(tf.constant(texts[:8]))
    np.testing.assert_allclose(tf.nn.softmax(model(x)["task"]), expected, atol=1e-5)
    if pooling != "concat":
        tokens, weights = model.attention(texts[:8])
        assert max(map(len, tokens)) > 24
        np.testing.assert_allclose([sum(row) for row in weights], 1.0, atol=1e-5)
    path = export_saved_model(model, tmp_path / "served")
    for round_trip in (through_keras_file, through_preset):
        again = round_trip(model, tmp_path, texts[:8])
        assert again.preprocessor.long_texts == "windows"
    if pooling == "concat":
        return
    command = [sys.executable, "-c", SERVER, path, json.dumps(texts[:8])]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    served, shape = json.loads(done.stdout)
    np.testing.assert_allclose(served, expected, atol=1e-5)
    assert shape[1] > 24


def test_the_lm_loss_counts_each_real_token_once():
    model = classifier(gpt2)
    model.gamma.assign(1.0)
    texts = texts_of([9, 20, 26])
    figures = model.evaluate(texts, [0, 1, 0], verbose=0, return_dict=True)
    x, y, weights = model.preprocessor(tf.constant(texts), y=tf.constant([0, 1, 0]))
    logits = by_hand(model.backbone, x)
    logits = model.backbone.token_embedding(logits, reverse=True)
    losses = keras.losses.sparse_categorical_crossentropy(
        y["lm"], logits, from_logits=True
    )
    assert float(tf.reduce_sum(weights["lm"])) == 9 + 20 + 26 + 3
    expected = tf.reduce_sum(losses * weights["lm"]) / tf.reduce_sum(weights["lm"])
    assert figures["lm_loss"] == pytest.approx(float(expected), rel=1e-4)


def test_a_text_of_any_length_is_cut_at_the_most_windows(capsys):
    model = classifier(lstm)
    token_ids = model.preprocessor.tokenize(texts_of([500, 3]))
    assert token_ids.row_lengths().numpy().tolist() == [32, 5]
    with pytest.warns(
        UserWarning, match='50% .* cut at 32 tokens.*long_texts="windows"'
    ):
        model.fit(texts_of([500, 3]), ["no", "yes"], verbose=2)
    assert "cut at 32 tokens" in capsys.readouterr().out


def test_windows_train_under_a_compiled_plan_with_sampled_words():
    model = classifier(lstm)
    model.compile("auto", sampled_words=6)
    dataset = classification_dataset(
        texts_of([30, 4, 12, 9] * 2), np.array([0, 1] * 4), model.preprocessor, 4
    )
    history = model.fit(dataset, epochs=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"long_texts": "slide"}, "`long_texts` must be one of"),
        ({"max_windows": 1}, "`max_windows` must be a whole number, at least 2"),
        ({"pairs": True}, '`long_texts` must be "cut" with `pairs=True`'),
        ({"pad_to_sequence_length": True}, "`pad_to_sequence_length=True`"),
    ],
)
def test_what_cannot_be_read_in_windows_is_refused(how, message):
    with pytest.raises(ValueError, match=message):
        classifier(**how)


def test_a_window_longer_than_the_backbone_reads_is_refused():
    with pytest.raises(ValueError, match="GPT2Backbone reads 8 at most"):
        classifier(gpt2, length=9)
