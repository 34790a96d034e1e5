import json
import os
import time

import keras
import keras_hub
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from siatl_keras.models import SiATLPreprocessor
from siatl_keras.text import TextNormalizer, WordTokenizer

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]
WORDS = [*SPECIAL, "so", "glad", "!", "<user>", "don't", "😂"]


@pytest.fixture(scope="module")
def tokenizer():
    return WordTokenizer(WORDS)


def tokenizer_of(texts):
    """A tokenizer that knows every word of `texts`."""
    words = TextNormalizer()(list(texts)).numpy()
    known = sorted({word for text in words for word in text.decode().split()})
    return WordTokenizer([*SPECIAL, *known])


def test_special_tokens_have_the_first_ids(tokenizer):
    assert tokenizer.pad_token_id == 0
    assert tokenizer.start_token_id == 1
    assert tokenizer.end_token_id == 2
    assert tokenizer.unk_token_id == 3
    assert sorted(tokenizer.special_token_ids) == [0, 1, 2, 3]
    assert sorted(tokenizer.special_tokens) == sorted(SPECIAL)


def test_words_are_normalised_and_looked_up(tokenizer):
    ids = tokenizer.tokenize(["So GLAD! @bob", "", "Don’t know"])
    assert ids.dtype == tf.int32
    assert ids.to_list() == [[4, 3, 5, 3, 6, 7], [], [8, 3]]
    assert tokenizer.tokenize("so glad").numpy().tolist() == [4, 5]
    assert tokenizer.tokenize("").shape == (0,)


def test_called_eagerly_a_batch_becomes_lists_as_in_keras_hub(tokenizer):
    assert tokenizer(["So glad!", ""]) == [[4, 5, 6], []]
    assert tokenizer("so glad").numpy().tolist() == [4, 5]


def test_split_shows_the_words(tokenizer):
    words = tokenizer.split(["So happy!", ""])
    assert words.to_list() == [[b"so", b"happy", b"!"], []]
    assert tokenizer.split("So!").numpy().tolist() == [b"so", b"!"]


def test_the_fingerprint_tells_what_ids_depend_on(tokenizer):
    found = tokenizer.fingerprint()
    assert json.loads(json.dumps(found)) == found
    assert found == WordTokenizer(WORDS).fingerprint()
    more = WordTokenizer([*WORDS, "more"]).fingerprint()
    assert {name for name in found if found[name] != more[name]} == {
        "vocabulary_sha256"
    }
    for switch, value in TextNormalizer().get_config().items():
        other = WordTokenizer(WORDS, TextNormalizer(**{switch: not value}))
        # A rule that changes is met in the sample, whatever the switches say.
        assert other.fingerprint()["sample_sha256"] != found["sample_sha256"], switch


def test_a_batch_of_no_texts_has_no_rows(tokenizer):
    for texts in ([], tf.constant([], tf.string)):
        ids = tokenizer.tokenize(texts)
        assert ids.dtype == tf.int32
        assert ids.to_list() == []
    assert tokenizer(tf.constant([], tf.string)) == []


@pytest.mark.parametrize("typed", [*SPECIAL, "<user>", "&lt;pad&gt;", "\x02pad\x03"])
def test_typed_special_tokens_are_unknown_words(tokenizer, typed):
    assert set(tokenizer(typed).numpy()) == {tokenizer.unk_token_id}


@pytest.mark.parametrize("convert", [list, np.array, tf.constant, tf.ragged.constant])
def test_detokenize_joins_words_and_drops_padding(tokenizer, convert):
    texts = tokenizer.detokenize(convert([[1, 4, 5, 6, 2], [1, 8, 3, 2, 0]]))
    assert texts.numpy().tolist() == [b"so glad !", b"don't <unk>"]


def test_detokenize_of_one_text_or_none(tokenizer):
    assert tokenizer.detokenize([4, 5]).numpy() == b"so glad"
    assert tokenizer.detokenize([]).numpy() == b""
    assert tokenizer.detokenize([[], [4]]).numpy().tolist() == [b"", b"so"]
    assert tokenizer.detokenize(tokenizer("So glad!")).numpy() == b"so glad !"


def test_ids_and_tokens_look_each_other_up(tokenizer):
    assert tokenizer.vocabulary_size() == len(WORDS)
    assert tokenizer.get_vocabulary() == WORDS
    assert [tokenizer.id_to_token(i) for i in range(len(WORDS))] == WORDS
    assert [tokenizer.token_to_id(word) for word in WORDS] == list(range(len(WORDS)))
    assert tokenizer.token_to_id("zebra") == tokenizer.unk_token_id
    assert tokenizer.token_to_id("Glad") == tokenizer.unk_token_id  # not normalised
    for id in (-1, len(WORDS)):
        with pytest.raises(ValueError, match=rf"range\(0, {len(WORDS)}\).*{id}"):
            tokenizer.id_to_token(id)


def test_the_vocabulary_cannot_be_changed_from_outside(tokenizer):
    tokenizer.get_vocabulary().append("zebra")
    assert tokenizer.vocabulary_size() == len(WORDS)


def test_without_a_vocabulary_it_says_so():
    tokenizer = WordTokenizer()
    assert tokenizer.pad_token_id is None
    for use in (tokenizer, tokenizer.detokenize, tokenizer.token_to_id):
        with pytest.raises(ValueError, match="no vocabulary yet.*set_vocabulary"):
            use("so")
    tokenizer.set_vocabulary(WORDS)
    assert tokenizer("so").numpy().tolist() == [4]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "must begin with"),
        (["so", *SPECIAL], "must begin with.*'so'"),
        (SPECIAL[:3], "must begin with"),
        ([*SPECIAL, "so", ""], "line 6: a word must be .* not empty.*''"),
        ([*SPECIAL, "so glad"], "line 5: .*no white space.*'so glad'"),
        ([*SPECIAL, "a\u2028b"], "line 5: .*no white space"),
        ([*SPECIAL, 7], "line 5: a word must be a string.*7"),
        ([*SPECIAL, "so", "a", "so"], "line 7: 'so' stands already in line 5"),
        ([*SPECIAL, "<s>"], "line 5: '<s>' stands already in line 2"),
    ],
)
def test_a_bad_vocabulary_is_refused_with_its_line(tmp_path, words, message):
    with pytest.raises(ValueError, match=f"`vocabulary`.*{message}"):
        WordTokenizer(words)
    path = tmp_path / "words.txt"
    path.write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    if all(isinstance(word, str) for word in words):
        with pytest.raises(ValueError, match=f"words.txt.*{message}"):
            WordTokenizer(path)


def test_a_vocabulary_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ValueError, match="nowhere.txt: no such file"):
        WordTokenizer(tmp_path / "nowhere.txt")
    path = tmp_path / "latin1.txt"
    path.write_bytes("".join(f"{w}\n" for w in [*SPECIAL, "café"]).encode("latin-1"))
    with pytest.raises(ValueError, match="latin1.txt, line 5: not UTF-8 .byte 4 .*e9"):
        WordTokenizer(path)


def test_a_vocabulary_file_may_have_any_line_ends(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("\r\n".join(WORDS).encode())
    assert WordTokenizer(str(path)).get_vocabulary() == WORDS


def test_assets_round_trip(tmp_path, tokenizer):
    tokenizer.save_assets(str(tmp_path))
    assert os.listdir(tmp_path) == ["vocabulary.txt"]
    assert (tmp_path / "vocabulary.txt").read_bytes() == "".join(
        f"{word}\n" for word in WORDS
    ).encode()
    copy = WordTokenizer()
    copy.load_assets(str(tmp_path))
    assert copy.get_vocabulary() == WORDS
    assert copy("so glad 😂").numpy().tolist() == [4, 5, 9]


def test_assets_are_not_touched_when_there_is_nothing_to_save(tmp_path, tokenizer):
    tokenizer.save_assets(str(tmp_path))
    with pytest.raises(ValueError, match="no vocabulary"):
        WordTokenizer().save_assets(str(tmp_path))
    assert WordTokenizer(tmp_path / "vocabulary.txt").get_vocabulary() == WORDS


def test_preset_round_trip_keeps_words_and_switches(tmp_path):
    tokenizer = WordTokenizer(
        WORDS, normalizer=TextNormalizer(users=False, lowercase=False)
    )
    tokenizer.save_to_preset(str(tmp_path))
    config = json.loads((tmp_path / "tokenizer.json").read_text())
    copy = keras.saving.deserialize_keras_object(config)
    assert isinstance(copy, WordTokenizer)
    assert isinstance(copy, keras_hub.tokenizers.Tokenizer)
    copy.load_preset_assets(str(tmp_path))
    assert copy.get_vocabulary() == WORDS
    text = "So glad @bob!"
    assert copy(text).numpy().tolist() == tokenizer(text).numpy().tolist()
    assert copy.split(text).numpy().tolist() == [b"So", b"glad", b"@", b"bob", b"!"]


SECRET = "root:x:0:0:the administrator of all:/root:/bin/bash"


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text(f"{SECRET}\n" * 5)
    return path


@pytest.mark.parametrize("inside", ["its own", "a preprocessor's"])
def test_a_saved_config_cannot_have_a_file_read(inside, secret):
    tokenizer = WordTokenizer(WORDS)
    saved = keras.saving.serialize_keras_object(
        tokenizer if inside == "its own" else SiATLPreprocessor(tokenizer)
    )
    config = saved if inside == "its own" else saved["config"]["tokenizer"]
    config["config"]["vocabulary"] = str(secret)
    with pytest.raises(ValueError, match="names the file .*secret.txt.*not part") as e:
        keras.saving.deserialize_keras_object(saved)
    assert "administrator" not in str(e.value)


def test_a_user_who_trusts_a_config_can_say_so(tmp_path):
    (tmp_path / "words.txt").write_text("\n".join(WORDS))
    saved = keras.saving.serialize_keras_object(WordTokenizer(WORDS))
    saved["config"]["vocabulary"] = str(tmp_path / "words.txt")
    copy = keras.saving.deserialize_keras_object(saved, safe_mode=False)
    assert copy.get_vocabulary() == WORDS


@pytest.mark.parametrize("link", ["file", "folder", "relative"])
def test_a_preset_s_vocabulary_cannot_be_a_link_to_elsewhere(link, secret, tmp_path):
    preset = tmp_path / "preset"
    WordTokenizer(WORDS).save_to_preset(str(preset))
    assets = preset / "assets" / "tokenizer"
    (assets / "vocabulary.txt").unlink()
    if link == "folder":
        assets.rmdir()
        secret.rename(tmp_path / "vocabulary.txt")
        assets.symlink_to(tmp_path)
    else:
        target = "../../../secret.txt" if link == "relative" else secret
        (assets / "vocabulary.txt").symlink_to(target)
    with pytest.raises(ValueError, match="vocabulary.txt: a link to a file outside"):
        WordTokenizer().load_preset_assets(str(preset))


def test_links_within_a_preset_and_of_hugging_face_s_cache_are_followed(tmp_path):
    preset = tmp_path / "preset"
    WordTokenizer(WORDS).save_to_preset(str(preset))
    vocabulary = preset / "assets" / "tokenizer" / "vocabulary.txt"
    vocabulary.rename(preset / "words.txt")
    vocabulary.symlink_to("../../words.txt")
    cached = tmp_path / "models--x--y" / "snapshots" / "0a1b"
    (cached / "assets" / "tokenizer").mkdir(parents=True)
    (cached.parents[1] / "blobs").mkdir()
    (cached.parents[1] / "blobs" / "cafe").write_text("\n".join(WORDS))
    (cached / "assets" / "tokenizer" / "vocabulary.txt").symlink_to(
        "../../../../blobs/cafe"
    )
    (tmp_path / "current").symlink_to(preset)
    for folder in (preset, cached, tmp_path / "current"):
        tokenizer = WordTokenizer()
        tokenizer.load_preset_assets(str(folder))
        assert tokenizer.get_vocabulary() == WORDS


@pytest.mark.parametrize(
    "lines",
    [[SECRET] * 5, [*SPECIAL, SECRET], [*SPECIAL, SECRET.replace(" ", "")] * 2],
    ids=["first", "white space", "twice"],
)
def test_messages_quote_at_most_twenty_characters_of_a_file(lines, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError) as error:
        WordTokenizer(path)
    message = str(error.value).replace(str(path), "")
    assert not any(
        line[start : start + 21] in message
        for line in lines
        for start in range(len(line) - 20)
    )


def test_five_megabytes_are_answered_in_seconds(tokenizer):
    sentence = "So GLAD @bob!!! #NotFunny at 5:30, see www.example.org 😂 ünïcode :-) "
    for text in (sentence * (5_000_000 // len(sentence.encode())), "a" * 5_000_000):
        started = time.perf_counter()
        ids = tokenizer.tokenize([text, "so glad"])
        assert time.perf_counter() - started < 30
        assert ids[1].numpy().tolist() == [4, 5]
        assert ids.row_lengths()[0] > 1


raw_texts = st.one_of(st.text(max_size=40).map(str.encode), st.binary(max_size=40))


@settings(max_examples=40, deadline=None)
@given(st.lists(raw_texts, min_size=1, max_size=8))
def test_any_bytes_are_tokenized_into_words_without_white_space(texts):
    tokenizer = WordTokenizer(WORDS)
    ids, words = tokenizer.tokenize(texts), tokenizer.split(texts)
    assert ids.row_lengths().numpy().tolist() == words.row_lengths().numpy().tolist()
    for word in words.flat_values.numpy():
        assert word.decode().split() == [word.decode()]
    assert not {0, 1, 2} & set(ids.flat_values.numpy())


@settings(max_examples=20, deadline=None)
@given(
    st.lists(raw_texts, min_size=1, max_size=5),
    st.dictionaries(
        st.sampled_from(sorted(TextNormalizer().get_config())), st.booleans()
    ),
)
def test_config_round_trip_gives_the_same_tokens(texts, switches):
    tokenizer = WordTokenizer(WORDS, normalizer=TextNormalizer(**switches))
    config = json.loads(json.dumps(tokenizer.get_config()))
    copy = WordTokenizer.from_config(config)
    copy.set_vocabulary(WORDS)
    assert copy(texts) == tokenizer(texts)
    assert copy.split(texts).to_list() == tokenizer.split(texts).to_list()


# Tags are left out: what is typed never becomes one, so they cannot come back.
PLAIN = "the cat isn't well so good it's don't été 😂 日本 , . ! ? : ; - / * & ' ( )"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(PLAIN.split()), st.sampled_from(["", " ", "  "])),
        max_size=12,
    )
)
def test_detokenized_texts_of_known_words_have_the_same_ids(pieces):
    text = "".join(word + space for word, space in pieces)
    tokenizer = tokenizer_of([text])
    ids = tokenizer(text)
    if not any(word.startswith("<") for word in tokenizer.get_vocabulary()[4:]):
        again = tokenizer(tokenizer.detokenize(ids))
        assert again.numpy().tolist() == ids.numpy().tolist()
