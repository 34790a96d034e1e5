"""The same words and ids eagerly, in tf.data and in an exported SavedModel."""

import tensorflow as tf

from siatl_keras.text import TextNormalizer, WordTokenizer, build_vocabulary
from siatl_keras.text.word_tokenizer import SPECIAL_TOKENS

HOSTILE = {
    "empty": b"",
    "only spaces": b" \t\r\n \xe3\x80\x80 ",
    "NUL": b"\0a\0b\0",
    "markers": b"\x02pad\x03 \x0fx\x0f &#65; \x05\x06\x0e",
    "invalid UTF-8": b"ok \xff\xfe\xc3( \xed\xa0\x80 #tag &amp;",
    "cut-off UTF-8": "😂".encode()[:3],
    "right to left": "שלום עולם \u202eabc\u202c مرحبا".encode(),
    "zalgo": ("h" + "\u0300\u0316\u034f" * 50 + "i").encode(),
    "100 kB of one letter": b"a" * 100_000,
    "100 kB of one mark": b"#" * 100_000,
    "100 kB of one emoji": "🔥".encode() * 25_000,
    "joined emoji": "👩\u200d👩\u200d👧\u200d👦🏽🇩🇪❤️\u200d\u200d".encode(),
    "typed tags": b"<pad> <s> </s> <unk> <url> &lt;pad&gt;",
    "entities": b"&#0;&#2;&#55357;&#1114112;&#9999999;&amp;&amp;#65;",
    "line ends": b"a\r\nb\x0bc\x0c\xc2\x85d\xe2\x80\xa8e",
}


class Exported(tf.Module):
    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        ids = self.tokenizer(texts)
        words = self.tokenizer.split(texts)
        return {
            "ids": ids.flat_values,
            "lengths": ids.row_lengths(),
            "words": words.flat_values,
        }


ANSWER = """
import sys
import tensorflow as tf
import tensorflow_text

folder = sys.argv[1]
module = tf.saved_model.load(folder + "/model")
texts = tf.io.parse_tensor(tf.io.read_file(folder + "/texts"), tf.string)
for name, value in module(texts).items():
    tf.io.write_file(folder + "/" + name, tf.io.serialize_tensor(value))
assert not {"siatl_keras", "keras_hub"} & set(sys.modules)
"""


def answers_of_fresh_process(tokenizer, texts, folder, run_python):
    tf.saved_model.save(Exported(tokenizer), f"{folder}/model")
    tf.io.write_file(f"{folder}/texts", tf.io.serialize_tensor(tf.constant(texts)))
    run_python("-c", ANSWER, folder)
    answers = [
        tf.io.parse_tensor(tf.io.read_file(f"{folder}/{name}"), dtype)
        for name, dtype in (
            ("ids", tf.int32),
            ("words", tf.string),
            ("lengths", tf.int64),
        )
    ]
    return [
        tf.RaggedTensor.from_row_lengths(values, answers[2]).to_list()
        for values in answers[:2]
    ]


def answers_of_tf_data(tokenizer, texts, batch_size):
    dataset = tf.data.Dataset.from_tensor_slices(texts).batch(batch_size)
    dataset = dataset.map(tokenizer, num_parallel_calls=2)
    return [row.tolist() for batch in dataset for row in batch.numpy()]


def check_all_agree(tokenizer, texts, folder, run_python):
    eager = tokenizer.tokenize(texts).to_list()
    assert answers_of_tf_data(tokenizer, texts, batch_size=7) == eager
    one_by_one = tf.data.Dataset.from_tensor_slices(texts[:50]).map(tokenizer)
    assert [row.numpy().tolist() for row in one_by_one] == eager[:50]
    ids, words = answers_of_fresh_process(tokenizer, texts, folder, run_python)
    assert ids == eager
    assert words == tokenizer.split(texts).to_list()
    return eager


def test_eager_tf_data_and_saved_model_agree_on_real_tweets(
    shared_data, tmp_path, run_python
):
    path = shared_data / "tweets" / "validation.txt"
    with open(path, "rb") as file:
        texts = [next(file).rstrip(b"\n") for _ in range(500)]
    sample = tmp_path / "sample.txt"
    sample.write_bytes(b"\n".join(texts))
    tokenizer = WordTokenizer(build_vocabulary(sample, 1500, progress=False).words)
    ids = check_all_agree(tokenizer, texts, tmp_path, run_python)
    flat = [token for row in ids for token in row]
    assert len(flat) > 5000
    assert not {0, 1, 2} & set(flat)
    assert 0 < flat.count(3) / len(flat) < 0.5


def test_eager_tf_data_and_saved_model_agree_on_hostile_texts(tmp_path, run_python):
    texts = list(HOSTILE.values())
    words = TextNormalizer()(texts[::2]).numpy()
    known = sorted({word for text in words for word in text.decode().split()})
    tokenizer = WordTokenizer([*SPECIAL_TOKENS, *known])
    ids = check_all_agree(tokenizer, texts, tmp_path, run_python)
    rows = dict(zip(HOSTILE, ids, strict=True))
    assert rows["empty"] == rows["only spaces"] == []
    assert len(rows["100 kB of one letter"]) == 2
    assert not {0, 1, 2} & {token for row in ids for token in row}
