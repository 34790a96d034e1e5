"""`PretrainConfig`: the training of a language model as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from siatl_keras.arguments import check_positive
from siatl_keras.setting import check_given, check_settings, setting

BACKBONE = (
    "embedding_dim",
    "hidden_dim",
    "num_layers",
    "tie_weights",
    "embedding_dropout",
    "input_dropout",
    "hidden_dropout",
    "output_dropout",
    "recurrent_weight_dropout",
)


@dataclass(frozen=True, kw_only=True)
class PretrainConfig:
    """What `pretrain_language_model` does.

    The help text of each field says what it does; it is also that of the flag of the
    same name.

    Raises:
        ValueError: if a value is out of range, or missing.
    """

    train: tuple[str, ...] = setting(
        None,
        "Text file to train on, may be repeated; or the one folder that "
        "recipes.tokenize_corpus wrote of such files.",
    )
    validation: tuple[str, ...] = setting(
        None,
        "Text file for the perplexity, may be repeated; or a folder as for --train.",
    )
    vocabulary: str = setting(None, "File that recipes.build_vocabulary wrote.")
    preset: str = setting(None, "Folder of the preset to be made.")
    output: str = setting(None, "Folder of the run.")
    embedding_dim: int = setting(256, "Size of the token embedding.", lower_bound=1)
    hidden_dim: int = setting(512, "Units of each LSTM.", lower_bound=1)
    num_layers: int = setting(2, "Number of LSTMs.", lower_bound=1)
    tie_weights: bool = setting(
        True, "Whether the output layer's matrix is the embedding's."
    )
    embedding_dropout: float = setting(0.0, "Share of words dropped.")
    input_dropout: float = setting(0.1, "Locked dropout on the embeddings.")
    hidden_dropout: float = setting(0.1, "Locked dropout between LSTMs.")
    output_dropout: float = setting(0.1, "Locked dropout on the last LSTM's output.")
    recurrent_weight_dropout: float = setting(0.0, "Weight drop.")
    sequence_length: int = setting(
        64, "Most tokens kept of a text, or of a window.", lower_bound=1
    )
    stream: bool = setting(False, "Train on windows over all texts joined.")
    batch_size: int = setting(96, "Texts (or windows) per step.", lower_bound=1)
    steps: int = setting(5000, "Optimizer steps.", lower_bound=1)
    steps_per_epoch: int = setting(
        250, "Steps between validations and backups.", lower_bound=1
    )
    validation_texts: int = setting(
        2000, "Texts validated on in between; all are at the end.", lower_bound=1
    )
    learning_rate: float = setting(2e-3, "Adam's highest learning rate.")
    sampled_words: int | None = setting(
        None,
        "Words that estimate the softmax in training; all if unset.",
        lower_bound=2,
    )
    seed: int = setting(0, "Of weights, dropout and shuffling.")
    weights_dtype: str = setting("float16", "Dtype of the saved weights.")

    def __post_init__(self) -> None:
        check_settings(self)
        check_given(self, "train", "validation", "vocabulary", "preset", "output")
        check_positive(learning_rate=self.learning_rate)

    @property
    def backbone(self) -> dict[str, Any]:
        """The arguments of `LSTMBackbone`, but for the size of the vocabulary."""
        return {name: getattr(self, name) for name in BACKBONE}
