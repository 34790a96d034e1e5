"""Workers: processes, on one host or several, that train one model together.

What TF_CONFIG says of them, and what they tell each other. All of them run the same
program on the same data; each computes its part of every batch.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import tensorflow as tf

VARIABLE = "TF_CONFIG"
ROLES = ("chief", "worker")
EXAMPLE = (
    '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
    '"task": {"type": "worker", "index": 0}}'
)

# How TensorFlow says that it waits in vain for another worker.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Cluster:
    """The workers that train together, and which of them this process is.

    Attributes:
        addresses: tuple of "host:port", the chief's first.
        index: int, this process's place among them.
    """

    addresses: tuple[str, ...]
    index: int


def cluster_from_environment() -> Cluster | None:
    """Reads TF_CONFIG, as TFJob, Vertex AI and people set it.

    Returns:
        the `Cluster`; `None` where the variable is not set, or names no cluster.

    Raises:
        ValueError: if it is malformed, or this process or another is a parameter server
            or an evaluator.
    """
    text = os.environ.get(VARIABLE, "").strip()
    if not text:
        return None
    try:
        config = json.loads(text)
    except ValueError as error:
        _refuse(f"JSON ({error})", text)
    if not isinstance(config, dict):
        _refuse("a JSON object", config)
    if not config.get("cluster"):
        return None
    roles, task = config["cluster"], config.get("task")
    if not isinstance(roles, dict):
        _refuse("an object of roles in `cluster`", roles)
    if not isinstance(task, dict):
        _refuse("`task` with `type` and `index`", task)
    _refuse_roles([*roles, task.get("type")])
    for role, addresses in roles.items():
        if not isinstance(addresses, list) or not all(map(_is_address, addresses)):
            _refuse(f"a list of host:port in `cluster`, `{role}`", addresses)
    if len(roles.get("chief", [])) > 1:
        _refuse("one chief", roles["chief"])
    own = roles.get(task["type"], [])
    index = str(task.get("index"))
    if not index.isdecimal() or int(index) >= len(own):
        found = f"{len(own)} of type {task['type']!r}"
        _refuse(f"an `index` in `task` that is one of {found}", task.get("index"))
    before = len(roles.get("chief", [])) if task["type"] == "worker" else 0
    addresses = tuple(each for role in ROLES for each in roles.get(role, []))
    if len(set(addresses)) < len(addresses):
        _refuse("an address of its own for each worker", list(addresses))
    return Cluster(addresses, before + int(index))


def _is_address(value: Any) -> bool:
    return isinstance(value, str) and value.rpartition(":")[2].isdecimal()


def _refuse_roles(roles: Sequence[Any]) -> None:
    for role in roles:
        if role in ("ps", "evaluator"):
            name = {"ps": "parameter servers", "evaluator": "evaluators"}[role]
            raise ValueError(
                f"`{VARIABLE}` has the role {role!r}. Workers keep equal copies of the "
                f"weights and evaluate together: there are no {name}. Start "
                "workers alone, or a chief and workers."
            )
        if role not in ROLES:
            _refuse("the roles chief and worker alone", role)


def _refuse(expected: str, found: Any) -> NoReturn:
    raise ValueError(
        f"`{VARIABLE}`: expected {expected}. Found: {str(found)[:200]}. It should be "
        f"such as {EXAMPLE}; without it, `--devices=auto` trains on this machine alone."
    )


def is_chief(strategy: tf.distribute.Strategy | None) -> bool:
    """Tells whether this process writes what a run writes: of several, one does.

    Args:
        strategy: `None` for the default one.
    """
    return strategy is None or bool(strategy.extended.should_save_summary)


def place(strategy: tf.distribute.Strategy | None) -> tuple[int, int]:
    """Returns which of how many workers this process is, the chief being 0.

    Args:
        strategy: `None` for the default one.
    """
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return 0, 1
    resolver = strategy.cluster_resolver
    spec = resolver.cluster_spec().as_dict()
    tasks = [(role, i) for role in ROLES for i in range(len(spec.get(role, ())))]
    if len(tasks) < 2:
        return 0, 1
    return tasks.index((resolver.task_type, resolver.task_id)), len(tasks)


def gather(
    strategy: tf.distribute.Strategy | None, numbers: Sequence[int]
) -> list[list[int]]:
    """Shows all workers what each of them has; none goes on before all have come here.

    Args:
        strategy: `None` for the default one.
        numbers: this worker's; of each equally many.

    Returns:
        the numbers of each worker, the chief's first.
    """
    index, count = place(strategy)
    if strategy is None or count == 1:
        return [[int(number) for number in numbers]]
    own = tf.constant([[index, *map(int, numbers)]], tf.int64)
    replica = tf.distribute.get_replica_context
    gathered = strategy.run(lambda: replica().all_gather(own, axis=0))
    rows = strategy.experimental_local_results(gathered)[0].numpy().tolist()
    # One for each device of each worker.
    by_worker = {worker: found for worker, *found in rows}
    return [by_worker[worker] for worker in range(count)]


def on_chief(
    strategy: tf.distribute.Strategy | None, function: Callable[[], Result]
) -> Result | None:
    """Calls a function on the chief alone, while the others wait.

    Args:
        strategy: `None` for the default one.
        function: such as one that opens the run's folder.

    Returns:
        what it returns; `None` on the others.

    Raises:
        Exception: what the function raises; a ValueError on the others then.
    """
    result = error = None
    if is_chief(strategy):
        try:
            result = function()
        except Exception as raised:
            error = raised
    failed = gather(strategy, [error is not None])[0][0]
    if error is not None:
        raise error
    if failed:
        raise ValueError("The chief (worker 0) cannot begin; it says why.")
    return result


def lost_worker(error: BaseException) -> str | None:
    """Says which worker an error of TensorFlow's is about, in one line.

    Args:
        error: what training under a strategy of several workers raised.

    Returns:
        str; `None` if it is about something else.
    """
    if not isinstance(error, LOST):
        return None
    # Those that it names first may be the one that passes it on.
    tasks = re.findall(r"/job:(\w+)/replica:\d+/task:(\d+)", str(error))
    named = f"The {tasks[-1][0]} {tasks[-1][1]}" if tasks else "Another worker"
    return (
        f"{named} has ended, or cannot be reached, and the others end too. Start all "
        "of them again with the same command: they resume after the last whole epoch."
    )
