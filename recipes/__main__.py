"""`siatl`: the recipes as one command's sub-commands.

siatl finetune --data=reviews.csv
siatl finetune --help
"""

import ast
import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
# How the file of a recipe ends, and that of no module which recipes share.
IS_A_PROGRAM = 'if __name__ == "__main__":'


def main():
    """Runs the sub-command of the command line; without one, lists them."""
    recipes = descriptions()
    name, *arguments = sys.argv[1:] or ["help"]
    module = name.replace("-", "_")
    if module in ("help", "__help", "_h"):
        print(_listed(recipes))
        return
    if module not in recipes:
        raise SystemExit(f"There is no command {name!r}.\n\n{_listed(recipes)}")
    sys.argv[1:] = arguments
    runpy.run_module(f"{__package__}.{module}", run_name="__main__", alter_sys=True)


def descriptions():
    """Reads what each recipe says of itself.

    Returns:
        dict of the first line of its docstring by its name.
    """
    found = {}
    for path in sorted(FOLDER.glob("*.py")):
        source = path.read_text("utf-8")
        if path.name != "__main__.py" and IS_A_PROGRAM in source:
            found[path.stem] = ast.get_docstring(ast.parse(source)).splitlines()[0]
    return found


def _listed(recipes):
    lines = ["siatl <command> --help", ""]
    width = max(map(len, recipes))
    lines += [
        f"  {name.replace('_', '-'):{width}}  {line}" for name, line in recipes.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
