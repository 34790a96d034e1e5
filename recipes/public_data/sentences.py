"""Customer reviews and subjectivity: sentences of one file, drawn for all splits."""

from .drawing import generator_before


def cr(read):
    """Returns rows of text and label by split.

    Args:
        read: function that returns the bytes of a source file.
    """
    return _drawn(read("data/custrev.all"), "cr")


def subj(read):
    """Returns rows of text and label by split.

    The file is cp1252, but was drawn from as Latin-1, in which an ellipsis ends a line:
    21 pieces behind one count as sentences, seven of them in the test texts with a
    label that is none. Measured figures are those of the files with them.

    Args:
        read: function that returns the bytes of a source file.
    """
    return _drawn(read("data/subj.all"), "subj")


def _drawn(content, name):
    labels = {}
    for line in content.decode("latin-1").splitlines():
        if text := line[2:].strip():
            labels.setdefault(text, f"c{line[0]}".strip())
    rows = list(labels.items())
    generator_before(name).shuffle(rows)
    return {"train": rows[:800], "validation": rows[800:900], "test": rows[900:2900]}
