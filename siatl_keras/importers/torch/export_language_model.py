"""`export_language_model`: our language model as a checkpoint for the authors' code.

Source: what the code of Chronopoulou et al. 2019 saves and fine-tunes from.
"""

from __future__ import annotations

import os
from pathlib import Path

from siatl_keras.atomic import new_file
from siatl_keras.importers.torch.state_dict import state_dict_of_backbone
from siatl_keras.importers.torch.torch_objects import Vocab
from siatl_keras.importers.torch.vocabulary import vocabulary_of_words
from siatl_keras.importers.torch.write_checkpoint import write_zip
from siatl_keras.models import LSTMCausalLM
from siatl_keras.text import WordTokenizer


def export_language_model(
    model: LSTMCausalLM | str | os.PathLike[str],
    checkpoint: str | os.PathLike[str],
    *,
    overwrite: bool = False,
) -> None:
    """Writes a checkpoint that the authors' code loads, without PyTorch.

    It is in the zip format, which PyTorch reads from 1.6 on, and names their
    `utils.datasets.Vocab`: newer PyTorch loads it with `weights_only=False`. It has no
    optimizer state to resume training with, and no word counts. Their sequences have no
    start and no end, ours do: `<s>` and `</s>` are `<sos>` and `<eos>` there, which
    their code never looks up.

    Args:
        model: an `LSTMCausalLM` with a `WordTokenizer`, or the folder of its preset.
        checkpoint: the `.pt` file to be made.
        overwrite: whether an existing file is replaced.

    Raises:
        ValueError: if the file exists and `overwrite` is false, or the model is no such
            language model.
    """
    target = Path(checkpoint)
    if target.exists() and not overwrite:
        raise ValueError(
            f"{target} exists already. Choose another name, or pass `--overwrite` "
            "(`overwrite=True`) to replace it."
        )
    if not isinstance(model, LSTMCausalLM):
        model = LSTMCausalLM.from_preset(os.fspath(model))
    tokenizer = getattr(model.preprocessor, "tokenizer", None)
    if not isinstance(tokenizer, WordTokenizer):
        raise ValueError(
            "The authors' checkpoints hold the words, so `model` needs a preprocessor "
            f"with a `WordTokenizer`. Received: {type(tokenizer).__name__}."
        )
    backbone = model.backbone
    words = tokenizer.get_vocabulary()
    value = {
        "config": {
            "name": target.stem,
            "model": {
                "emb_size": backbone.embedding_dim,
                "embed_noise": float(backbone.embedding_noise),
                "embed_dropout": float(backbone.embedding_dropout),
                "rnn_size": backbone.hidden_dim,
                "rnn_layers": backbone.num_layers,
                "rnn_dropout": float(backbone.hidden_dropout),
                "decode": True,
                "tie_weights": backbone.tie_weights,
                "pack": True,
                "clip": 5,  # the authors' own setting of their language model
            },
            "vocab": {"size": len(words) - 4},  # without the special tokens
            "data": {"seq_len": 0},  # unlimited
        },
        "epoch": 0,
        "step": 0,
        "model": state_dict_of_backbone(backbone),
        "model_class": "LangModel",
        "optimizers": [],
        "vocab": Vocab(vocabulary_of_words(words)),
    }
    with new_file(target) as file:
        write_zip(value, file)
