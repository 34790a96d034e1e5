"""Devices and precision from flags: what `--devices` and `--mixed_precision` mean."""

from __future__ import annotations

import re

import keras
import tensorflow as tf

DEVICES_HELP = (
    "Where to train: auto (all GPUs if there are any, else the CPU), cpu, gpu (the "
    "first), gpus (all), or cpu:N, the CPU as N devices, for trying replicas out."
)
POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


def strategy_from_devices(devices: str = "auto") -> tf.distribute.Strategy:
    """Makes the strategy that a model is built and trained under.

    On several devices a batch is split among replicas. Losses and gradients are means
    over all of it: the task loss over texts, the LM loss over real tokens, however they
    are spread (see `LanguageModelingLoss`), so that replicas with texts of different
    lengths equal one device.

    Args:
        devices: "auto", "cpu", "gpu", "gpus" or "cpu:N"; see `DEVICES_HELP`.

    Returns:
        `tf.distribute.Strategy`: a `MirroredStrategy` for several devices.

    Raises:
        ValueError: if the devices are not there, the word is unknown, or logical
            devices are asked for after TensorFlow has started using the CPU.
    """
    gpus = tf.config.list_physical_devices("GPU")
    logical = re.fullmatch(r"cpu:([1-9]\d*)", devices)
    if devices == "auto":
        devices = "cpu" if not gpus else "gpus"
    if devices in ("gpu", "gpus") and not gpus:
        raise ValueError(
            f"`devices` is {devices!r}, but TensorFlow sees no GPU. Install "
            "`siatl_keras[gpu]` on a machine with one, or use `--devices=cpu`."
        )
    if devices == "cpu":
        tf.config.set_visible_devices([], "GPU")
        return tf.distribute.OneDeviceStrategy("CPU:0")
    if devices == "gpu":
        return tf.distribute.OneDeviceStrategy("GPU:0")
    if devices == "gpus":
        return tf.distribute.MirroredStrategy()
    if logical:
        return _logical_cpus(int(logical[1]))
    raise ValueError(
        "`devices` must be auto, cpu, gpu, gpus or cpu:N. Received: "
        f"devices={devices!r}."
    )


def _logical_cpus(count: int) -> tf.distribute.Strategy:
    tf.config.set_visible_devices([], "GPU")
    try:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * count,
        )
    except RuntimeError as error:
        raise ValueError(
            f"`devices` is 'cpu:{count}', but TensorFlow already uses the CPU as one "
            "device. Make the strategy before anything else of TensorFlow's."
        ) from error
    return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(count)])


def set_mixed_precision(policy: str) -> None:
    """Sets the dtype policy of layers made from now on.

    Weights, losses and softmaxes stay float32 under the mixed policies; under
    mixed_float16 Keras scales the loss.

    Args:
        policy: "float32", "mixed_bfloat16" or "mixed_float16".

    Raises:
        ValueError: if it is another.
    """
    if policy not in POLICIES:
        raise ValueError(f"`policy` must be one of {POLICIES}. Received: {policy!r}.")
    keras.config.set_dtype_policy(policy)
