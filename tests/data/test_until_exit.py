"""until_exit: a process ends while tf.data is inside a Python generator."""

CODE = """
import itertools, time
import tensorflow as tf
from siatl_keras.data.until_exit import until_exit

def slow():
    for number in itertools.count():
        if number:
            time.sleep(0.5)
        yield number

def read(_):
    dataset = tf.data.Dataset.from_generator(
        lambda: until_exit(slow()), output_signature=tf.TensorSpec([], tf.int64)
    )
    return dataset.map(lambda x: x, num_parallel_calls=2)

batches = iter(tf.data.Dataset.counter().flat_map(read).prefetch(8))
print(next(batches).numpy())
"""


def test_process_ends_while_a_generator_is_read(run_python):
    assert run_python("-c", CODE, timeout=60).split() == ["0"]
