"""`import_language_model`: from the authors' checkpoint to a preset.

Source: the pretrained language model of Chronopoulou et al. 2019, section 4.
"""

from __future__ import annotations

import os
from typing import Any

from siatl_keras.atomic import new_folder
from siatl_keras.importers.torch.read_checkpoint import Checkpoint, read_checkpoint
from siatl_keras.importers.torch.state_dict import backbone_from_state_dict
from siatl_keras.importers.torch.vocabulary import words_of_vocabulary
from siatl_keras.models import LSTMCausalLM, LSTMCausalLMPreprocessor
from siatl_keras.runs.pretrain_language_model import save_preset
from siatl_keras.text import TextNormalizer, WordTokenizer


def import_language_model(
    checkpoint: str | os.PathLike[str],
    preset: str | os.PathLike[str],
    *,
    weights_dtype: str = "float32",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Writes a preset of a language model that the authors' code saved.

    The checkpoint is read by `read_checkpoint`: without PyTorch, running nothing in
    it, mapped rather than copied. What can be wrong with it is said before anything is
    written.

    Args:
        checkpoint: the `.pt` file, in PyTorch's old or zip format.
        preset: folder of the preset to be made.
        weights_dtype: dtype of the saved weights.
        overwrite: whether an existing preset is replaced.

    Returns:
        dict of `vocabulary_size`, `embedding_dim`, `hidden_dim`, `num_layers`,
        `tie_weights`, and `epoch` and `step` of the checkpoint.

    Raises:
        ValueError: if the preset exists and `overwrite` is false, or the file is
            damaged, refused, or not such a model.
    """
    read = read_checkpoint(checkpoint)
    model = language_model(read)
    with new_folder(preset, overwrite=overwrite) as folder:
        save_preset(model, folder, weights_dtype)
    shown = (
        "vocabulary_size",
        "embedding_dim",
        "hidden_dim",
        "num_layers",
        "tie_weights",
    )
    return {
        **{name: getattr(model.backbone, name) for name in shown},
        "epoch": read.epoch,
        "step": read.step,
    }


def language_model(checkpoint: Checkpoint) -> LSTMCausalLM:
    """Makes the language model of a checkpoint, with its words.

    Its preprocessor adds no start and no end, as the authors' sequences have none: the
    rows of `<sos>` and `<eos>` were never trained as inputs.

    The tokenizer's normaliser has the settings nearest to their preprocessing, which
    was ekphrasis: tags, hashtags, elongated, repeated and capital words as there; no
    NFKC, which their settings leave out; contractions split, where ekphrasis spells
    some of them out ("don't" is "do not" there and "do n't" here). Emoticons, which
    ekphrasis names (`:)` is `<happy>`), stay as they are and are mostly unknown words.

    Args:
        checkpoint: what `read_checkpoint` returned.

    Returns:
        `LSTMCausalLM` in float32, without dropout.

    Raises:
        ValueError: if the checkpoint is not such a model.
    """
    backbone = backbone_from_state_dict(checkpoint.tensors, checkpoint.name)
    words = words_of_vocabulary(
        checkpoint.vocabulary, backbone.vocabulary_size, checkpoint.name
    )
    normalizer = TextNormalizer(nfkc=False, split_contractions=True)
    preprocessor = LSTMCausalLMPreprocessor(
        WordTokenizer(words, normalizer),
        add_start_token=False,
        add_end_token=False,
    )
    return LSTMCausalLM(backbone, preprocessor)
