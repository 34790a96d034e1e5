"""`checkpoint_tokenizer`: a checkpoint's tokenizer, as one of KerasHub's.

It is described as in ggml's files.
"""

from __future__ import annotations

from typing import Any

import keras_hub
from sentencepiece.sentencepiece_model_pb2 import ModelProto  # type: ignore[attr-defined]

from siatl_keras.importers.checkpoint_fields import BYTE_PAIRS, SENTENCE_PIECE

# Kinds of tokens, in the file as in SentencePiece's own.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
SPACE = "\N{LOWER ONE EIGHTH BLOCK}"


def checkpoint_tokenizer(fields: dict[str, Any], architecture: str, name: str) -> Any:
    """Makes the tokenizer of a file.

    Args:
        fields: of the file.
        architecture: of its model.
        name: of the file, for errors.

    Raises:
        ValueError: if it is of a kind that is not known here, or lacks tokens.
    """
    kind = fields.get("tokenizer.ggml.model")
    if kind == BYTE_PAIRS:
        return _byte_pairs(fields, name)
    if kind == SENTENCE_PIECE:
        return _sentence_piece(fields, architecture, name)
    raise ValueError(
        f"`checkpoint` {name}: tokenizer.ggml.model must be {BYTE_PAIRS!r} (byte "
        f"pairs) or {SENTENCE_PIECE!r} (SentencePiece's pairs). "
        f"Found: {str(kind)[:40]!r}."
    )


def _byte_pairs(fields: dict[str, Any], name: str) -> Any:
    words = _texts(fields, "tokenizer.ggml.tokens", name)
    merges = _texts(fields, "tokenizer.ggml.merges", name)
    _check_has(words, {"<|endoftext|>", "<|im_end|>"}, name)
    # Qwen 3's special tokens are SmolLM2's and Qwen 2's; KerasHub's Qwen 2 pads with
    # the first token of the vocabulary, whatever it is.
    return keras_hub.models.Qwen3Tokenizer(
        vocabulary={word: number for number, word in enumerate(words)}, merges=merges
    )


def _sentence_piece(fields: dict[str, Any], architecture: str, name: str) -> Any:
    words = _texts(fields, "tokenizer.ggml.tokens", name)
    if architecture == "gemma3":
        _check_has(words, {"<bos>", "<eos>", "<pad>"}, name)
        return keras_hub.models.Gemma3Tokenizer(
            proto=_proto(fields, words, name), has_vision_tokens=False
        )
    _check_has(words, {"<s>", "</s>"}, name)
    return keras_hub.models.LlamaTokenizer(proto=_proto(fields, words, name))


def _check_has(words: list[str], wanted: set[str], name: str) -> None:
    if missing := wanted.difference(words):
        raise ValueError(
            f"`checkpoint` {name}: its {len(words)} tokens lack {sorted(missing)}, "
            "which texts and turns begin and end with, or are padded with."
        )


def _proto(fields: dict[str, Any], words: list[str], name: str) -> bytes:
    """Writes the model of SentencePiece that the file was made of."""
    scores = _numbers(fields, "tokenizer.ggml.scores", len(words), name)
    kinds = _numbers(fields, "tokenizer.ggml.token_type", len(words), name)
    unknown = fields.get("tokenizer.ggml.unknown_token_id", 0)
    if type(unknown) is not int or not 0 <= unknown < len(words):
        raise ValueError(
            f"`checkpoint` {name}: tokenizer.ggml.unknown_token_id must be one of its "
            f"{len(words)} tokens. Found: {str(unknown)[:40]}."
        )
    proto = ModelProto()
    for number, (word, score, kind) in enumerate(
        zip(words, scores, kinds, strict=True)
    ):
        if number == unknown:
            kind = UNKNOWN  # Some files call it a control.
        elif kind == UNKNOWN:
            kind = UNUSED  # There can be one only.
        elif kind == USER_DEFINED:
            word = word.replace(" ", SPACE)  # It is compared with texts so written.
        proto.pieces.add(piece=word, score=score, type=int(kind))
    trainer, normalizer = proto.trainer_spec, proto.normalizer_spec
    trainer.model_type = trainer.BPE
    trainer.vocab_size = len(words)
    trainer.byte_fallback = BYTE in kinds
    trainer.unk_id, trainer.unk_piece = unknown, words[unknown]
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = bool(
        fields.get("tokenizer.ggml.add_space_prefix", True)
    )
    normalizer.remove_extra_whitespaces = False
    return proto.SerializeToString()


def _texts(fields: dict[str, Any], key: str, name: str) -> list[str]:
    texts = fields.get(key)
    if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
        raise ValueError(f"`checkpoint` {name}: {key} must be a list of texts.")
    return texts


def _numbers(fields: dict[str, Any], key: str, count: int, name: str) -> list[float]:
    numbers = fields.get(key)
    if not isinstance(numbers, list) or len(numbers) != count:
        raise ValueError(
            f"`checkpoint` {name}: {key} must be a list of {count} numbers, one for "
            f"each token. Found: {str(numbers)[:40]}."
        )
    return numbers
