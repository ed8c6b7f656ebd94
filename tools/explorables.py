"""Write the interactive figures into the notebooks anew, without running anything else.

python tools/explorables.py                     every notebook
python tools/explorables.py book/01-*.ipynb     only the ones named

A cell that shows a figure is one call, ``explore("name", key=value, …)``, whose values are written out.
"""

import ast
import sys
from pathlib import Path

import nbformat
from notebooks import code_cells, notebooks, read

from twice.explore import explore


def shows_figure(cell):
    """Tell whether a cell is an ``explore`` cell."""
    return cell.source.startswith("explore(")


def figure(cell):
    """Return the figure that an ``explore`` cell makes."""
    call = ast.parse(cell.source, mode="eval").body
    names = [ast.literal_eval(argument) for argument in call.args]
    return explore(*names, **{word.arg: ast.literal_eval(word.value) for word in call.keywords})


def output(cell):
    """Return what the cell's execution would store."""
    shown = figure(cell)
    data = {"text/html": shown._repr_html_(), "text/plain": repr(shown)}
    return nbformat.v4.new_output("execute_result", data, execution_count=cell.execution_count)


def refresh(path):
    """Store the figures of one notebook anew; return whether anything changed."""
    nb = read(path)
    cells = [cell for cell in code_cells(nb) if shows_figure(cell)]
    before = [cell.outputs for cell in cells]
    for cell in cells:
        cell.outputs = [output(cell)]
    changed = before != [cell.outputs for cell in cells]
    if changed:
        nbformat.write(nb, path)
    return changed


if __name__ == "__main__":
    for path in [Path(name) for name in sys.argv[1:]] or notebooks():
        print(f"{path.name}: {'rewritten' if refresh(path) else 'unchanged'}")
