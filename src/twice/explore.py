"""Interactive figures: ``explore("neuron", w1=1, b=-1.5)``.

Each figure is one self-contained page in a sandboxed ``<iframe srcdoc>``: no kernel, no network,
and the same in the HTML book, in JupyterLab and in Colab. ``explorables/README.md`` says how to write one.
"""

import html
import json
import re
from base64 import b64encode
from collections import Counter
from numbers import Integral, Real
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np

from twice.data.fetch import ASSETS, read_differences, read_npz

FOLDER = Path(__file__).parent / "explorables"
STYLES = FOLDER / "_shared" / "page.css", FOLDER / "_shared" / "base.css"  # any page; one with a picture

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<title>{title}</title><style>
{style}
</style></head><body><main><h1>{title}</h1>{body}</main>
<script type="application/json" id="state">{state}</script><script type="module">
{script}
</script></body></html>"""

# The line of text lies under the figure, and is what remains where a site takes the iframe out.
OUTPUT = """<div class="explorable" data-figure="{name}" style="display:grid;grid-template-columns:100%">
<iframe srcdoc="{page}" title="{title}" sandbox="allow-scripts" loading="lazy" \
style="grid-area:1/1;position:relative;z-index:1;width:100%;border:0;height:{height}px"></iframe>
<p style="grid-area:1/1">{text}</p>
</div>"""


class Explorable:
    """An interactive figure; as the last value of a cell it is displayed."""

    def __init__(self, name, state):
        self.name, self.state = name, state

    @property
    def about(self):
        """The figure's title, its text, and its height where no page listens."""
        return _declaration(self.name, "view", "about")

    @property
    def body(self):
        """What the page holds until its script puts the figure in this place."""
        return f"<p>{html.escape(self.about['text'])}</p>"

    @property
    def style(self):
        """The style sheet: what all figures share, and the figure's own."""
        return sheet(*STYLES, FOLDER / self.name / "style.css")

    @property
    def script(self):
        """The figure's modules as one script."""
        return script(self.name)

    @property
    def page(self):
        """The whole page of the figure, as HTML."""
        return PAGE.format(
            title=html.escape(self.about["title"]),
            body=self.body,
            style=self.style,
            state=json.dumps(self.state).replace("<", r"\u003c"),
            script=self.script,
        )

    def _repr_html_(self):
        page = self.page.replace("&", "&amp;").replace('"', "&quot;")
        about = {key: html.escape(str(value)) for key, value in self.about.items()}
        return OUTPUT.format(name=self.name, page=page, **about)

    def __repr__(self):
        return self.about["text"]


def explore(name, **state):
    """Make the interactive figure ``name``, beginning in the given ``state``.

    Parameters
    ----------
    name : str
        One of ``names()``, or "practice" for a section's questions.
    **state
        Values to begin with; what is not named begins as declared in the figure's ``model.mjs``. Practice
        takes the number of a `chapter` and the heading of a `section`; without it, all of the chapter's.

    Returns
    -------
    Explorable
        The figure, which a notebook displays.

    Raises
    ------
    ValueError
        If there is no such figure, it has no such state, or a value is not what the state expects.
    """
    if name == "practice":
        from twice.practice import Practice  # which is an Explorable

        return Practice(**state)
    if name not in names():
        raise ValueError(f"explore: there is no figure {name!r}; there are {', '.join(names())}")
    declared = _declaration(name, "model", "defaults")
    for key in state:
        if key not in declared:
            raise ValueError(f"explore({name!r}): there is no state {key!r}; there are {', '.join(declared)}")
    return Explorable(name, {key: _admit(name, key, declared[key], value) for key, value in state.items()})


def names():
    """Return the names of all figures, in alphabetical order."""
    return sorted(path.parent.name for path in FOLDER.glob("*/model.mjs"))


def places(figures):
    """Return the place of each of a page's figures in addresses: the second neuron's is "figure-neuron-2"."""
    found, times = [], Counter()
    for name in figures:
        if name != "practice":  # which keeps answers, not a state
            times[name] += 1
            found.append(f"figure-{name}-{times[name]}" if times[name] > 1 else f"figure-{name}")
    return found


def addressed(place):
    """Return the figure that the end of an address leads to, in its state: ``figure-neuron?w1=2&b=-1``.

    Raises
    ------
    ValueError
        If there is no such figure, or it can't have this state.
    """
    start, _, text = place.partition("?")
    name = re.sub(r"^figure-|-\d+$", "", start)
    declared = _declaration(name, "model", "defaults") if name in names() else {}
    state = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    return explore(name, **{key: _written(declared.get(key, {}), value) for key, value in state})


def _written(declaration, value):
    """Return the value that stands in an address; a word is that of a choice, and text stands as it is."""
    if declaration.get("type") == "text":
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def script(name, view=True):
    """Return the modules of a figure as one script, with or without the part that needs a page.

    A sandboxed page can import nothing, so the modules are joined into one scope. They import each other's
    names as they are (no renaming, no default export), and no two of them declare the same top-level name.
    """
    shared, own = FOLDER / "_shared", FOLDER / name
    model = [shared / "state.mjs", own / "model.mjs"]
    page = [shared / "plot.mjs", shared / "faces.mjs", shared / "app.mjs", own / "view.mjs"]
    for module, part in [
        ("arrays.mjs", model),
        ("answers.mjs", model),
        ("random.mjs", model),
        ("contour.mjs", page),
    ]:  # where needed
        if f"_shared/{module}" in part[-1].read_text(encoding="utf-8"):
            part.insert(0, shared / module)
    return _embedded(name) + one_scope(*(model + page if view else model))


def one_scope(*modules):
    """Return modules as one script: without `import`, the word `export`, and what only Python reads."""
    source = re.sub(r"^import .*?;\n|^export const about = .*?^};\n", "", joined(*modules), flags=re.M | re.S)
    return re.sub(r"^export ", "", source, flags=re.M)


def _embedded(name):
    """Write the arrays, tables and weights that a model declares as a line of script, or nothing."""
    arrays = _declaration(name, "model", "arrays")
    tables = _declaration(name, "model", "tables")
    weights = _declaration(name, "model", "weights")
    data = {key: _as_text(_asset(**source)) for key, source in arrays.items()}
    data |= {key: _weights(file) for key, file in weights.items()}
    data |= {key: _table(**source) for key, source in tables.items()}
    return f"const embedded = {json.dumps(data)};\n" if data else ""


def _asset(file, array, rows=None):
    """Read an array, or some of its rows, from one of the package's data files."""
    read = read_differences if file == "cifar-10.npz" else read_npz
    with (ASSETS / file).open("rb") as stored:
        values = read(stored)[array]
    return values if rows is None else values[rows]


def _weights(file):
    """Read all weights of a network in their order, each array with its shape."""
    with (ASSETS / file).open("rb") as stored:
        arrays = [array for array in read_npz(stored).values() if array.ndim]  # no sizes, no letters
    return [{"shape": array.shape, **_as_text(array)} for array in arrays]


def _table(file, table, places=None):
    """Read a table from one of the JSON files; of a column of text in `places`, only the letters there."""
    records = json.loads((ASSETS / file).read_text(encoding="utf-8"))[table]
    for column, letters in (places or {}).items():
        for record in records:
            record[column] = "".join(record[column][i] for i in letters)
    return records


def _as_text(array):
    """Return an array as its type and its bytes in base64; a run of n letters A, zeros, is written ~n~."""
    little_endian = array.astype(array.dtype.newbyteorder("<"))
    base64 = b64encode(little_endian.tobytes()).decode("ascii")
    short = re.sub(r"A{5,}", lambda run: f"~{len(run[0])}~", base64)
    return {"type": array.dtype.name, "base64": short}


def joined(*paths):
    """Return files one below the other, without indentation, blank lines and most comments."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    source = re.sub(r"^\s*/\*.*?\*/$", "", source, flags=re.M | re.S)
    source = re.sub(r"(?<=[;,{}()]) (//.*|/\*.*\*/)$", "", source, flags=re.M)
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def sheet(*paths):
    """Return style sheets as one, without the spaces that only a person reads."""
    return re.sub(r"\s*([{};])\s*", r"\1", joined(*paths))


def _declaration(name, module, variable):
    """Read the object that a module declares as ``export const variable = {...};``, in JSON, or {}."""
    source = (FOLDER / name / f"{module}.mjs").read_text(encoding="utf-8")
    found = re.search(rf"^export const {variable} = (\{{.*?^\}});$", source, re.M | re.S)
    return json.loads(found[1]) if found else {}


def _admit(name, key, declaration, value):
    """Return ``value`` as plain JSON data, or say what was expected."""
    admit, expected = TYPES[declaration["type"]]
    admitted = admit(declaration, value)
    if admitted is None:
        expected = expected.format(**declaration)
        raise ValueError(f"explore({name!r}): {key} must be {expected}, and came as {value!r}")
    return admitted


# Each type gives plain data, or None for what does not fit its declaration.


def _number(declaration, value):
    fits = isinstance(value, Real) and not isinstance(value, bool)
    return float(value) if fits and declaration["min"] <= value <= declaration["max"] else None


def _integer(declaration, value):
    return int(value) if isinstance(value, Integral) and _number(declaration, value) is not None else None


def _boolean(declaration, value):
    return bool(value) if isinstance(value, bool | np.bool_) else None


def _choice(declaration, value):
    return str(value) if str(value) in declaration["options"] else None  # an address can't tell "0" from 0


def _text(declaration, value):
    fits = isinstance(value, str) and len(value) <= declaration["most"]
    return str(value) if fits and set(value) <= set(declaration["alphabet"]) else None


def _points(declaration, value):
    ends = [
        {"min": low, "max": high} for low, high in zip(declaration["min"], declaration["max"], strict=True)
    ]
    try:
        points = [[_number(*pair) for pair in zip(ends, point, strict=True)] for point in value]
    except (TypeError, ValueError):  # not a list of points, or a point with too many or too few coordinates
        return None
    fits = declaration["least"] <= len(points) <= declaration["most"] and all(None not in p for p in points)
    return points if fits else None


def _matrix(declaration, value):
    try:
        rows = [[_number(declaration, number) for number in row] for row in value]
    except TypeError:  # not a list of lists
        return None
    fits = [len(row) for row in rows] == [declaration["columns"]] * declaration["rows"]
    return rows if fits and all(None not in row for row in rows) else None


TYPES = {
    "number": (_number, "a number from {min} to {max}"),
    "integer": (_integer, "an integer from {min} to {max}"),
    "boolean": (_boolean, "True or False"),
    "choice": (_choice, "one of {options}"),
    "text": (_text, "at most {most} of the letters {alphabet}"),
    "matrix": (_matrix, "{rows} rows of {columns} numbers from {min} to {max}"),
    "points": (_points, "{least} to {most} points from {min} to {max}"),
}
