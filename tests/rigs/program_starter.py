"""Starts Python programs as copies of one process that has imported what they need.

A program of its own, so that flags, devices and exits are those of a fresh process,
without the seconds that importing TensorFlow takes. `conftest.start_program` asks for
them: a JSON object in each line, answered by the exit status. Nothing is computed here,
since TensorFlow's threads would not be in the copies.
"""

import json
import os
import runpy
import sys

# As the recipes do it: TensorFlow without its noise.
import recipes  # noqa: F401
import siatl_keras.runs  # noqa: F401


def next_program():
    """Returns the next request in a copy of this process; ends when none is left."""
    while line := sys.stdin.readline():
        if not (process := os.fork()):
            return json.loads(line)
        status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        print(status, flush=True)
    sys.exit()


def run(arguments, stdin, stdout, stderr):
    """Runs a module (`-m`, its name) or a script, as Python does from the start."""
    for number, path, mode in (
        (0, stdin, os.O_RDONLY),
        (1, stdout, os.O_WRONLY),
        (2, stderr, os.O_WRONLY),
    ):
        os.dup2(os.open(path, mode), number)
    sys.stdin = os.fdopen(0, encoding="utf-8")
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0] = os.path.dirname(arguments[0])
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    run(**next_program())
