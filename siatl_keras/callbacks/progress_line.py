"""`ProgressLine`: how far a loop is, on a terminal's last line."""

from __future__ import annotations

import sys
import time

BAR = 24
SECONDS_BETWEEN = 0.2


class ProgressLine:
    """Writes one line again and again, where somebody can see it; else nothing.

    Args:
        what: str, how the line begins.
        steps: int, of the loop; `None` if nobody knows.
        shown: bool, whether to write at all.
    """

    def __init__(self, what: str, steps: int | None, shown: bool = True) -> None:
        self.what = what
        self.steps = steps
        self.shown = shown and is_watched()
        self._began = self._written = time.monotonic()
        self._width = 0

    def update(self, step: int, figure: str = "") -> None:
        """Says that so many steps are done.

        Args:
            step: int, from 1.
            figure: str, what else is known.
        """
        now = time.monotonic()
        if not self.shown or now - self._written < SECONDS_BETWEEN:
            return
        parts = [self.what, f"step {step}"]
        if self.steps:
            done = min(BAR, BAR * step // self.steps)
            left = (now - self._began) / step * max(0, self.steps - step)
            bar = f"[{'#' * done}{'-' * (BAR - done)}]"
            parts = [self.what, bar, f"{step}/{self.steps}", f"{spelled(left)} left"]
        self.write("  ".join([*parts, figure]).rstrip())
        self._written = now

    def write(self, line: str) -> None:
        """Puts another line in place of the one that is there."""
        if self.shown:
            line = line[:99]
            print("\r" + line.ljust(self._width), end="", flush=True)
            self._width = len(line)

    def clear(self) -> None:
        """Makes room for what is printed next."""
        if self._width:
            print("\r" + " " * self._width + "\r", end="", flush=True)
            self._width = 0


def is_watched() -> bool:
    """Says whether a line that is written again is seen as one."""
    return sys.stdout.isatty() or "ipykernel" in sys.modules


def spelled(seconds: float) -> str:
    """Spells a duration out.

    Args:
        seconds: float.

    Example:
    >>> spelled(0.41), spelled(11.2), spelled(200), spelled(4000)
    ('0.4 s', '11 s', '3 min 20 s', '1 h 06 min')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
