"""check_local_path: names with a scheme are refused, paths are not."""

from pathlib import Path

import pytest

from siatl_keras.local_path import check_local_path


@pytest.mark.parametrize(
    "path", ["gs://b/x", "s3://b/x", "hdfs://x", "file:///x", Path("gs://b/x")]
)
def test_a_scheme_is_refused_in_one_sentence(path):
    with pytest.raises(ValueError) as caught:
        check_local_path(path, "--output")
    message = str(caught.value)
    assert message.startswith("--output must be a path on this machine. Received: ")
    assert message.count("\n") == 0


@pytest.mark.parametrize(
    "path", ["runs/x", "/data/a:b", "a b://", "x:y", "1:/x", "./gs://x", Path("a"), ""]
)
def test_paths_are_taken(path):
    check_local_path(path, "--output")
