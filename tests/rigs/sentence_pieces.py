"""A small SentencePiece model such as those of Llama and Gemma."""

import io

import sentencepiece
from sentencepiece.sentencepiece_model_pb2 import ModelProto

SENTENCES = ["the day is good", "what a good day", "a flight is late", "(so) it goes…"]
# What makes one like Gemma's.
GEMMA_PIECES = {
    "bos_piece": "<bos>",
    "eos_piece": "<eos>",
    "pad_piece": "<pad>",
    "add_dummy_prefix": False,
}


def small_sentence_piece(**options):
    """Trains pairs with bytes for what is unknown; returns the `ModelProto`."""
    model = io.BytesIO()
    settings = {
        "vocab_size": 310,
        "user_defined_symbols": ["\n", "\u2581\u2581", "<b>"],
        "pad_id": 0,
        "eos_id": 1,
        "bos_id": 2,
        "unk_id": 3,
        **options,
    }
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 3),
        model_writer=model,
        model_type="bpe",
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        hard_vocab_limit=False,
        minloglevel=2,
        **settings,
    )
    return ModelProto.FromString(model.getvalue())
