"""Recipes: whole jobs from the command line, `python -m recipes.<name> --help`."""

from .quiet_start import import_tensorflow_quietly

import_tensorflow_quietly()
