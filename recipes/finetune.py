"""Fine-tunes a classifier on labelled texts, on top of a language model.

python -m recipes.finetune --train=train.tsv --validation=validation.tsv \
    --test=test.tsv --lm=saved_models/tweets_lstm_small_en --output=runs/sarcasm
python -m recipes.finetune --flagfile=recipes/flags/scv2.flags --seed=1 \
    --output=runs/scv2-1

python -m recipes.finetune --flagfile=recipes/flags/scv2.flags --method=bow \
    --output=runs/scv2-bow
python -m recipes.finetune --flagfile=recipes/flags/scv2.flags --output=runs/smollm2 \
    --lm=runs/presets/smollm2 --lora_rank=8  # a preset of KerasHub

Stopped runs go on when started again with the same --output.
"""

from absl import flags

from recipes import common
from siatl_keras.layers.task_head import POOLINGS
from siatl_keras.models import LSTMBackbone, backbone_class
from siatl_keras.training import PRETRAINED_OPTIMIZERS, PRETRAINED_RATES, SCHEDULES
from siatl_keras.workflows import METHODS, finetune

FLAGS = flags.FLAGS
flags.DEFINE_string("train", None, "Labelled texts: .tsv, .csv, .jsonl, also .gz.")
flags.DEFINE_string("validation", None, "Labelled texts for early stopping.")
flags.DEFINE_string("test", "", "Labelled texts for the report.")
flags.DEFINE_string("text_column", "text", "Column (or JSON key) with the text.")
flags.DEFINE_string("label_column", "label", "Column (or JSON key) with the label.")
flags.DEFINE_string("lm", None, "Preset of the language model.")
flags.DEFINE_enum(
    "method",
    "siatl",
    list(METHODS),
    "siatl, without parts of it, from scratch, the plain last token with one Adam, "
    "ulmfit, or logistic regression on means of embeddings (nbow) or counts (bow).",
)
flags.DEFINE_integer("epochs", 30, "Most epochs.")
flags.DEFINE_integer("patience", 6, "Epochs without a lower validation task loss.")
flags.DEFINE_integer("batch_size", 32, "Texts a step, over all devices.")
flags.DEFINE_integer("sequence_length", 80, "Most tokens kept of a text.")
flags.DEFINE_float("gamma_initial", 0.2, "γ, the LM loss's weight, in epoch 1.")
flags.DEFINE_float("gamma_final", 0.1, "γ from epoch --gamma_epochs on.")
flags.DEFINE_integer("gamma_epochs", 15, "Epochs of γ's decay.")
flags.DEFINE_integer("backbone_epoch", 2, "Epoch from which the LM's layers learn (n).")
flags.DEFINE_integer("embedding_epoch", 5, "Epoch from which embeddings learn (k).")
flags.DEFINE_integer(
    "layers_per_epoch", None, "LM layers that begin to learn an epoch, from the top."
)
flags.DEFINE_integer(
    "sampled_words",
    None,
    "Words that estimate the LM loss in training; all if unset.",
    lower_bound=2,
)
flags.DEFINE_integer(
    "lora_rank",
    None,
    "Adapters of this rank learn in place of a transformer's weights.",
)
flags.DEFINE_bool(
    "gradient_checkpointing",
    False,
    "A transformer's blocks need less memory and more time.",
)
flags.DEFINE_float("task_learning_rate", 5e-4, "Adam's, for the new layers.")
flags.DEFINE_float(
    "pretrained_learning_rate",
    None,
    "For the pretrained layers. "
    + ", ".join(f"{rate} with {name}" for name, rate in PRETRAINED_RATES.items())
    + " by default.",
)
flags.DEFINE_enum(
    "pretrained_optimizer",
    None,
    list(PRETRAINED_OPTIMIZERS),
    "For the pretrained layers. By default sgd, the paper's, on an LSTM, adam on "
    "others.",
)
flags.DEFINE_float("clipnorm", 1.0, "Norm each optimizer's gradient is clipped to.")
flags.DEFINE_enum(
    "schedule",
    None,
    list(SCHEDULES),
    "Of the learning rates, which are then the highest. one_cycle gives SGD momentum "
    "too: a tenth of --pretrained_learning_rate goes as far. By default "
    "slanted_triangular for ulmfit, constant for the others.",
)
flags.DEFINE_float(
    "average_momentum",
    None,
    "Keep the mean of the weights over the last steps, at most 1 / (1 - this) of them.",
    lower_bound=0.0,
)
flags.DEFINE_integer("lm_epochs", 15, "ulmfit: epochs of the LM on the task's texts.")
flags.DEFINE_float("lm_learning_rate", 4e-3, "ulmfit: highest rate in these epochs.")
flags.DEFINE_enum("class_weight", None, ["balanced"], "Weight classes by rarity.")
flags.DEFINE_string("stage2_optimizer", None, "Optimizer that stage 2 starts with.")
flags.DEFINE_string("stage3_optimizer", None, "Optimizer that stage 3 starts with.")
flags.DEFINE_integer("units", 100, "Units of the task LSTM.")
flags.DEFINE_integer(
    "task_layers", None, "Number of task LSTMs. 1 by default, 0 on a transformer."
)
flags.DEFINE_bool("bidirectional", False, "Task LSTM both ways.")
flags.DEFINE_enum(
    "pooling", "attention", POOLINGS, "Of its steps; on transformers, try last."
)
flags.DEFINE_float("lstm_dropout", 0.3, "Dropout on the task LSTM's output.")
flags.DEFINE_float("attention_dropout", 0.3, "Dropout on the attention's scores.")
flags.DEFINE_float("embedding_dropout", 0.2, "Share of words dropped.")
flags.DEFINE_float("input_dropout", 0.1, "Dropout on the embeddings.")
flags.DEFINE_float("hidden_dropout", 0.4, "Dropout between the LM's LSTMs.")
flags.DEFINE_float("output_dropout", 0.1, "Dropout on the LM's output.")
common.define_training_flags()
flags.adopt_module_key_flags(common)
flags.mark_flags_as_required(["train", "validation", "lm"])

PLAIN_FLAGS = (
    "method",
    "text_column",
    "label_column",
    "epochs",
    "patience",
    "batch_size",
    "sequence_length",
    "gamma_initial",
    "gamma_final",
    "gamma_epochs",
    "backbone_epoch",
    "embedding_epoch",
    "layers_per_epoch",
    "sampled_words",
    "lora_rank",
    "gradient_checkpointing",
    "task_learning_rate",
    "pretrained_learning_rate",
    "pretrained_optimizer",
    "clipnorm",
    "schedule",
    "average_momentum",
    "lm_epochs",
    "lm_learning_rate",
    "class_weight",
    "seed",
)
TASK_FLAGS = ("units", "bidirectional", "pooling", "lstm_dropout", "attention_dropout")
BACKBONE_FLAGS = (
    "embedding_dropout",
    "input_dropout",
    "hidden_dropout",
    "output_dropout",
)


def backbone_arguments():
    """The dropouts: an LSTM's defaults are no arguments of other backbones."""
    if METHODS[FLAGS.method].features:
        return {}
    lstm = issubclass(backbone_class(FLAGS.lm), LSTMBackbone)
    return {
        name: FLAGS[name].value
        for name in BACKBONE_FLAGS
        if lstm or FLAGS[name].present
    }


def main():
    """Fine-tunes, and writes the model and its report into the run's folder."""
    strategy = common.start_training()
    run = common.open_run()
    stages = {2: FLAGS.stage2_optimizer, 3: FLAGS.stage3_optimizer}
    _, metrics = finetune(
        FLAGS.train,
        FLAGS.validation,
        FLAGS.test,
        FLAGS.lm,
        FLAGS.output,
        **{name: FLAGS[name].value for name in PLAIN_FLAGS},
        task_layers={
            "num_layers": FLAGS.task_layers,
            **{name: FLAGS[name].value for name in TASK_FLAGS},
        },
        backbone=backbone_arguments(),
        stage_optimizers={stage: name for stage, name in stages.items() if name},
        strategy=strategy,
    )
    if FLAGS.test:
        print((run.path / "report.txt").read_text("utf-8"))
    if "best_epoch" in metrics:
        print(f"best epoch {metrics['best_epoch']}; model: {run.path / 'model'}")


if __name__ == "__main__":
    common.run(main)
