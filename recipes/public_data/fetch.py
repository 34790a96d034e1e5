"""`fetch_data`: a public data set as the files that the flag files name."""

import gzip
import hashlib
import tempfile
from pathlib import Path

import keras

from siatl_keras.atomic import new_folder, write_text

from .catalogue import DataSet


def fetch_data(
    data_set: DataSet,
    folder: str | Path,
    sources: str | Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Downloads a data set's sources, checks them, and writes its files.

    Args:
        data_set: of `DATA_SETS`.
        folder: the data set's folder is made in it.
        sources: folder with the sources, where there is no network; their names are the
            last parts of their paths.
        overwrite: whether to replace what is there.

    Returns:
        the folder with the files, and with SOURCE.md on where they come from.

    Raises:
        ValueError: if a source cannot be had, or is not the file expected, or the
            folder is there and `overwrite` is false.
    """
    target = Path(folder) / data_set.name
    with new_folder(target, overwrite) as made:
        with tempfile.TemporaryDirectory() as downloads:

            def read(path: str) -> bytes:
                return _source(data_set, path, sources, downloads)

            rows = data_set.rows(read)
        for name, expected in data_set.files.items():
            table = [data_set.columns, *rows[name.partition(".")[0]]]
            content = "".join("\t".join(row) + "\n" for row in table).encode()
            if hashlib.sha256(content).hexdigest() != expected:
                raise ValueError(f"{target / name} came out other than it should be.")
            if name.endswith(".gz"):
                content = gzip.compress(content, mtime=0)
            (made / name).write_bytes(content)
        write_text(made / "SOURCE.md", _source_page(data_set))
    return target


def _source(
    data_set: DataSet, path: str, sources: str | Path | None, downloads: str
) -> bytes:
    """Returns the contents of a source, which is the one expected."""
    if sources is None:
        file = _download(data_set, path, downloads)
    else:
        file = Path(sources) / path.rpartition("/")[2]
        if not file.is_file():
            raise ValueError(f"{file}: no such file. {_by_hand(data_set)}")
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != data_set.sources[path]:
        raise ValueError(
            f"{file.name} of {data_set.url}{path} is not the file expected: its sha256 "
            f"is {found}, not {data_set.sources[path]}. Get it again."
        )
    return content


def _download(data_set: DataSet, path: str, downloads: str) -> Path:
    try:
        file: str = keras.utils.get_file(
            path.rpartition("/")[2],
            data_set.url + path,
            cache_dir=downloads,
            cache_subdir="",
        )
    except Exception as error:  # It raises nothing narrower.
        raise ValueError(
            f"{data_set.url}{path} cannot be had: {error}. {_by_hand(data_set)}"
        ) from error
    return Path(file)


def _by_hand(data_set: DataSet) -> str:
    listed = "\n".join(f"    {data_set.url}{path}" for path in data_set.sources)
    return (
        "Without a network: get these files where there is one, put them into one "
        f"folder, and name it with --sources:\n{listed}"
    )


def _source_page(data_set: DataSet) -> str:
    parts = [
        f"# {data_set.name}: {data_set.what}",
        f"Licence: {data_set.licence}.",
        f"Please cite: {data_set.cite}.",
        "Sources, with their sha256:",
        "\n".join(
            f"- {data_set.url}{path} {checksum}"
            for path, checksum in data_set.sources.items()
        ),
        "Tab-separated, UTF-8, with a header, no quoting. sha256 of the contents:",
        "\n".join(f"- {name} {checksum}" for name, checksum in data_set.files.items()),
    ]
    return "\n\n".join(parts) + "\n"
