"""Fetching, from a server on this machine and from a folder."""

import functools
import gzip
import hashlib
import http.server
import threading

import pytest

from recipes.public_data.catalogue import DataSet
from recipes.public_data.fetch import fetch_data

SOURCE = b"good\tso glad\nbad\tso sad\n"
EXPECTED = b"text\tlabel\nso glad\tgood\nso sad\tbad\n"


def rows(read):
    lines = read("texts/all.txt").decode().splitlines()
    read_rows = [tuple(reversed(line.split("\t"))) for line in lines]
    return {"train": read_rows, "test": read_rows}


def data_set(url="http://127.0.0.1:9/", **changes):
    sums = {"source": SOURCE, "files": EXPECTED} | changes
    checksum = {key: hashlib.sha256(value).hexdigest() for key, value in sums.items()}
    return DataSet(
        "small",
        what="texts",
        licence="ours",
        cite="nobody",
        url=url,
        columns=["text", "label"],
        sources={"texts/all.txt": checksum["source"]},
        files={"train.tsv": checksum["files"], "test.tsv.gz": checksum["files"]},
        rows=rows,
    )


@pytest.fixture
def server(tmp_path):
    """The address of a folder with the source."""
    folder = tmp_path / "served" / "texts"
    folder.mkdir(parents=True)
    (folder / "all.txt").write_bytes(SOURCE)
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=folder.parent
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/"
        running.shutdown()


def test_what_is_served_becomes_the_files(server, tmp_path):
    folder = fetch_data(data_set(server), tmp_path / "data")
    assert folder == tmp_path / "data" / "small"
    assert (folder / "train.tsv").read_bytes() == EXPECTED
    assert gzip.decompress((folder / "test.tsv.gz").read_bytes()) == EXPECTED
    page = (folder / "SOURCE.md").read_text("utf-8")
    for part in ("Licence: ours", f"{server}texts/all.txt", "cite: nobody"):
        assert part in page
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


def test_what_is_there_stays_unless_overwritten(server, tmp_path):
    (tmp_path / "small").mkdir()
    with pytest.raises(ValueError, match="exists already"):
        fetch_data(data_set(server), tmp_path)
    assert not list((tmp_path / "small").iterdir())
    fetch_data(data_set(server), tmp_path, overwrite=True)
    assert (tmp_path / "small" / "train.tsv").exists()


def test_another_file_than_the_one_expected_is_refused(server, tmp_path):
    with pytest.raises(ValueError, match=r"all.txt .* is not the file expected"):
        fetch_data(data_set(server, source=b"other"), tmp_path / "data")
    with pytest.raises(ValueError, match="train.tsv came out other"):
        fetch_data(data_set(server, files=b"other"), tmp_path / "data")
    assert not list((tmp_path / "data").iterdir())


def test_without_a_network_it_says_what_to_get_and_takes_it_from_a_folder(
    server, tmp_path
):
    unreachable = data_set()
    with pytest.raises(ValueError, match="cannot be had") as caught:
        fetch_data(unreachable, tmp_path / "data")
    assert "--sources" in str(caught.value)
    assert "\n    http://127.0.0.1:9/texts/all.txt" in str(caught.value)
    with pytest.raises(ValueError, match=r"all.txt: no such file.*--sources"):
        fetch_data(unreachable, tmp_path / "data", tmp_path)
    sources = tmp_path / "served" / "texts"
    folder = fetch_data(unreachable, tmp_path / "data", sources)
    assert (folder / "train.tsv").read_bytes() == EXPECTED
