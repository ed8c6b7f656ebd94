"""Build the book, or one of its constructs only, in a folder of its own."""

import subprocess
import sys
from pathlib import Path
from shutil import copy, copytree, which

import nbformat
import yaml
from notebooks import ROOT
from specimen import METADATA, SPECIMEN

SOURCES = ["_config.yml", "_toc.yml", "CONTRIBUTING.md", "book"]


def copy_sources(folder):
    """Copy what the book is built from, so that a build for a test leaves the reader's own alone."""
    for name in SOURCES:
        source = ROOT / name
        (copytree if source.is_dir() else copy)(source, folder / name)
    return folder


def build(folder):
    """Build the book in a folder; return the finished process."""
    program = which("jupyter-book", path=Path(sys.executable).parent)
    command = [program, "build", str(folder), "-W", "-n", "--keep-going"]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=600)


def built(folder):
    """Build the book in a folder without a warning; return the folder of its pages."""
    process = build(folder)
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
    return folder / "_build" / "html"


def write_specimen(folder, cells=SPECIMEN):
    """Make a copy of the book's sources whose only chapter is one notebook of the given cells."""
    copy_sources(folder)
    for chapter in (folder / "book").glob("*.ipynb"):
        chapter.unlink()
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=METADATA)
    nbformat.write(notebook, folder / "book" / "07-specimen.ipynb")
    (folder / "book" / "index.md").write_text("# Specimen\n\n[(7.2)](07-specimen.ipynb#eq-7-2)\n", "utf-8")
    toc = {"format": "jb-book", "root": "book/index", "chapters": [{"file": "book/07-specimen"}]}
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc), "utf-8")
    return folder


def pages():
    """Return the pages of the book by the table of contents, and the search, without their ending."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    chapters = [chapter["file"] for part in toc["parts"] for chapter in part["chapters"]]
    return [toc["root"], *chapters, "search"]
