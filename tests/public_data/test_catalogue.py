"""What the catalogue says, against the data sets themselves where they are at hand."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from recipes.public_data.catalogue import DATA_SETS, ROWS, check_fetched

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize("name", DATA_SETS)
def test_the_sums_are_those_of_the_files_that_figures_are_measured_on(name):
    folder = DATA / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    for file, expected in DATA_SETS[name].files.items():
        content = (folder / file).read_bytes()
        if file.endswith(".gz"):
            content = gzip.decompress(content)
        assert hashlib.sha256(content).hexdigest() == expected
        header = content.decode().partition("\n")[0]
        assert header.split("\t") == DATA_SETS[name].columns


def test_each_data_set_is_whole():
    assert DATA_SETS.keys() == ROWS.keys()
    for data_set in DATA_SETS.values():
        assert data_set.what and data_set.licence and data_set.cite
        assert re.fullmatch(r"https://\S+/", data_set.url)
        for checksum in (*data_set.sources.values(), *data_set.files.values()):
            assert re.fullmatch("[0-9a-f]{64}", checksum)
        # In one folder they keep apart: `--sources` finds them by it.
        names = [path.rpartition("/")[2] for path in data_set.sources]
        assert len({*names}) == len(names)


def test_a_data_set_that_is_not_there_is_named_with_the_command_that_gets_it(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"fetch_data --name=scv2 gets it"):
        check_fetched("data/scv2/train.tsv")
    elsewhere = tmp_path / "snips" / "train.tsv"
    with pytest.raises(ValueError, match=f"--name=snips --output={tmp_path} gets it"):
        check_fetched(str(elsewhere))
    elsewhere.parent.mkdir()
    check_fetched(str(elsewhere))  # What is not in it, the readers say.
    check_fetched(str(tmp_path / "reviews" / "train.tsv"))
    check_fetched("train.tsv")
