"""Tell the browser about how high each section is, so that it lays out only those near the reader.

A section far away is skipped (``content-visibility``). Until it is laid out, it takes the height that is
reckoned here from what it holds, once for a wide page and once for a phone: the scroll bar need not jump.
"""

import re
from dataclasses import dataclass
from functools import singledispatch
from math import ceil

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx import addnodes

from frames import is_explorable

FOLDED = 70  # pixels of what a reader may unfold
CODE = 20.6  # of a line of code


@dataclass(frozen=True)
class Page:
    """What book.css makes of a page: signs in a line, and pixels."""

    signs: int  # in a line; in the cells of a table: cells
    width: int
    line: float
    gap: float
    title: int
    cells: int


WIDE = Page(signs=78, width=672, line=30.4, gap=21, title=72, cells=70)
NARROW = Page(signs=42, width=339, line=28.8, gap=20, title=66, cells=46)


@singledispatch
def height(node, page):
    """Return the height of a node in pixels: of a container, that of its parts."""
    return stacked(node.children, page)


def stacked(parts, page):
    """Return the height of parts one below the other; what is folded away counts as its summary."""
    total, is_folded = 0, False
    for part in parts:
        html = part.astext() if isinstance(part, nodes.raw) else ""
        if "<details" in html:
            total, is_folded = total + FOLDED, True
        if not is_folded:
            total += height(part, page)
        if "</details>" in html:
            is_folded = False
    return total


@height.register
def _(node: nodes.title, page):
    return page.title


@height.register
def _(node: nodes.paragraph | nodes.term | addnodes.desc_signature, page):
    return ceil(len(node.astext()) / page.signs) * page.line + page.gap


@height.register
def _(node: nodes.literal_block, page):
    is_printed = "output" in node.parent["classes"]
    return (node.astext().count("\n") + 1) * CODE + (13 if is_printed else 38)


@height.register
def _(node: nodes.math_block, page):
    return node.astext().count(r"\\") * 32 + 70


@height.register
def _(node: nodes.image, page):
    width, height = node.get("size", (1, 0))
    return min(1, page.width / width) * height + 32


@height.register
def _(node: nodes.table, page):
    rows = (ceil(len(row.astext()) / page.cells) for row in node.findall(nodes.row))
    return sum(rows) * 24 + len(list(node.findall(nodes.row))) * 15 + 40


@height.register
def _(node: nodes.raw, page):
    told = re.search(r"height:(\d+)px", node.astext()) if is_explorable(node) else None
    return int(told[1]) + 40 if told else 0


@height.register
def _(node: HideCodeCellNode, page):
    return FOLDED


def reckon(app, doctree, docname):
    """Give each section below the page's title its two heights."""
    for section in doctree.findall(nodes.section):
        if isinstance(section.parent, nodes.section):
            section["heights"] = [round(height(section, page)) for page in (WIDE, NARROW)]


def setup(app):
    app.connect("doctree-resolved", reckon)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
