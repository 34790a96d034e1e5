"""Flags of the recipes that read texts from files."""

from absl import flags

flags.DEFINE_string(
    "text_column",
    None,
    "Column (or JSON key) with the text. By default the one called text, or that the "
    "file's beginning tells from the others.",
)
flags.DEFINE_string("encoding", "utf-8", "Of text files, such as cp1252.")
