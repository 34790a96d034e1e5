"""Imports TensorFlow without its start-up noise; errors are shown.

TensorFlow's libraries write notices to the standard error stream before any logging
setting is read, so the stream itself is filtered while they load.
"""

import os
import re
import sys
import tempfile

NOISE = re.compile(r"^(WARNING: All log messages before absl|[IW]0000 00:00)")


def import_tensorflow_quietly():
    """Imports tensorflow and tensorflow_text, dropping lines that say nothing."""
    # The C++ side's lines only: what goes wrong in an operation is a Python exception.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            import tensorflow
            import tensorflow_text  # noqa: F401
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            kept.seek(0)
            for line in kept.read().decode(errors="replace").splitlines():
                if not NOISE.match(line):
                    print(line, file=sys.stderr)
    tensorflow.get_logger().setLevel("ERROR")
