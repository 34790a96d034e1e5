"""`DistillConfig`: a distillation as a value."""

from __future__ import annotations

from dataclasses import dataclass

from siatl_keras.arguments import check_choice
from siatl_keras.plans import METHODS
from siatl_keras.plans.methods import filled
from siatl_keras.presets.named_models import SHIPPED
from siatl_keras.runs.defaults import SAMPLED_WORDS
from siatl_keras.runs.finetune_config import FinetuneConfig
from siatl_keras.setting import check_given, setting

# Texts read in training, over all epochs: minutes on an LSTM. With many texts that are
# answered, rates may be high and the language model learns from the start.
PASSES, FEWEST, MOST = 100_000, 3, 30
RATES = {
    "task_learning_rate": 1e-3,
    "pretrained_learning_rate": 1e-3,
    "pretrained_optimizer": "adam",
    "schedule": "warmup_cosine",
}


@dataclass(frozen=True, kw_only=True)
class DistillConfig(FinetuneConfig):
    """What `distill` does: a `FinetuneConfig`, and what teaches beside the labels.

    The help text of each field says what it does; it is also that of the flag of the
    same name.

    Raises:
        ValueError: as `FinetuneConfig`; if there is no teacher, the method fine-tunes
            nothing, or there are `folds`.
    """

    teacher: str = setting(None, "Preset of the fine-tuned classifier that teaches.")
    texts: tuple[str, ...] = setting(
        (), "Texts without labels that it answers: .txt, .tsv, … May be repeated."
    )
    lm: str = setting(
        SHIPPED[0], "Preset of the language model that learns, or its name."
    )
    epochs: int | None = setting(
        None,
        f"Most epochs. By default as many as read {PASSES:,} texts, from {FEWEST} to "
        f"{MOST}; all of them are done, and the one nearest to the teacher is kept.",
        lower_bound=1,
    )
    backbone_epoch: int = setting(
        1, "Epoch from which the language model's layers learn.", lower_bound=1
    )
    embedding_epoch: int = setting(
        2, "Epoch from which the embeddings learn.", lower_bound=1
    )
    method: str = setting(
        "siatl", "How it learns: a method of recipes.finetune.", choices=tuple(METHODS)
    )

    word_scores: bool | None = setting(
        None,
        "Mix what the words of the labelled texts say into the answers. On by default "
        "without --class_weight.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_given(self, "teacher")
        if self.folds:
            raise ValueError(
                "`folds` are for `finetune`: what a teacher has said of one held-out "
                f"part is enough to choose by. Received: folds={self.folds}. Leave it "
                "out."
            )
        check_choice(METHODS, method=self.method)

    def with_defaults(self, taught: int, vocabulary: int) -> DistillConfig:
        """Fills in what was left out.

        Args:
            taught: texts that the teacher has answered.
            vocabulary: words that the language model knows.
        """
        epochs = self.epochs or max(FEWEST, min(MOST, round(PASSES / taught)))
        sampled = SAMPLED_WORDS if vocabulary > SAMPLED_WORDS else None
        defaults = {
            **RATES,
            "epochs": epochs,
            "patience": epochs,
            "sampled_words": sampled,
            "word_scores": not self.class_weight,
        }
        config = filled(self, defaults)
        if config.word_scores and not config.pair_column:
            config = filled(config, {"long_texts": "words"})
        return config
