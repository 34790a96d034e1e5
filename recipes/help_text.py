"""What a recipe's --help prints: needed flags first, then the others by what they set.

absl's own list has all in the order of the alphabet; `--helpfull` still prints it.
"""

import re
import sys
import textwrap

from absl import flags

FLAGS = flags.FLAGS
COLUMNS = 88
# Groups of flags, those that most runs name first. What is in none is among the others.
GROUPS = {
    "Data": (
        *("data", "train", "validation", "validation_share", "folds", "test", "texts"),
        *("input", "corpus", "text_column", "label_column", "pair_column", "encoding"),
        *("drop_bad_rows", "task", "levels"),
    ),
    "Model": (
        *("model", "models", "lm", "teacher", "vocabulary", "preset", "pooling"),
        *("sequence_length", "long_texts", "max_windows", "word_scores"),
        *("abstain_below", "task_layers", "units", "bidirectional", "lora_rank"),
        *("lstm_dropout", "attention_dropout", "lm_embedding_dropout"),
        *("lm_input_dropout", "lm_hidden_dropout", "lm_output_dropout"),
        "gradient_checkpointing",
    ),
    "Training": (
        *("method", "epochs", "patience", "batch_size", "class_weight"),
        *("task_learning_rate", "pretrained_learning_rate", "pretrained_optimizer"),
        *("schedule", "clipnorm", "average_momentum", "sampled_words", "lm_epochs"),
        *("lm_learning_rate", "seed", "devices", "mixed_precision"),
    ),
    "Stages and γ": (
        *("backbone_epoch", "embedding_epoch", "layers_per_epoch", "backbone_layers"),
        *("stage2_optimizer", "stage3_optimizer", "gamma_initial", "gamma_final"),
        *("gamma_epochs", "gamma_schedule"),
    ),
    "Output": ("output", "overwrite", "json", "show_trace"),
}
OTHERS = "Others"


def is_asked():
    """Says whether the command line asks for help."""
    asked = ("--help", "-h", "-help", "--helpshort", "-?")
    return any(argument in asked for argument in sys.argv[1:])


def help_text(description):
    """Writes what a recipe is for, its examples, and its flags.

    Args:
        description: the recipe's docstring.

    Returns:
        str, lines of 88 columns at most, but for what has no place to be broken.
    """
    by_name = {flag.name: flag for flag in key_flags()}
    aliases = {
        flag.name: flag.help.removeprefix("Alias for --").rstrip(".")
        for flag in by_name.values()
        if is_alias(flag)
    }
    shown = {name: flag for name, flag in by_name.items() if name not in aliases}
    parts = [description.strip()]
    needed = [flag for flag in shown.values() if _is_needed(flag)]
    if needed:
        parts.append(_listed("Needed", needed, aliases))
    for title, flags_of_group in grouped(shown).items():
        rest = [flag for flag in flags_of_group if flag not in needed]
        if rest:
            parts.append(_listed(title, rest, aliases))
    parts.append(
        "Always: --flagfile=FILE takes flags from a file, a line each; --verbosity=1 "
        "says more."
    )
    return "\n\n".join(parts)


def key_flags():
    """Lists the recipe's own flags."""
    return FLAGS.get_key_flags_for_module(sys.argv[0])


def grouped(shown):
    """Puts flags into their groups.

    Args:
        shown: dict of flags by name.

    Returns:
        dict of group to its flags, in the order of `GROUPS`.
    """
    found = {
        title: [shown[name] for name in names if name in shown]
        for title, names in GROUPS.items()
    }
    known = {name for names in GROUPS.values() for name in names}
    found[OTHERS] = [flag for name, flag in shown.items() if name not in known]
    return found


def _listed(title, flags_of_group, aliases):
    lines = [f"{title}:"]
    for flag in flags_of_group:
        names = [*(name for name, of in aliases.items() if of == flag.name), flag.name]
        lines.append(f"  {', '.join(_head(flag, name) for name in names)}")
        # absl puts the values there, which the line above has.
        text = re.sub(r"^<[^>]*>: ", "", " ".join((flag.help or "").split()))
        lines += textwrap.wrap(
            f"{text}{_default(flag)}",
            COLUMNS,
            initial_indent=" " * 6,
            subsequent_indent=" " * 6,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def _head(flag, name):
    if flag.boolean:
        return f"--[no]{name}"
    return f"--{name}={'|'.join(getattr(flag.parser, 'enum_values', ())) or '…'}"


def _default(flag):
    if flag.default in (None, "", False, []):
        return ""
    shown = flag.default
    if isinstance(shown, (list, tuple)):
        shown = ",".join(map(str, shown))
    return f" Default: {shown}."


def is_alias(flag):
    """Says whether a flag is but another name of one."""
    return (flag.help or "").startswith("Alias for --")


def _is_needed(flag):
    """Says whether a flag must be given; absl keeps that as a check of its own."""
    return any(
        getattr(check, "message", "").endswith("must have a value other than None.")
        for check in flag.validators
    )
