"""Serves a page on which classifiers can be tried.

siatl demo --model=runs/reviews/model
siatl demo --models=runs/small/model,runs/large/model --port=8000

One types or pastes texts and sees labels, probabilities and, where a model's pooling
is attention, what it looked at, of several models side by side; or sends a file and
gets it back labelled. It is for the person at this machine: the address is 127.0.0.1
unless --host says otherwise. Ctrl-C ends it.
"""

import contextlib

from absl import flags

from siatl_keras.demo import Answering, DemoServer
from siatl_keras.evaluation import short_names
from siatl_keras.models import SiATLClassifier

from . import common

FLAGS = flags.FLAGS
flags.DEFINE_list("models", None, "Presets of SiATLClassifiers.", required=True)
flags.DEFINE_alias("model", "models")
flags.DEFINE_string("host", "127.0.0.1", "Address to listen on.")
flags.DEFINE_integer("port", 8000, "Port; 0 takes a free one.", lower_bound=0)


def main():
    """Loads the models and serves the page until it is stopped."""
    names = short_names(FLAGS.models)
    models = {
        name: SiATLClassifier.from_preset(path)
        for name, path in zip(names, FLAGS.models, strict=True)
    }
    with DemoServer(Answering(models), FLAGS.host, FLAGS.port) as server:
        print(f"{server.url} (Ctrl-C ends it)", flush=True)
        if not server.is_for_this_machine:
            print("Others can reach it: there is no password.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    common.run(main)
