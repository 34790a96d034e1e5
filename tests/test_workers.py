import json

import pytest
import tensorflow as tf

from siatl_keras.distribute import strategy_from_devices
from siatl_keras.workers import (
    Cluster,
    cluster_from_environment,
    gather,
    is_chief,
    lost_worker,
    on_chief,
    place,
)

TWO = {"worker": ["a:1", "b:2"]}


def set_config(monkeypatch, cluster, kind="worker", index=0, **more):
    task = {"type": kind, "index": index}
    config = {"cluster": cluster, "task": task, **more}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))


@pytest.mark.parametrize(
    ("cluster", "task", "expected"),
    [
        (TWO, ("worker", 1), Cluster(("a:1", "b:2"), 1)),
        # As Vertex AI writes numbers.
        (TWO, ("worker", "1"), Cluster(("a:1", "b:2"), 1)),
        ({"chief": ["c:3"], **TWO}, ("chief", 0), Cluster(("c:3", "a:1", "b:2"), 0)),
        ({**TWO, "chief": ["c:3"]}, ("worker", 1), Cluster(("c:3", "a:1", "b:2"), 2)),
        ({"worker": ["a:1"]}, ("worker", 0), Cluster(("a:1",), 0)),
    ],
)
def test_the_chief_comes_first_and_workers_follow(monkeypatch, cluster, task, expected):
    set_config(monkeypatch, cluster, *task, environment="cloud")
    assert cluster_from_environment() == expected


@pytest.mark.parametrize("text", [None, "", " ", "{}", '{"environment": "cloud"}'])
def test_without_a_cluster_a_process_is_alone(monkeypatch, text):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    assert cluster_from_environment() is None
    with pytest.raises(ValueError, match="environment has no `TF_CONFIG`.*host1:2222"):
        strategy_from_devices("workers")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("worker", "expected JSON .*Found: worker"),
        ("[1]", r"expected a JSON object. Found: \[1\]"),
        ('{"cluster": ["a:1"]}', "expected an object of roles in `cluster`"),
        ('{"cluster": {"worker": ["a:1"]}}', "expected `task` with `type` and `index`"),
    ],
)
def test_a_malformed_variable_is_an_error_that_says_what_was_expected(
    monkeypatch, text, message
):
    monkeypatch.setenv("TF_CONFIG", text)
    for devices in ("auto", "workers"):
        with pytest.raises(ValueError, match=message):
            strategy_from_devices(devices)


@pytest.mark.parametrize(
    ("cluster", "task", "message"),
    [
        (
            {"worker": "a:1"},
            ("worker", 0),
            "a list of host:port in `cluster`, `worker`",
        ),
        ({"worker": ["a", "b:2"]}, ("worker", 0), "a list of host:port"),
        ({"worker": ["a:1", "a:1"]}, ("worker", 0), "an address of its own"),
        ({"chief": ["a:1", "b:1"]}, ("chief", 0), "expected one chief"),
        (TWO, ("worker", 2), "one of 2 of type 'worker'. Found: 2"),
        (TWO, ("worker", -1), "one of 2 of type 'worker'. Found: -1"),
        (TWO, ("worker", None), "Found: None"),
        (TWO, ("chief", 0), "one of 0 of type 'chief'. Found: 0"),
        (TWO, ("master", 0), "roles chief and worker alone. Found: master"),
        ({**TWO, "ps": ["p:1"]}, ("worker", 0), "'ps'.*there are no parameter servers"),
        (TWO, ("evaluator", 0), "'evaluator'.*there are no evaluators"),
    ],
)
def test_a_cluster_that_cannot_be_is_refused(monkeypatch, cluster, task, message):
    set_config(monkeypatch, cluster, *task)
    with pytest.raises(ValueError, match=message):
        cluster_from_environment()


def test_a_single_worker_needs_nobody(monkeypatch):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU, which a test before may already use")
    set_config(monkeypatch, {"worker": ["a:1"]})
    for devices in ("auto", "workers"):
        assert strategy_from_devices(devices) is tf.distribute.get_strategy()


def test_whoever_is_alone_is_the_chief_and_waits_for_nobody():
    for strategy in (None, tf.distribute.get_strategy()):
        assert is_chief(strategy) and place(strategy) == (0, 1)
        assert gather(strategy, [3, True]) == [[3, 1]]
        assert on_chief(strategy, lambda: "opened") == "opened"
    with pytest.raises(OSError, match="full"):
        on_chief(None, lambda: (_ for _ in ()).throw(OSError("full")))


def test_a_lost_worker_is_named():
    text = "unhealthy tasks:\n/job:worker/replica:0/task:1\nThe tasks have crashed."
    error = tf.errors.UnavailableError(None, None, text)
    assert lost_worker(error).startswith("The worker 1 has ended")
    error = tf.errors.UnavailableError(None, None, "Connection refused")
    assert lost_worker(error).startswith("Another worker has ended")
    assert lost_worker(tf.errors.InvalidArgumentError(None, None, "")) is None
    assert lost_worker(ValueError(text)) is None
