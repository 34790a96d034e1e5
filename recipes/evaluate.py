r"""Evaluates a fine-tuned classifier on labelled texts.

python -m recipes.evaluate --model=runs/sarcasm/model --data=test.tsv \
    --output=runs/sarcasm-test
"""

from absl import flags

from siatl_keras.data import read_examples
from siatl_keras.models import SiATLClassifier
from siatl_keras.runs import check_pair_column, evaluate_classifier
from siatl_keras.tasks import MultiLabel

from . import common, text_files

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset of a SiATLClassifier.", required=True)
flags.DEFINE_string("data", None, "Labelled texts.", required=True)
flags.DEFINE_string("pair_column", "", "Column with the second text of each pair.")
flags.DEFINE_string(
    "label_column",
    None,
    "Column (or JSON key) with the label. By default the one called label, or that the "
    "file's beginning tells from the others.",
)
common.define_output_flags()
flags.adopt_module_key_flags(common)
flags.adopt_module_key_flags(text_files)


def main():
    """Evaluates; writes what `Evaluation.write` writes, and metrics.json."""
    run = common.open_run()
    model = SiATLClassifier.from_preset(FLAGS.model)
    check_pair_column(model, FLAGS.pair_column, FLAGS.model)
    columns = (FLAGS.text_column, FLAGS.label_column, FLAGS.pair_column)
    several = isinstance(model.task, MultiLabel)
    examples = read_examples(FLAGS.data, *columns, several, FLAGS.encoding)
    evaluation = evaluate_classifier(model, examples, run.path)
    run.write_metrics(evaluation.report.to_dict())
    print(evaluation.to_text())


if __name__ == "__main__":
    common.run(main)
