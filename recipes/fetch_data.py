"""Gets the public data sets that the flag files name, from where they are published.

python -m recipes.fetch_data --name=snips --name=scv2
python -m recipes.finetune --flagfile=recipes/flags/scv2.flags --output=runs/scv2

Each has a licence of its own, which is shown. What is downloaded is checked by its
sum, and so is what is made of it. Where there is no network, --sources names a folder
with the files; what these are is said.
"""

from absl import flags

from . import common
from .public_data.catalogue import DATA_SETS
from .public_data.fetch import fetch_data

FLAGS = flags.FLAGS
flags.DEFINE_multi_enum("name", None, DATA_SETS, "The data sets.", required=True)
flags.DEFINE_string("output", "data", "Where their folders go.")
flags.DEFINE_string("sources", None, "Folder with the sources, got by other means.")
flags.DEFINE_bool("overwrite", False, "Get again what is there.")


def main():
    """Says what each is, and where it lies."""
    for name in FLAGS.name:
        data_set = DATA_SETS[name]
        print(f"{name}: {data_set.what}; licence: {data_set.licence}", flush=True)
        print(fetch_data(data_set, FLAGS.output, FLAGS.sources, FLAGS.overwrite))


if __name__ == "__main__":
    common.run(main)
