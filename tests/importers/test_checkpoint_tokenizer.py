"""checkpoint_tokenizer: what SentencePiece says of the model a file was made of."""

import gguf
import pytest
import sentencepiece
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from rigs.gguf_files import random_tensors, write
from rigs.sentence_pieces import GEMMA_PIECES, small_sentence_piece
from siatl_keras.importers.checkpoint_tokenizer import checkpoint_tokenizer


def fields_of(folder, proto, architecture):
    tensors = random_tensors(True, architecture, vocabulary=len(proto.pieces))
    path = write(folder / "lm.gguf", tensors, architecture, sentence_piece=proto)
    fields = gguf.GGUFReader(path).fields
    return {key: field.contents() for key, field in fields.items()}


@pytest.fixture(params=["gemma3", "llama"], scope="module")
def both(request, tmp_path_factory):
    """The tokenizer made of a file, and the one that the file was made of."""
    proto = small_sentence_piece(**GEMMA_PIECES if request.param == "gemma3" else {})
    fields = fields_of(tmp_path_factory.mktemp("lm"), proto, request.param)
    original = sentencepiece.SentencePieceProcessor(
        model_proto=proto.SerializeToString()
    )
    return checkpoint_tokenizer(fields, request.param, "lm.gguf"), original


@given(st.text(st.sampled_from("the day is good <b>\n\t…(é漢"), max_size=30))
def test_texts_become_the_tokens_of_the_model_that_the_file_was_made_of(both, text):
    received, original = both
    expected = original.encode(text)
    assert list(received(text)) == expected
    in_graph = tf.function(received.tokenize)(tf.constant([text]))
    assert in_graph.to_list() == [expected]


def test_it_knows_start_and_end(both):
    tokenizer, original = both
    assert tokenizer.start_token_id == original.bos_id() == 2
    assert tokenizer.end_token_id == original.eos_id() == 1


def test_the_unknown_token_may_be_called_a_control(tmp_path):
    fields = fields_of(tmp_path, small_sentence_piece(), "llama")
    fields["tokenizer.ggml.token_type"][3] = 3
    tokenizer = checkpoint_tokenizer(fields, "llama", "lm.gguf")
    assert list(tokenizer("the day"))
    assert tokenizer.token_to_id("no such token") == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tokenizer.ggml.model": "t5"}, "must be 'gpt2' .* or 'llama'.*Found: 't5'"),
        ({"tokenizer.ggml.tokens": 3}, "tokens must be a list of texts"),
        ({"tokenizer.ggml.scores": [0.0]}, "scores must be a list of 3.. numbers"),
        ({"tokenizer.ggml.token_type": None}, "token_type must be a list of 3.. num"),
        (
            {"tokenizer.ggml.unknown_token_id": 9999},
            "one of its 3.. tokens. Found: 9999",
        ),
    ],
)
def test_what_is_missing_is_named(change, message, tmp_path):
    fields = fields_of(tmp_path, small_sentence_piece(), "llama") | change
    with pytest.raises(ValueError, match=f"`checkpoint` lm.gguf: .*{message}"):
        checkpoint_tokenizer(fields, "llama", "lm.gguf")


def test_a_gemma_needs_its_special_tokens(tmp_path):
    fields = fields_of(tmp_path, small_sentence_piece(), "llama")
    with pytest.raises(ValueError, match="lack .'<bos>', '<eos>'"):
        checkpoint_tokenizer(fields, "gemma3", "lm.gguf")
