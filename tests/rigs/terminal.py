"""What a program prints to that believes somebody watches."""

import io


class Terminal(io.StringIO):
    """Keeps what is printed."""

    def isatty(self):
        return True
