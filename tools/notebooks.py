"""What the book's tools and tests share: where things are, how a notebook is read, when it is stale."""

import ast
import hashlib
import tomllib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
PACKAGE = ROOT / "src" / "twice"
LEDGERS = BOOK / "_ledger"
DRAWN = {"twice.explore"}  # interactive figures: a test of their own compares the stored with the generated
JUDGES = {"twice.exercises"}  # looked up at run time: in a stored notebook they only say "not attempted"
ASKS = ('explore("practice"', 'explore("shapes"')  # cells that `tools/practice.py` puts in

SETUP = """\
import importlib.util
import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever this machine's setting is
package = importlib.util.find_spec("twice")
if package is None or package.origin is None:  # in Colab, or a mere folder
    %pip install -q git+{address}"""


def notebooks():
    """Return the book's notebooks in order."""
    return sorted(BOOK.glob("*.ipynb"))


def read(path):
    """Return the notebook in the file ``path``."""
    return nbformat.read(path, as_version=4)


def address():
    """Return the repository's address, which pyproject.toml alone decides."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["urls"]["Repository"]


def setup_cell():
    """Return the source of the first code cell of every notebook."""
    return SETUP.format(address=address())


def code_cells(nb):
    """Return the code cells in order, the setup cell first."""
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def tags(cell):
    """Return the cell's tags."""
    return cell.metadata.get("tags", [])


def syntax(node):
    """Return a syntax tree as nested tuples that are equal for equal code, on every Python.

    Positions, docstrings, and the annotations of arguments and results are left out, as is everything empty.
    """
    if isinstance(node, list):
        return tuple(syntax(item) for item in node)
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if docstring(node):
        fields["body"] = fields["body"][1:]
    if isinstance(node, ast.JoinedStr):  # Python 3.12 ends some of them with an empty text
        fields["values"] = [value for value in node.values if getattr(value, "value", None) != ""]
    if isinstance(node, ast.arg | ast.FunctionDef):
        fields |= {"annotation": None, "returns": None}
    kept = ((name, syntax(value)) for name, value in fields.items() if value not in (None, []))
    return (type(node).__name__, *kept)


def docstring(node):
    """Return the docstring of a module, class or function, or None."""
    documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    return ast.get_docstring(node) if documented else None


def stamp(nb):
    """Return what a notebook's outputs depend on: the hashes of its code and of the package below it."""
    return {"code": code_hash(nb), "package": package_hash(nb)}


def code_hash(nb):
    """Return the hash of the code cells after the setup cell.

    What asks questions is left out: it computes nothing, and is `DRAWN` like what shows it.
    """
    sources = (cell.source for cell in code_cells(nb)[1:])
    return digest([source for source in sources if not source.startswith(ASKS)])


def package_hash(nb):
    """Return the hash of the syntax of the package's modules that the notebook imports, directly or not.

    A module that no chapter imports, or a better docstring, makes no output stale. What is `DRAWN` is left
    out, and so are the `JUDGES` of the exercises.
    """
    cells = (ast.parse(cell.source) for cell in code_cells(nb)[1:])
    found, waiting = {}, {name for tree in cells for name in imported(tree, "")}
    while waiting:
        name = waiting.pop()
        path, parent = module_file(name), name.rpartition(".")[0]
        if path and name not in {*found, *DRAWN, *JUDGES}:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found[name] = syntax(tree)
            waiting |= {parent, *imported(tree, name if path.name == "__init__.py" else parent)}
    return digest(sorted(found.items()))


def imported(tree, package):
    """Yield the full names that a syntax tree imports; ``package`` is where its relative imports start."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parents, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def module_file(name):
    """Return the file of a module of the package, or None for any other name."""
    root, *parts = name.split(".")
    stem = PACKAGE.joinpath(*parts)
    files = (stem / "__init__.py", stem.with_suffix(".py"))
    return next((file for file in files if file.is_file()), None) if root == PACKAGE.name else None


def digest(value):
    """Return a short hash of a nested value."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]
