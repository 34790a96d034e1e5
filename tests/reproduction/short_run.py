"""A run as `run_missing` starts it, but short: its flag file says how it ends."""

import sys
import time
from pathlib import Path


def main():
    flags = dict(argument.lstrip("-").split("=", 1) for argument in sys.argv[1:])
    output = Path(flags["output"])
    print("began", flush=True)
    ending = Path(flags["flagfile"]).read_text()
    if ending == "crash":
        sys.exit("it broke here")
    if ending == "no figures":
        return
    output.mkdir(parents=True, exist_ok=True)
    if ending == "slow":
        (output / "began").touch()
        time.sleep(600)
    (output / "metrics.json").write_text("{}")


if __name__ == "__main__":
    main()
