"""`FinetuneConfig`: a fine-tuning run as a value.

The command-line flags, their help and their defaults, the settings that `tune` searches
over, and the arguments of the plan are all derived from its fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from siatl_keras.arguments import check_choice, check_share
from siatl_keras.heads import POOLINGS
from siatl_keras.inputs import Column
from siatl_keras.models import LSTMBackbone
from siatl_keras.models.siatl_preprocessor import LONG_TEXTS
from siatl_keras.plans import METHODS, Plan, Settings
from siatl_keras.presets.named_models import AUTO
from siatl_keras.setting import SearchRange, check_given, setting
from siatl_keras.tasks import TASKS, Ordinal, SingleLabel, Task

# The methods that fine-tune nothing, see `fit_linear_baseline`.
BASELINES = ("nbow", "bow")
METHOD_NAMES = (*METHODS, *BASELINES)
# Tokens of a text that an LSTM reads, where nothing else is said: those of a tweet.
SEQUENCE_LENGTH = 80
# Of an `LSTMBackbone`, where they are not given; other backbones keep their own.
LSTM_DROPOUTS = {
    "embedding_dropout": 0.2,
    "input_dropout": 0.1,
    "hidden_dropout": 0.4,
    "output_dropout": 0.1,
}
_CHOSEN = "the one called {}, or that the file's beginning tells from the others."
_LM_DROPOUT = ", {} by default on an LSTM; other backbones keep their preset's."


def _lm_dropout(name: str, text: str, search: SearchRange | None = None) -> Any:
    by_default = _LM_DROPOUT.format(LSTM_DROPOUTS[name])
    return setting(None, text + by_default, search=search)


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig(Settings):
    """What `finetune` does: data, language model, method and its settings.

    The help text of each field says what it does; it is also that of the flag of the
    same name. "bow" and "nbow" use the files, their columns, the task,
    `class_weight` and `sequence_length` alone.

    Raises:
        ValueError: if a value is not one of its field's choices, or too low.

    Example:
    >>> config = FinetuneConfig(train="train.tsv", output="runs/mine", epochs=14,
    ...     method="siatl")
    >>> config.plan().phases[1].learns
    ('task', 'backbone')
    """

    train: str = setting(
        None,
        "Labelled texts: .tsv, .csv, .jsonl, also .gz; with the extra [tables], .xlsx "
        "and .parquet.",
    )
    validation: str = setting(
        "",
        "Labelled texts for early stopping. Without, some of the training texts are "
        "held out, see --validation_share.",
    )
    validation_share: float = setting(
        0.1, "Share of the training texts that is held out where no others are given."
    )
    folds: int | None = setting(
        None,
        "In place of holding one part out: hold out each of so many parts in turn, "
        "choose epochs and answers by all of them, then train on all texts.",
        lower_bound=2,
    )
    test: str = setting("", "Labelled texts for the report.")
    lm: str = setting(
        AUTO,
        "Preset of the language model, or its name. By default smollm2_135m where it "
        "has been fetched, else tweets_lstm_small_en.",
    )
    output: str = setting(None, "Folder of the run.")
    method: str = setting(
        AUTO,
        "siatl, without parts of it, from scratch, the plain last token with one Adam, "
        "ulmfit, the lower half of a transformer, or a linear model of means of "
        "embeddings (nbow) or of counts (bow). By default siatl on an LSTM, lower-half "
        "on a transformer.",
        choices=(AUTO, *METHOD_NAMES),
    )
    text_column: str | None = setting(
        None, "Column (or JSON key) with the text. By default " + _CHOSEN.format("text")
    )
    label_column: str | None = setting(
        None,
        "Column (or JSON key) with the label. By default " + _CHOSEN.format("label"),
    )
    pair_column: str = setting("", "Column with the second text of each pair.")
    encoding: str = setting("utf-8", "Of text files, such as cp1252.")
    drop_bad_rows: bool = setting(
        False,
        "Go on without the rows that cannot be used, and list them in "
        "dropped_rows.tsv.",
    )
    task: str = setting(
        SingleLabel.kind,
        "A class per text, several labels (a,b in the file), a level or a number.",
        choices=tuple(TASKS),
    )
    levels: str = setting(
        "", "Levels of an ordinal task, lowest first: low,medium,high."
    )
    batch_size: int = setting(32, "Texts per step, over all devices.", lower_bound=1)
    sequence_length: int | None = setting(
        None,
        "Most tokens read of a text, or in a window of it. By default 256, and the "
        "paper's 80 on an LSTM where a method is named.",
        lower_bound=1,
    )
    long_texts: str | None = setting(
        None,
        "Cut them, read them in windows, or cut them and count the words of all. By "
        "default words where there are word scores, but of pairs; else cut.",
        choices=LONG_TEXTS,
    )
    max_windows: int = setting(
        16, "Most times sequence_length kept of a long text.", lower_bound=2
    )
    class_weight: str | None = setting(
        None, "Weight classes by their rarity.", choices=("balanced",)
    )
    sampled_words: int | None = setting(
        None,
        "Words that estimate the LM loss in training. All by default, but 2048 on an "
        "LSTM where no method is named.",
        lower_bound=2,
    )
    gradient_checkpointing: bool = setting(
        False, "Recompute a transformer's activations: less memory and more time."
    )
    units: int = setting(100, "Units of the task LSTM.", lower_bound=1)
    task_layers: int | None = setting(
        None, "Number of task LSTMs. 1 by default, 0 on a transformer."
    )
    bidirectional: bool = setting(False, "Run the task LSTM both ways.")
    pooling: str = setting(
        "attention",
        "How states become the vector of a text; on transformers, try last.",
        choices=tuple(POOLINGS),
    )
    lstm_dropout: float = setting(
        0.3, "Dropout on the task LSTM's output.", search=SearchRange(0.0, 0.6)
    )
    attention_dropout: float = setting(0.3, "Dropout on the attention's scores.")
    lm_embedding_dropout: float | None = _lm_dropout(
        "embedding_dropout", "Share of words dropped"
    )
    lm_input_dropout: float | None = _lm_dropout(
        "input_dropout", "Dropout on the language model's embeddings"
    )
    lm_hidden_dropout: float | None = _lm_dropout(
        "hidden_dropout",
        "Dropout between the language model's LSTMs",
        SearchRange(0.0, 0.5),
    )
    lm_output_dropout: float | None = _lm_dropout(
        "output_dropout", "Dropout on the language model's output"
    )
    word_scores: bool | None = setting(
        None,
        "Mix what the words alone say into the answers. By default where neither "
        "method nor class_weight is given.",
    )
    abstain_below: float = setting(
        0.0, "Least probability of an answer: below, the model gives none."
    )
    seed: int = setting(0, "Of weights, dropout and shuffling.")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_given(self, "train", "lm", "output")
        check_share(
            validation_share=self.validation_share, abstain_below=self.abstain_below
        )
        if self.folds and self.validation:
            raise ValueError(
                "`folds` hold parts of the training texts out, each in turn, where no "
                f"others are given. Received: folds={self.folds}, "
                f"validation={self.validation!r}. Leave one of the two out."
            )
        if self.levels and self.task != Ordinal.kind:
            raise ValueError(
                f"`levels` are those of --task={Ordinal.kind}. Received: "
                f"task={self.task}, levels={self.levels}."
            )

    def plan(self) -> Plan:
        """Makes the plan of the method.

        Raises:
            ValueError: if a setting is out of range, or the method is "auto", see
                `with_defaults`, or one of `BASELINES`, which has no plan.
        """
        check_choice(METHODS, method=self.method)
        return METHODS[self.method](self)

    def make_task(self, labels: Column) -> Task:
        """Makes what is learned.

        Args:
            labels: those of the training file.

        Raises:
            ValueError: if they are not of the task, or it cannot abstain.
        """
        task: Task
        if self.levels:
            task = Ordinal([level.strip() for level in self.levels.split(",")])
        else:
            task = TASKS[self.task].from_labels(labels)
        return task.abstaining(self.abstain_below) if self.abstain_below else task

    def task_arguments(self, plan: Plan) -> dict[str, Any]:
        """Returns the arguments of `SiATLClassifier` for the task layers.

        Args:
            plan: whose `head` goes before.
        """
        return {
            "units": self.units,
            "num_layers": self.task_layers,
            "bidirectional": self.bidirectional,
            "pooling": self.pooling,
            "lstm_dropout": self.lstm_dropout,
            "attention_dropout": self.attention_dropout,
            **plan.head,
        }

    def backbone_arguments(self, backbone: type) -> dict[str, float]:
        """Returns the arguments that override those of the language model's preset.

        Args:
            backbone: the backbone's class.
        """
        given = {name: getattr(self, f"lm_{name}") for name in LSTM_DROPOUTS}
        given = {name: value for name, value in given.items() if value is not None}
        return LSTM_DROPOUTS | given if issubclass(backbone, LSTMBackbone) else given
