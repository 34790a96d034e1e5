"""Everything once, on the sample data: fine-tune, compare, export, ask.

python -m recipes.quickstart [--short] [--output=runs/quickstart]

Fine-tunes the shipped language model on 780 support-desk messages with SiATL, beside
the same model from scratch and logistic regression on word counts; exports a SavedModel
and asks it three questions in a process that knows only TensorFlow.
"""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from absl import flags

from siatl_keras.data import read_examples
from siatl_keras.evaluation import bag_of_words_baseline
from siatl_keras.export import export_saved_model
from siatl_keras.inputs import Column
from siatl_keras.runs import FinetuneConfig, finetune
from siatl_keras.runs.run_folder import RunFolder

from . import common

FLAGS = flags.FLAGS
flags.DEFINE_bool("short", False, "Few epochs: shows that it runs, not how well.")
flags.DEFINE_string(
    "output", "runs/quickstart", "Folder; an earlier quickstart's is replaced."
)

DATA = Path(__file__).parent / "data" / "support_desk"
LM = "tweets_lstm_small_en"
SETTINGS = {
    "epochs": 18,
    "patience": 4,
    "batch_size": 16,
    "sequence_length": 40,
    "gamma_epochs": 18,
    "backbone_epoch": 2,
    "embedding_epoch": 3,
    "task_learning_rate": 2e-3,
    "pretrained_learning_rate": 1.0,
    "lstm_dropout": 0.5,
    "attention_dropout": 0.0,
    "lm_embedding_dropout": 0.1,
    "lm_input_dropout": 0.2,
    "lm_hidden_dropout": 0.3,
    "lm_output_dropout": 0.3,
}
QUESTIONS = (
    "Where on earth is my parcel, it was meant to be here on Monday!!!",
    "i can't log in since you made me choose a new password",
    "You took 20 euros too much from my card this month",
)
ASK = """
import sys, tensorflow as tf, tensorflow_text
served = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answer = served(text=tf.constant(sys.argv[2:]))
for text, label, row in zip(sys.argv[2:], answer["label"], answer["probabilities"]):
    print(f"  {label.numpy().decode():<13} {float(max(row)):.2f}  {text}")
"""


def main():
    """Runs all parts, printing what happens."""
    started = time.monotonic()
    # Refuses a folder that holds something else; what an earlier quickstart left goes.
    run = RunFolder(FLAGS.output, overwrite=True)
    output = run.path
    run.clear()
    run.write_flags(f"--short={FLAGS.short}\n")
    settings = dict(SETTINGS)
    if FLAGS.short:
        settings |= {"epochs": 3, "backbone_epoch": 2, "embedding_epoch": 3}
    files = [str(DATA / f"{part}.tsv") for part in ("train", "validation", "test")]

    print("SiATL: fine-tuning the shipped language model in three stages")
    config = FinetuneConfig(
        train=files[0],
        validation=files[1],
        test=files[2],
        lm=LM,
        output=str(output / "siatl"),
        **settings,
    )
    model, siatl = finetune(config)
    print("\nThe same model from scratch")
    _, scratch = finetune(
        replace(config, method="scratch", output=str(output / "scratch"))
    )
    train, test = read_examples(files[0]), read_examples(files[2])
    words = bag_of_words_baseline(
        model.task,
        train.texts,
        model.task.encode(Column.of_file(train)),
        test.texts,
        model.task.encode(Column.of_file(test)),
    ).to_dict()

    results = {
        "SiATL": siatl["test"],
        "the same model from scratch": scratch["test"],
        "bag of words, logistic regression": words,
    }
    run.write_metrics(results)
    print(f"\n{len(test.texts)} test messages, {len(model.label_names)} intents")
    print(f"{'':<35}accuracy  macro F1")
    for name, figures in results.items():
        print(f"{name:<35}{figures['accuracy']:8.3f}  {figures['macro_f1']:8.3f}")

    exported = export_saved_model(model, output / "saved_model")
    print(f"\nSavedModel: {exported}; it answers:", flush=True)
    command = [sys.executable, "-c", ASK, exported, *QUESTIONS]
    print(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(f"TensorBoard: tensorboard --logdir {output}")
    print(f"{time.monotonic() - started:.0f} seconds")


if __name__ == "__main__":
    common.run(main)
