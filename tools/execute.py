"""Run notebooks from the first cell to the last and store what they print and draw.

python tools/execute.py                        every notebook, on the full data
python tools/execute.py --stale                only those whose code or package changed since
python tools/execute.py -j 2 book/01-*.ipynb   the ones named, two at a time

Running a notebook again changes not one byte of it. Where a cell fails, the notebook and its ledger stay as
they were, and the exit status is 1.
"""

import argparse
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory, TemporaryFile

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from notebooks import LEDGERS, ROOT, code_cells, notebooks, read, stamp

from twice.data.__main__ import main as fetch_data

SETTINGS = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # whatever its author's own choice is
    "PYTEST_CURRENT_TEST": "execute",  # ipykernel then captures no file descriptors, so no TensorFlow log
    "TF_DETERMINISTIC_OPS": "1",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TWICE_SOURCES": "cache",  # which is filled before: stored outputs come from the full data alone
}
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}
SECONDS = 1800  # for one cell


def execute(path):
    """Run one notebook in place; return None, or what went wrong."""
    nb = read(path)
    source, made_of = path.read_bytes(), stamp(nb)
    with TemporaryDirectory() as folder:
        ledger = Path(folder, f"{path.stem}.jsonl")
        if problem := run(nb, path, TWICE_LEDGER=str(ledger)):
            return problem
        if path.read_bytes() != source:
            return f"{path.name}: edited while it ran, so nothing was stored"
        store(nb, path, made_of)
        store_ledger(ledger)
    return None


def run(nb, path, **variables):
    """Run a notebook's cells where the file ``path`` lies; return None, or what went wrong."""
    begun = []
    client = NotebookClient(
        nb,
        timeout=SECONDS,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=lambda cell, cell_index: begun.append(cell),
    )
    with TemporaryFile("w+") as log:
        try:
            client.execute(env={**os.environ, **SETTINGS, **variables}, stderr=log)
        except (CellExecutionError, CellTimeoutError) as error:
            return failure(path, begun, str(error))
        except DeadKernelError:
            log.seek(0)
            return failure(path, begun, f"the kernel died; the end of its log:\n{log.read()[-2000:]}")
    return None


def store(nb, path, made_of):
    """Write an executed notebook and what it was made of, without what depends on the time or the machine."""
    for cell in nb.cells:
        cell.metadata.pop("execution", None)
    for cell in code_cells(nb):
        cell.outputs = merged(cell.outputs)
    nb.metadata = nbformat.from_dict({**METADATA, "twice": {**made_of, "data": "full"}})
    nbformat.validate(nb)
    nbformat.write(nb, path)


def merged(outputs):
    """Return the outputs with neighbouring pieces of one stream joined: how it was cut depends on time."""
    whole = []
    for output in outputs:
        last = whole[-1] if whole else None
        if last and last.output_type == output.output_type == "stream" and last.name == output.name:
            last.text += output.text
        else:
            whole.append(output)
    return whole


def store_ledger(ledger):
    """Keep the record of the notebook's checks; a notebook without checks has none."""
    kept = LEDGERS / ledger.name
    if ledger.exists():
        kept.parent.mkdir(exist_ok=True)
        copyfile(ledger, kept)
    else:
        kept.unlink(missing_ok=True)


def failure(path, begun, reason):
    """Say which cell failed, the last one begun, with its source and its traceback or else the reason."""
    cell = begun[-1]
    traceback = "\n".join(line for output in cell.outputs for line in output.get("traceback", []))
    told = re.sub(r"\x1b\[[\d;]*m", "", traceback) or reason
    bar = "─" * 80
    return f"{path.name}: code cell {len(begun)} failed\n{bar}\n{cell.source}\n{bar}\n{told}\n{bar}"


def stale(path):
    """Return whether the notebook's outputs are older than its code or the package."""
    nb = read(path)
    return {**nb.metadata.get("twice", {}), **stamp(nb)} != nb.metadata.get("twice")


def fetch(paths):
    """Fill the cache with the data sets that the notebooks use; end the program where one cannot be had."""
    code = "\n".join(cell.source for path in paths for cell in code_cells(read(path)))
    names = [name for name in ("mnist", "cifar10") if re.search(rf"\b{name}\b", code)]
    if names and fetch_data(names):
        sys.exit("outputs are stored from the full data only, which is not to be had here: see above")


def main():
    """Run the notebooks named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="all of the book's when left out")
    parser.add_argument("--stale", action="store_true", help="skip those that are up to date")
    parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="run N notebooks at a time")
    options = parser.parse_args()
    paths = [path.resolve() for path in options.notebooks] or notebooks()
    if options.stale:
        paths = [path for path in paths if stale(path)]
    fetch(paths)
    failed = False
    with ProcessPoolExecutor(options.jobs) as pool:
        for path, problem in zip(paths, pool.map(execute, paths), strict=True):
            print(problem or f"{os.path.relpath(path, ROOT)}: executed", flush=True)
            failed |= problem is not None
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
