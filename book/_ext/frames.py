"""Write each interactive figure into a file of its own, which its frame loads when a reader comes near.

In a notebook a figure stands in its frame's ``srcdoc``; on a page that would be half of what a reader loads.
"""

import re
from hashlib import sha256
from html import unescape
from pathlib import Path

from docutils import nodes

EXPLORABLE = 'class="explorable"'
SOURCE = re.compile(r'srcdoc="([^"]*)"')
FOLDER = "_static/figures"


def is_explorable(node):
    return isinstance(node, nodes.raw) and EXPLORABLE in node.astext()


def move_out(app, doctree, docname):
    """Put the page of each figure into a file, and its address into the frame."""
    up = "../" * docname.count("/")
    for raw in list(doctree.findall(is_explorable)):
        html = SOURCE.sub(lambda found: f'src="{up}{written(app, found[1])}"', raw.astext())
        raw.replace_self(nodes.raw("", html, format="html"))


def written(app, source):
    """Write a figure's page, and return its address from the book's root."""
    page = unescape(source)
    name = f"{FOLDER}/{sha256(page.encode()).hexdigest()[:12]}.html"
    path = Path(app.outdir, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, "utf-8")
    return name


def leave_out_questions_code(app, doctree, docname):
    """Leave out the code of a cell that asks questions: it would only say that it does."""
    for code in list(doctree.findall(is_input)):
        if code.astext().startswith('explore("practice"'):
            code.parent.remove(code)


def is_input(node):
    return "cell_input" in getattr(node, "attributes", {}).get("classes", ())


def setup(app):
    app.connect("doctree-resolved", leave_out_questions_code)
    app.connect("doctree-resolved", move_out)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
