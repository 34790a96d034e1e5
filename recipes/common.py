"""What all recipes share: flags of a run, and errors as one line instead of a trace."""

import errno
import os
import signal
import sys
import threading
import warnings

from absl import app, flags, logging

from siatl_keras.distribute import (
    DEVICES_HELP,
    POLICIES,
    set_mixed_precision,
    strategy_from_devices,
)
from siatl_keras.extras import MissingExtraError
from siatl_keras.local_path import check_local_path
from siatl_keras.presets.named_models import chosen_model
from siatl_keras.runs.counted_words import comparison_line
from siatl_keras.runs.run_folder import RunFolder
from siatl_keras.workers import lost_worker, on_chief

from . import help_text

FLAGS = flags.FLAGS
# Errors whose message says all: no trace.
EXPLAINED = (ValueError, MissingExtraError)
# Of these, a name with such a scheme is a preset that KerasHub downloads.
PRESET_FLAGS = ("lm", "model", "models", "teacher")
DOWNLOADS = ("hf://", "kaggle://", "modelscope://")
# The exit status of a worker that has lost another: Kubeflow starts those from 128 on
# again, and SIGUSR1's is the one that it leaves to programs.
LOST_WORKER = 128 + signal.SIGUSR1


def define_output_flags(by_default=None):
    """Defines the flags of recipes that write a run's folder.

    Args:
        by_default: help for what the folder is where none is named, which the recipe
            then sees to; without, it must be named.
    """
    text = f"Folder of the run. By default {by_default}." if by_default else None
    flags.DEFINE_string(
        "output", None, text or "Folder of the run.", required=not by_default
    )
    flags.DEFINE_bool("overwrite", False, "Replace what is there already.")


def define_training_flags(output_by_default=None):
    """Defines the flags of recipes that train.

    Args:
        output_by_default: as for `define_output_flags`.
    """
    define_output_flags(output_by_default)
    flags.DEFINE_integer("seed", 0, "Of weights, dropout and shuffling.")
    flags.DEFINE_string("devices", "auto", DEVICES_HELP)
    flags.DEFINE_enum(
        "mixed_precision",
        "auto",
        POLICIES,
        "Dtype policy: by default mixed_bfloat16 on a CPU that multiplies bfloat16.",
    )


def open_run(strategy=None):
    """Opens the run's folder and writes its flags into it.

    Args:
        strategy: that of `start_training`.

    Returns:
        the `RunFolder`; `None` on workers that are not the chief.
    """
    # So that a stopped run goes on with the same one.
    if "lm" in FLAGS and FLAGS.method != "bow":
        FLAGS.lm = chosen_model(FLAGS.lm)

    def open_folder():
        run = RunFolder(FLAGS.output, FLAGS.overwrite)
        run.write_flags(_given_flags())
        return run

    return on_chief(strategy, open_folder)


def start_training():
    """Sets the precision, and returns the strategy of `--devices`."""
    strategy = strategy_from_devices(FLAGS.devices)
    # A strategy of several workers has put TensorFlow's handler in its place.
    signal.signal(signal.SIGTERM, _terminate)
    set_mixed_precision(FLAGS.mixed_precision)
    return strategy


def verbosity():
    """Returns what `fit(verbose=)` takes: 2, all figures, for `--verbosity=1`."""
    return 2 if FLAGS["verbosity"].present and FLAGS.verbosity > 0 else 1


def report(run, metrics):
    """Prints what a fine-tuning run found.

    Args:
        run: its `RunFolder`, `None` where it says nothing.
        metrics: what `finetune` returned.
    """
    if run is None:
        return
    print((run.path / "report.txt").read_text("utf-8"))
    if "best_epoch" in metrics:
        print(f"best epoch {metrics['best_epoch']}; model: {run.path / 'model'}")
    if "counted_words" in metrics:
        print(comparison_line(metrics["counted_words"]))
    for step in metrics.get("next_steps", ()):
        print(f"to try next: {step}")


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a recipe as Ctrl-C does: files whole, the backup kept."""


def run(main, text_flags=()):
    """Runs a recipe's `main()`.

    What is wrong with the input, or with the disk, ends in one line; Ctrl-C and SIGTERM
    with the exit statuses that shells give them; that of a worker which has lost
    another is `LOST_WORKER`.

    Args:
        main: function without arguments.
        text_flags: names of flags whose values are texts, in which `https://…` and the
            like may occur.
    """

    def checked(argv):
        if len(argv) > 1:
            raise app.UsageError(f"Unexpected arguments: {' '.join(argv[1:])}")
        if not FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)
        # Keras warns that a tf.data dataset shuffles for itself; ours do.
        warnings.filterwarnings("ignore", message=".*shuffle=True.*")
        for stream in (sys.stdout, sys.stderr):
            # γ, and labels of any script, where a terminal knows ASCII alone.
            stream.reconfigure(errors="backslashreplace")
        signal.signal(signal.SIGTERM, _terminate)
        _set_hooks()
        try:
            _check_paths(text_flags)
            main()
        except BrokenPipeError:  # The reader has left, as `head` does.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(128 + signal.SIGPIPE) from None
        except KeyboardInterrupt as stop:
            print("\nStopped. Start it again to resume.", file=sys.stderr)
            raise SystemExit(128 + _signal_of(stop)) from None
        except Exception as error:
            message = str(error) if isinstance(error, EXPLAINED) else _disk(error)
            lost = lost_worker(error)
            if FLAGS.show_trace or (message or lost) is None:
                raise
            if lost:
                print(f"Error: {lost}", file=sys.stderr)
                raise SystemExit(LOST_WORKER) from None
            raise SystemExit(f"Error: {message}") from None

    if help_text.is_asked():
        print(help_text.help_text(sys.modules["__main__"].__doc__))
        return
    app.run(checked)


def _terminate(number, frame):
    raise Terminated


def _signal_of(stop):
    return signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT


# What a disk may answer that is full, limited, read-only or broken.
DISK_ERRORS = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EIO,
)


def _disk(error):
    """Says what the system refused, whoever passes it on; `None` if it was not that."""
    if isinstance(error.__cause__, OSError):
        error = error.__cause__
    if isinstance(error, OSError):
        if error.errno is None:  # Such as a download that failed.
            return " ".join(str(error).split())
        named = f": {error.filename}" if error.filename else ""
        return f"{os.strerror(error.errno)}{named}"
    # TensorFlow's files have errors of their own, which quote the system's.
    answers = map(os.strerror, DISK_ERRORS)
    return next((answer for answer in answers if answer in str(error)), None)


def _set_hooks():
    """Decides what happens to exceptions that nobody catches, or nobody can.

    h5py's are kept quiet about a disk's error that it meets again while it closes
    files. A stop that arrives while Python destroys an object is ignored there, like
    any exception, and the run would go on as if nobody had asked: it is sent again.
    """
    trace, ignored = sys.excepthook, sys.unraisablehook

    def excepthook(kind, error, traceback):
        if not isinstance(error, OSError) or FLAGS.show_trace:
            trace(kind, error, traceback)

    def unraisablehook(unraisable):
        if isinstance(unraisable.exc_value, KeyboardInterrupt):
            stop = (os.getpid(), _signal_of(unraisable.exc_value))
            # Not at once: this still is where exceptions are ignored.
            again = threading.Timer(0.1, os.kill, stop)
            again.daemon = True
            again.start()
        elif not isinstance(unraisable.exc_value, OSError) or FLAGS.show_trace:
            ignored(unraisable)

    sys.excepthook, sys.unraisablehook = excepthook, unraisablehook


flags.DEFINE_bool("show_trace", False, "Show where an error arose.")


def _check_paths(text_flags):
    """Refuses names of files and folders that are not on this machine."""
    for flag in help_text.key_flags():
        values = flag.value if isinstance(flag.value, list) else [flag.value]
        for value in values:
            is_path = isinstance(value, str) and flag.name not in text_flags
            is_preset = flag.name in PRESET_FLAGS
            if is_path and not (is_preset and value.startswith(DOWNLOADS)):
                check_local_path(value, f"--{flag.name}")


def _given_flags():
    """Lists the recipe's own flags that differ from the defaults, a line each."""
    lines = []
    for flag in help_text.key_flags():
        if flag.value != flag.default and not help_text.is_alias(flag):
            lines.append(flag.serialize())
    return "".join(f"{line}\n" for line in lines if line)
