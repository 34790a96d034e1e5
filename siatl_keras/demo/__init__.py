"""A page to try classifiers on, served to this machine's browser."""

from siatl_keras.demo.answering import Answering
from siatl_keras.demo.server import DemoServer

__all__ = ["Answering", "DemoServer"]
