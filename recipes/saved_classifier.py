"""The flags that say which classifier a recipe loads, and loading it."""

from absl import flags

from siatl_keras.models import SiATLClassifier

FLAGS = flags.FLAGS


def define_flags():
    """Defines --model and --abstain_below."""
    flags.DEFINE_string("model", None, "Preset of a SiATLClassifier.", required=True)
    flags.DEFINE_float(
        "abstain_below",
        None,
        "Least probability of an answer: below, none is given. The model's own if not "
        "given.",
    )


def load():
    """Loads the classifier."""
    model = SiATLClassifier.from_preset(FLAGS.model)
    if FLAGS.abstain_below is not None:
        model.task = model.task.abstaining(FLAGS.abstain_below)
    return model
