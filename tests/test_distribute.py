import keras
import pytest
import tensorflow as tf

from siatl_keras import distribute
from siatl_keras.distribute import set_mixed_precision, strategy_from_devices

FIT = """
import sys
import keras, numpy as np, tensorflow as tf
from siatl_keras.distribute import strategy_from_devices
strategy = strategy_from_devices(sys.argv[1])
with strategy.scope():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input([4]), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse")
x = np.arange(32.0).reshape(8, 4) / 32
loss = model.fit(x, x.sum(1), batch_size=8, epochs=3, verbose=0).history["loss"]
print(type(strategy).__name__, strategy.num_replicas_in_sync, loss[-1])
"""

TOO_LATE = """
import tensorflow as tf
from siatl_keras.distribute import strategy_from_devices
tf.constant(0)
try:
    strategy_from_devices("cpu:2")
except ValueError as error:
    print(error)
"""


@pytest.fixture
def float32_afterwards():
    yield
    keras.config.set_dtype_policy("float32")


def test_logical_cpus_train_as_replicas_and_equal_one_device(run_python):
    name, replicas, loss = run_python("-c", FIT, "cpu:2").split()
    assert (name, replicas) == ("MirroredStrategy", "2")
    alone = run_python("-c", FIT, "cpu").split()
    assert alone[1] == "1"
    assert float(loss) == pytest.approx(float(alone[2]), rel=1e-5)


def test_logical_cpus_asked_for_too_late_say_so(run_python):
    assert "has already started with other devices" in run_python(code=TOO_LATE)


@pytest.mark.parametrize("devices", ["auto", "cpu"])
def test_one_device_needs_no_strategy_of_its_own(devices):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU, which a test before may already use")
    assert strategy_from_devices(devices) is tf.distribute.get_strategy()


@pytest.mark.parametrize("devices", ["gpu", "gpus"])
def test_a_gpu_that_is_not_there_is_an_error_with_a_remedy(devices):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("this machine has a GPU")
    with pytest.raises(ValueError, match=r"sees no GPU.*siatl_keras\[gpu\]"):
        strategy_from_devices(devices)


@pytest.mark.parametrize("devices", ["", "tpu", "cpu:0", "cpu:two", "GPU", "cpu:2,3"])
def test_an_unknown_word_is_refused(devices):
    with pytest.raises(ValueError, match="must be auto, cpu, gpu, gpus, cpu:N"):
        strategy_from_devices(devices)


@pytest.mark.parametrize(
    ("policy", "compute"),
    [
        ("float32", "float32"),
        ("mixed_bfloat16", "bfloat16"),
        ("mixed_float16", "float16"),
    ],
)
def test_layers_made_afterwards_have_the_policy(float32_afterwards, policy, compute):
    set_mixed_precision(policy)
    layer = keras.layers.Dense(1)
    assert (layer.compute_dtype, layer.variable_dtype) == (compute, "float32")


@pytest.mark.parametrize(
    ("flags", "compute"),
    [
        ("fpu avx512f avx512_bf16 sse2", "bfloat16"),
        ("fpu amx_tile amx_bf16", "bfloat16"),
        ("fpu avx512f avx512_bf16_of_another_name", "float32"),
        (None, "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_cpu_multiplies_it(
    float32_afterwards, monkeypatch, tmp_path, flags, compute
):
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(f"flags\t\t: {flags}\n", "utf-8")
    monkeypatch.setattr(distribute, "CPU_FLAGS", tmp_path / "cpuinfo")
    set_mixed_precision("auto")
    assert keras.layers.Dense(1).compute_dtype == compute


def test_an_unknown_policy_is_refused():
    with pytest.raises(ValueError, match="'float16'"):
        set_mixed_precision("float16")
