"""Run notebooks with every cell repeated in place, as readers do, and compare with the stored outputs.

python tools/repeat.py                    every notebook
python tools/repeat.py book/01-*.ipynb    the ones named

A cell that cannot be run twice, or that changes what it or a later cell shows, is named, and the exit status
is 1. Nothing is written. What the tests do not compare is not compared here: pictures, and the outputs of
cells tagged nbval-ignore-output.
"""

import os
import sys
from copy import deepcopy
from pathlib import Path

from execute import fetch, merged, run
from notebooks import ROOT, code_cells, notebooks, read, tags
from reading import written


def repeat(path):
    """Return what goes wrong, or is not the same, when every cell runs twice, as a list of messages."""
    stored = code_cells(read(path))[1:]
    nb = read(path)
    nb.cells = [copy for cell in code_cells(nb) for copy in (cell, deepcopy(cell))]
    if problem := run(nb, path):
        return [problem]
    runs = zip(*[iter(nb.cells[2:])] * 2, strict=True)
    return [
        f"{path.name}: code cell {number} shows something else when it is run twice\n{cell.source}"
        for number, (cell, copies) in enumerate(zip(stored, runs, strict=True), start=2)
        if "nbval-ignore-output" not in tags(cell) and {text(copy) for copy in copies} != {text(cell)}
    ]


def text(cell):
    """Return what a cell prints and displays as text, its pieces joined."""
    cell = deepcopy(cell)
    cell.outputs = merged(cell.outputs)
    return written(cell)


def main():
    """Repeat the cells of the notebooks named on the command line."""
    paths = [Path(name).resolve() for name in sys.argv[1:]] or notebooks()
    fetch(paths)
    failed = False
    for path in paths:
        problems = repeat(path)
        print(
            "\n".join(problems) or f"{os.path.relpath(path, ROOT)}: every cell can be run twice", flush=True
        )
        failed |= bool(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
