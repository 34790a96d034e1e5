"""Flags derived from the fields of a configuration, and back."""

import dataclasses
import types
import typing

from absl import flags

FLAGS = flags.FLAGS
flags.disclaim_key_flags()


def define_flags(config):
    """Defines a flag for each field of a configuration that is no flag yet.

    Args:
        config: a dataclass, its fields made by `siatl_keras.setting`.
    """
    kinds = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        if field.name in FLAGS:
            continue
        kind = _without_none(kinds[field.name])
        arguments = (field.name, field.default, field.metadata["help"])
        low = {"lower_bound": field.metadata["lower_bound"]}
        if field.metadata["choices"]:
            name, default, text = arguments
            flags.DEFINE_enum(name, default, list(field.metadata["choices"]), text)
        elif kind is bool:
            flags.DEFINE_bool(*arguments)
        elif kind is int:
            flags.DEFINE_integer(*arguments, **low)
        elif kind is float:
            flags.DEFINE_float(*arguments, **low)
        elif kind is str:
            flags.DEFINE_string(*arguments)
        else:  # Several texts, such as paths.
            flags.DEFINE_multi_string(*arguments)


def config_from_flags(config):
    """Makes a configuration of the flags' values.

    Args:
        config: the dataclass that `define_flags` had.
    """
    names = [field.name for field in dataclasses.fields(config)]
    return config(**{name: FLAGS[name].value for name in names})


def _without_none(kind):
    if isinstance(kind, types.UnionType):
        return next(part for part in typing.get_args(kind) if part is not type(None))
    return kind
