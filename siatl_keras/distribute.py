"""Devices and precision from flags: what `--devices` and `--mixed_precision` mean.

One strategy a process: several in one process break TensorFlow's collectives.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf

from siatl_keras.workers import EXAMPLE, VARIABLE, Cluster, cluster_from_environment

DEVICES_HELP = (
    "Where to train: auto (the workers that TF_CONFIG names, or all GPUs if there are "
    "any, else the CPU), cpu, gpu (the first), gpus (all), cpu:N, the CPU as N "
    "devices, for trying replicas out, or workers, the processes on several hosts "
    "that TF_CONFIG names."
)
POLICIES = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
# What Linux calls the instructions of CPUs that multiply bfloat16.
BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16"}
CPU_FLAGS = Path("/proc/cpuinfo")


def strategy_from_devices(devices: str = "auto") -> tf.distribute.Strategy:
    """Makes the strategy that a model is built and trained under.

    Call it before anything else of TensorFlow's: devices cannot be hidden or split once
    they are in use. On several devices a batch is split among replicas, which need not
    get equally many texts, or any. Losses, gradients and metrics are those of all of
    it: the task loss is the mean over texts, the LM loss over real tokens, and norms
    are clipped after the replicas' sum, whatever the optimizer. N devices equal one.

    With "workers", or "auto" where TF_CONFIG names several, it waits until all of them
    have started; each takes all GPUs of its host. They run the same program on the same
    data, and must make the same calls of the model: `fit`, `evaluate`.

    Args:
        devices: "auto", "cpu", "gpu", "gpus", "cpu:N" or "workers"; see `DEVICES_HELP`.

    Returns:
        `tf.distribute.Strategy`: the default one for one device, a `MirroredStrategy`
        for several, a `MultiWorkerMirroredStrategy` for several workers.

    Raises:
        ValueError: if the devices are not there, the word is unknown, TF_CONFIG is
            malformed, or TensorFlow already uses devices that would have to be hidden
            or split.

    Example:
    >>> with strategy_from_devices("cpu").scope():
    ...     variable = tf.Variable(0.0)
    """
    logical = re.fullmatch(r"cpu:([1-9]\d*)", str(devices))
    if not logical and devices not in ("auto", "cpu", "gpu", "gpus", "workers"):
        raise ValueError(
            "`devices` must be auto, cpu, gpu, gpus, cpu:N, such as cpu:2, or workers. "
            f"Received: devices={devices!r}."
        )
    cluster = cluster_from_environment() if devices in ("auto", "workers") else None
    if cluster and len(cluster.addresses) > 1:
        return _workers(devices, cluster)
    if devices == "workers" and not cluster:
        raise ValueError(
            f"`devices` is 'workers', but the environment has no `{VARIABLE}` that "
            f"names them. Set it for each process, such as {EXAMPLE}."
        )
    gpus = tf.config.list_physical_devices("GPU")
    if devices in ("gpu", "gpus") and not gpus:
        raise ValueError(
            f"`devices` is {devices!r}, but TensorFlow sees no GPU. Install "
            "`siatl_keras[gpu]` on a machine with one, or use `--devices=cpu`."
        )
    if logical:
        return _logical_cpus(devices, int(logical[1]))
    if len(gpus) > 1 and devices in ("auto", "gpus", "workers"):
        return tf.distribute.MirroredStrategy()
    with _only_at_the_start(devices):
        tf.config.set_visible_devices([] if devices == "cpu" else gpus[:1], "GPU")
    return tf.distribute.get_strategy()


def _workers(devices: str, cluster: Cluster) -> tf.distribute.Strategy:
    others = [*cluster.addresses]
    own = others.pop(cluster.index)
    print(
        f"Worker {cluster.index} of {len(cluster.addresses)}, {own}, waits for "
        f"{', '.join(others)}",
        flush=True,
    )
    with _only_at_the_start(devices):
        return tf.distribute.MultiWorkerMirroredStrategy()


def _logical_cpus(devices: str, count: int) -> tf.distribute.Strategy:
    with _only_at_the_start(devices):
        tf.config.set_visible_devices([], "GPU")
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * count,
        )
    return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])


@contextlib.contextmanager
def _only_at_the_start(devices: str) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise ValueError(
            f"`devices` is {devices!r}, but TensorFlow has already started with other "
            "devices. Make the strategy before anything else of TensorFlow's."
        ) from error


def set_mixed_precision(policy: str) -> None:
    """Sets the dtype policy of layers made from now on.

    Weights, losses and softmaxes stay float32 under the mixed policies; under
    mixed_float16 Keras scales the loss.

    Args:
        policy: "float32", "mixed_bfloat16", "mixed_float16"; or "auto", which is
            "mixed_bfloat16" on a CPU that multiplies bfloat16, else "float32".

    Raises:
        ValueError: if it is another.
    """
    if policy not in POLICIES:
        raise ValueError(f"`policy` must be one of {POLICIES}. Received: {policy!r}.")
    if policy == "auto":
        is_fast = not tf.config.get_visible_devices("GPU") and _multiplies_bfloat16()
        policy = "mixed_bfloat16" if is_fast else "float32"
    keras.config.set_dtype_policy(policy)


def _multiplies_bfloat16() -> bool:
    try:
        text = CPU_FLAGS.read_text("utf-8")
    except OSError:  # Another system.
        return False
    return bool(BFLOAT16_FLAGS & set(text.split()))
