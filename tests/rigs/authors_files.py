"""Checkpoints as the authors' code saves them, written by Python's own pickle.

Small stand-ins bear the names of PyTorch's and the authors' classes while they are
pickled, so that what our reader reads was not written by our writer.
"""

import contextlib
import io
import pickle
import struct
import sys
import types
import zipfile
from collections import Counter, OrderedDict

import numpy as np

WORDS = ["<pad>", "<sos>", "<eos>", "<unk>", "so", "glad", "what", "a", "day", "!"]


def _rebuild_tensor_v2(*arguments):
    raise AssertionError("only its name is used")


class FloatStorage:
    pass


class Numbers:
    """A storage: what persistent ids refer to."""

    def __init__(self, array):
        self.array = array


class Tensor:
    def __init__(self, numbers, shape):
        self.numbers, self.shape = numbers, shape

    def __reduce__(self):
        strides = tuple(np.zeros(self.shape, "i1").strides)
        arguments = (self.numbers, 0, self.shape, strides, False, OrderedDict())
        return _rebuild_tensor_v2, arguments


class Vocab:
    def __init__(self, words):
        self.PAD, self.SOS, self.EOS, self.UNK = WORDS[:4]
        self.vocab = Counter(words[4:])
        self.tok2id = {word: index for index, word in enumerate(words)}
        self.id2tok = dict(enumerate(words))
        self.size = len(words)


@contextlib.contextmanager
def under_their_names():
    """Lets pickle find the stand-ins where it looks for the real ones."""
    owners = {
        "torch": FloatStorage,
        "torch._utils": _rebuild_tensor_v2,
        "utils": None,
        "utils.datasets": Vocab,
    }
    before = {name: sys.modules.get(name) for name in owners}
    try:
        for name, owned in owners.items():
            sys.modules[name] = types.ModuleType(name)
            if owned is not None:
                owned.__module__ = name
                setattr(sys.modules[name], owned.__name__, owned)
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


class Pickler(pickle.Pickler):
    def __init__(self, file, is_zip):
        super().__init__(file, protocol=2)
        self.is_zip, self.storages = is_zip, []

    def persistent_id(self, value):
        if not isinstance(value, Numbers):
            return None
        if not any(value is other for other in self.storages):
            self.storages.append(value)
        key = str([other is value for other in self.storages].index(True))
        saved_id = ("storage", FloatStorage, key, "cuda:0", value.array.size)
        return saved_id if self.is_zip else (*saved_id, None)


def weights(vocabulary=10, embedding=3, hidden=4, layers=2, seed=0, tied=True):
    """Random weights under the names of the authors' language model."""
    generator = np.random.default_rng(seed)

    def normal(*shape):
        return generator.normal(size=shape).astype("f4")

    state = {"embed.embedding.weight": normal(vocabulary, embedding)}
    for index in range(layers):
        inputs = hidden if index else embedding
        state[f"encoder.rnn.weight_ih_l{index}"] = normal(4 * hidden, inputs)
        state[f"encoder.rnn.weight_hh_l{index}"] = normal(4 * hidden, hidden)
        state[f"encoder.rnn.bias_ih_l{index}"] = normal(4 * hidden)
        state[f"encoder.rnn.bias_hh_l{index}"] = normal(4 * hidden)
    state["decoder.weight"] = state["embed.embedding.weight"]
    state["decoder.bias"] = normal(vocabulary)
    if not tied:
        state["decoder.weight"] = normal(vocabulary, hidden)
    if tied and hidden != embedding:
        state["down.weight"] = normal(embedding, hidden)
        state["down.bias"] = normal(embedding)
    return state


def checkpoint(state, words=WORDS):
    """What the authors' code gives to `torch.save`, Adam's state included."""
    shared = {id(array): Numbers(array) for array in state.values()}
    model = OrderedDict(
        (name, Tensor(shared[id(array)], array.shape)) for name, array in state.items()
    )
    model._metadata = OrderedDict({"": {"version": 1}})
    moments = Tensor(Numbers(np.zeros(6, "f4")), (2, 3))
    return {
        "config": {"name": "made", "model": {"embed_noise": 0.1, "clip": 5}},
        "epoch": 3,
        "step": 70_000,
        "model": model,
        "model_class": "LangModel",
        "optimizers": [{"state": {140_737_488_355_328: {"exp_avg": moments}}}],
        "vocab": Vocab(words),
    }


def legacy_bytes(value):
    file = io.BytesIO()
    for header in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(header, file, protocol=2)
    with under_their_names():
        pickler = Pickler(file, is_zip=False)
        pickler.dump(value)
    keys = [str(key) for key in range(len(pickler.storages))]
    pickle.dump(keys, file, protocol=2)
    for numbers in pickler.storages:
        file.write(struct.pack("<q", numbers.array.size) + numbers.array.tobytes())
    return file.getvalue()


def zip_bytes(value, compression=zipfile.ZIP_STORED, more=()):
    pickled = io.BytesIO()
    with under_their_names():
        pickler = Pickler(pickled, is_zip=True)
        pickler.dump(value)
    return archive_bytes(
        pickled.getvalue(), pickler.storages, compression=compression, more=more
    )


def archive_bytes(pickled, storages=(), compression=zipfile.ZIP_STORED, more=()):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("made/data.pkl", pickled)
        archive.writestr("made/byteorder", "little")
        for key, numbers in enumerate(storages):
            archive.writestr(f"made/data/{key}", numbers.array.tobytes())
        for name, content in more:
            archive.writestr(name, content)
    return file.getvalue()


FORMATS = {"legacy": legacy_bytes, "zip": zip_bytes}
