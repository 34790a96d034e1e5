"""Processes that train as workers, or alone, as copies of one that has imported all.

For scripts in which TensorFlow has not computed anything yet.
"""

import json
import os
import runpy
import socket
import sys
import time


def start_alone(function, log):
    """Calls a function in a process of its own; returns the process's number.

    Args:
        function: without arguments; raises `SystemExit` to end with a status.
        log: path of what it prints, errors too.
    """
    if pid := os.fork():
        return pid
    handle = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(handle, number)
        setattr(sys, name, os.fdopen(number, "w", buffering=1))
    function()
    sys.exit()


def start_workers(functions, logs):
    """Starts a worker for each function; returns the processes' numbers."""
    sockets = [socket.create_server(("localhost", 0)) for _ in functions]
    addresses = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    pids = []
    for index, (function, log) in enumerate(zip(functions, logs, strict=True)):
        os.environ["TF_CONFIG"] = json.dumps(
            {
                "cluster": {"worker": addresses},
                "task": {"type": "worker", "index": index},
            }
        )
        pids.append(start_alone(function, log))
    del os.environ["TF_CONFIG"]
    return pids


def recipe(name, *flags):
    """Returns a function that runs a recipe."""

    def run():
        sys.argv = [name, *flags]
        runpy.run_module(f"recipes.{name}", run_name="__main__", alter_sys=True)

    return run


def ends(pids):
    """Waits for processes; returns their exit statuses, those of signals negative."""
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def wait_for(text, log):
    """Waits until a process has printed something."""
    while text not in log.read_text("utf-8"):
        time.sleep(0.1)
