r"""Render the book's mathematics with KaTeX while building, and make every ``\tag`` a place to link to.

KaTeX runs in V8 through mini-racer, so that no Node is needed, and gives HTML for the eye and MathML for
screen readers; the pages carry no mathematics engine. What KaTeX does not understand is a warning.

``\tag{3.2}`` in a ``$$`` block gives the block the id ``eq-3-2``, which ``[(3.2)](#eq-3-2)`` links to within
a page and ``[(3.2)](03-logistic-regression.ipynb#eq-3-2)`` from another.
"""

import re
from functools import cache
from pathlib import Path

from docutils import nodes
from py_mini_racer import JSEvalException, MiniRacer
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.fileutil import copy_asset

KATEX = Path(__file__).parent / "vendor" / "katex"
TAG = re.compile(r"\\tag\{([^}]*)\}")
SHORT = 24  # signs of TeX: so short a formula is not broken at the end of a line
HTML = '<span class="katex-html" aria-hidden="true">'
BASE, END = '<span class="katex-base">', "</span></span>"  # a formula may break between its bases
MATHML = re.compile(r"<math[^>]*?><semantics><mrow>(.*?)</mrow><annotation.*?</semantics>")
CLAUSE, RELATION, OPERATOR, LAST_RESORT = KINDS = range(4)  # where a displayed formula breaks, best first
OPERATORS, NOTHING = ("mrel", "mbin"), ("katex-strut", "mspace")
ARROW = re.compile("[⟹⟸⟺⇒⇐⇔]")  # what follows is a relation of its own
PRODUCT = re.compile("[⋅×⊙∗⋆]")
QUAD, QQUAD = "margin-right:1em", "margin-right:2em"
OTHER_FONT_FORMATS = re.compile(r',url\([^)]*\) format\("(?:woff|truetype)"\)')  # every browser reads WOFF2
logger = logging.getLogger(__name__)


@cache
def katex():
    engine = MiniRacer()
    engine.eval("globalThis.self = globalThis;" + (KATEX / "katex.min.js").read_text("utf-8"))
    return engine


@cache
def render(tex, display):
    """Return the HTML and MathML of a formula; raise JSEvalException where KaTeX sees a mistake."""
    html = katex().call("katex.renderToString", tex, {"displayMode": display, "strict": "ignore"})
    return MATHML.sub(r"<math>\1", html)  # without its source and what a page does not need


def rendered(node, display):
    try:
        return render(node.astext(), display)
    except JSEvalException as error:
        fault = re.search(r"KaTeX parse error: (.*)", str(error))
        logger.warning("mathematics: %s", fault[1] if fault else error, location=node)
        return ""


def visit_inline(translator, node):
    html = rendered(node, display=False)
    if "hold" in node.parent["classes"]:
        before, base, last = html.rpartition(BASE)
        html = f'{before}<span class="last">{base}{last.removesuffix(END)}</span>{END}'
    classes = "math short" if len(node.astext()) <= SHORT else "math"
    translator.body.append(translator.starttag(node, "span", "", CLASS=classes) + html + "</span>")
    raise nodes.SkipNode


def elements(html):
    """Return the elements that stand side by side in KaTeX's HTML."""
    found, start, depth = [], 0, 0
    for tag in re.finditer("<span|</span>", html):
        depth += 1 if tag[0] == "<span" else -1
        if not depth:
            found.append(html[start : tag.end()])
            start = tag.end()
    return found


def inside(element):
    return element[element.index(">") + 1 : -len("</span>")]


def is_short(html):
    """Tell whether a piece is so short that what follows stays beside it: ``L =``."""
    text = re.sub("<[^>]*>", "", html)
    return len(text) < 8 and not any(f'class="{name}"' in html for name in OPERATORS)


def kind_of(name, atom, related):
    """Return the kind of break before an operator outside of parentheses."""
    if name == "mrel":
        return RELATION if related else LAST_RESORT
    return LAST_RESORT if PRODUCT.search(atom) else OPERATOR


def pieces(atoms):
    """Return what a formula may be broken into: of each piece, the kind of break before it, and its HTML.

    A line breaks after a space of two quads (but not after words alone, "that is"), before a relation (the
    first stays with what it is about), before the sign of a sum, and, where nothing else is left, before
    that of a product, within parentheses or after a comma.
    """
    found, depth, previous, related = [[CLAUSE, ""]], 0, None, False
    for atom in atoms:
        name = re.match(r'<span class="(mord text|[\w-]+)', atom)[1]
        depth -= name == "mclose"
        if QQUAD in atom and not depth:
            related = False
            if previous != "mord text":
                found.append([CLAUSE, ""])
                previous = None
                continue
        follows = name == "mrel" and not depth and bool(ARROW.search(atom))
        if name in OPERATORS and previous not in (None, *OPERATORS) and not is_short(found[-1][1]):
            found.append([LAST_RESORT if depth else kind_of(name, atom, related or follows), ""])
        related = (related or name == "mrel" and not depth) and not follows
        found[-1][1] += atom
        if name == "mpunct" or (QUAD in atom and not depth):
            found.append([LAST_RESORT if name == "mpunct" else RELATION, ""])
        if name not in NOTHING:
            previous = name
        depth += name == "mopen"
    if previous in OPERATORS and len(found) > 1:  # a colon at the end
        found[-2:] = [[found[-2][0], found[-2][1] + found[-1][1]]]
    return [(kind, html) for kind, html in found if html]


def nested(parts, kinds=KINDS):
    """Nest pieces so that a line breaks at the better places first."""
    if not kinds:
        return "".join(f"{BASE}{html}</span>" for _, html in parts)
    starts = [place for place, (kind, _) in enumerate(parts) if kind == kinds[0] or not place]
    groups = [parts[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
    return "".join(nested_group(group, kinds, len(groups) == 1) for group in groups)


def nested_group(group, kinds, is_whole):
    html = nested(group, kinds[1:])
    is_part = kinds[0] == CLAUSE or (len(group) > 1 and not is_whole)
    return f'<span class="part">{html}</span>' if is_part else html


def breakable(html):
    """Let a displayed formula break where it is wider than the page, and its number go below it."""
    before, found, seen = html.partition(HTML)
    if not found:
        return html
    *bases, last = elements(seen.removesuffix("</span></span></span>"))
    number = last if "katex-tag" in last[:30] else ""
    atoms = [atom for base in [*bases, *([] if number else [last])] for atom in elements(inside(base))]
    return f'{before}{HTML}<span class="formula">{nested(pieces(atoms))}</span>{number}{END}</span>'


def visit_block(translator, node):
    if node.get("label"):
        logger.warning(r"mathematics: equations are numbered with \tag, not with labels", location=node)
    tag = "span" if isinstance(node.parent, nodes.TextElement) else "div"  # a paragraph can't hold a div
    start = translator.starttag(node, tag, "", CLASS="math display")
    html = breakable(rendered(node, display=True))
    translator.body.append(f"{start}{html}</{tag}>\n")
    translator.previews |= dict.fromkeys(node["ids"], f'<div class="math display">{html}</div>')
    raise nodes.SkipNode


class EquationIds(SphinxTransform):
    r"""Give each block with a ``\tag`` its id, and tell MyST, which resolves the links."""

    default_priority = 878  # MyST resolves links within the page at 879

    def apply(self, **kwargs):
        ids = {}
        for block in self.document.findall(nodes.math_block):
            if tag := TAG.search(block.astext()):
                name = nodes.make_id(f"eq-{tag[1]}")
                if name in ids:
                    logger.warning("mathematics: two equations have the number %s", tag[1], location=block)
                block["ids"].append(name)
                ids[name] = (block.line, name, f"({tag[1]})")
        if ids:
            targets = getattr(self.document, "myst_slugs", {}) | ids
            self.document.myst_slugs = targets
            self.env.metadata[self.env.docname]["myst_slugs"] = targets


def hold_punctuation(app, doctree, docname):
    """Join a formula with what follows it without a space, so that no line begins with a full stop."""
    for formula in list(doctree.findall(nodes.math)):
        text = formula.next_node(descend=False, siblings=True)
        if isinstance(text, nodes.Text) and (marks := re.match(r"\S+", text)):
            parent, place = formula.parent, formula.parent.index(formula)
            parent[place + 1] = nodes.Text(text[marks.end() :])
            parent[place] = nodes.inline("", "", formula, nodes.Text(marks[0]), classes=["hold"])


def say_whether_page_has_mathematics(app, pagename, templatename, context, doctree):
    context["mathematics"] = doctree is not None and any(doctree.findall(is_formula))


def is_formula(node):
    return isinstance(node, nodes.math | nodes.math_block)


def copy_katex(app, exception):
    if exception or app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / "katex"
    copy_asset(KATEX / "fonts", target / "fonts")
    css = (KATEX / "katex.min.css").read_text("utf-8")
    (target / "katex.min.css").write_text(OTHER_FONT_FORMATS.sub("", css), "utf-8")


def setup(app):
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.add_transform(EquationIds)
    app.connect("doctree-resolved", hold_punctuation)
    app.connect("html-page-context", say_whether_page_has_mathematics)
    app.connect("build-finished", copy_katex)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}  # V8 survives no fork
