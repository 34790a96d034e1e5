"""Fixtures of the data tests."""

import gzip

import pytest

from rigs.hash_preprocessor import HashClassifierPreprocessor, HashLMPreprocessor


@pytest.fixture
def lm_preprocessor():
    return HashLMPreprocessor()


@pytest.fixture
def classifier_preprocessor():
    return HashClassifierPreprocessor()


@pytest.fixture
def write(tmp_path):
    """Writes a file, gzipped if its name says so; returns its path as a string."""

    def write(name, content):
        content = content.encode("utf-8") if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return str(path)

    return write
