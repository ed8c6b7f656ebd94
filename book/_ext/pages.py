"""What the book's pages need beyond Sphinx: their theme, captions, notes, sized pictures, a description."""

import re
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from PIL import Image
from pygments.lexer import RegexLexer
from pygments.token import Generic, Text
from sphinx.util.images import get_image_size
from sphinx.writers.html5 import HTML5Translator

from frames import is_explorable
from pictures import framed
from references import link_comment, preview_name

THEME = Path(__file__).parent.parent / "_theme"
DESCRIPTION = 160  # characters that a search engine shows
CSS_PIXELS_PER_INCH = 96
SHORT_CODE, LONG_HEADING, LONG_ENTRY = 24, 20, 40  # characters in a table: not broken; not one word a line
NOT_ATTEMPTED = re.compile(r"\s*Exercise [\d.]+: not attempted yet\s*")  # what `check` says of a stub


class ChecksLexer(RegexLexer):
    """Colour the marks that begin the lines of ``agree``, ``check_gradient`` and ``rejects``."""

    name, aliases = "checks", ["checks"]
    tokens = {"root": [(r"^✓", Generic.Inserted), (r"^✗", Generic.Deleted), (r"[^\n]+|\n", Text)]}


class BookTranslator(HTML5Translator):
    """Write tables that scroll and pictures that know their size, and spare screen readers empty words.

    ``previews`` keeps, by its id, the HTML of what links are to show before one follows them.
    """

    def __init__(self, document, builder):
        super().__init__(document, builder)
        self.previews, self.starts = {}, []

    def begin_preview(self):
        self.starts.append(len(self.body))

    def end_preview(self, ids, wrapper="{}"):
        html = wrapper.format("".join(self.body[self.starts.pop() :]))
        self.previews |= dict.fromkeys(ids, html)

    def visit_table(self, node):
        self.body.append('<div class="table">')
        super().visit_table(node)

    def depart_table(self, node):
        super().depart_table(node)
        self.body.append("</div>\n")

    def visit_entry(self, node):
        super().visit_entry(node)
        if not node.astext():  # the empty corner of a table is no heading
            self.body[-1] = self.body[-1].replace("<th", "<td")
            self.context[-1] = self.context[-1].replace("th", "td")

    def visit_section(self, node):
        super().visit_section(node)
        if heights := node.get("heights"):
            style = "--wide:{}px;--narrow:{}px".format(*heights)
            self.body[-1] = self.body[-1].replace("<section", f'<section style="{style}"', 1)

    def visit_image(self, node):
        super().visit_image(node)
        if size := node.get("size"):
            known = '<img loading="lazy" width="{}" height="{}" '.format(*size)
            self.body[-1] = self.body[-1].replace("<img ", known, 1)
        if "cell_output" in node.parent.get("classes", ()):
            self.body[-1] = framed(self.body[-1])

    def visit_citation(self, node):
        # docutils writes a role that ARIA has withdrawn, in a list without items
        if not isinstance(node.previous_sibling(), nodes.citation):
            self.body.append('<div role="list" class="citation-list">\n')
        self.body.append(self.starttag(node, "div", classes=["citation"], role="listitem"))
        self.begin_preview()

    def depart_citation(self, node):
        self.end_preview(node["ids"])
        super().depart_citation(node)

    def visit_definition_list_item(self, node):
        super().visit_definition_list_item(node)
        self.begin_preview()

    def depart_definition_list_item(self, node):
        super().depart_definition_list_item(node)
        terms = [name for term in node.findall(nodes.term) for name in term["ids"]]
        self.end_preview(terms, '<dl class="glossary">{}</dl>')

    def visit_literal_block(self, node):
        for name in node.parent.get("ids", ()):
            if name.startswith("twice-"):  # the cell that builds a name of the package
                self.previews[name] = preview_name(self.builder.app, name.removeprefix("twice-"))
        try:
            super().visit_literal_block(node)
        except nodes.SkipNode:  # coloured
            self.body[-1] = link_comment(self, self.body[-1])
            raise


def displayed_size(path):
    """Return width and height in CSS pixels: a figure drawn 7 inches wide is shown 7 inches wide."""
    size = get_image_size(path)
    if size is None or path.suffix != ".png":
        return size
    with Image.open(path) as picture:
        dpi = picture.info.get("dpi", (CSS_PIXELS_PER_INCH, CSS_PIXELS_PER_INCH))
    return [round(pixels * CSS_PIXELS_PER_INCH / d) for pixels, d in zip(size, dpi, strict=True)]


def measure_pictures(app, doctree, docname):
    """Give each picture its size, which its element and the height of its section are made of."""
    for image in doctree.findall(nodes.image):
        if size := displayed_size(Path(app.srcdir, image["uri"])):
            image["size"] = size


def mark_captions(app, doctree, docname):
    """Mark the italic line under a figure as its caption."""
    for paragraph in doctree.findall(nodes.paragraph):
        is_italic = [type(part) for part in parts(paragraph)] == [nodes.emphasis]
        if is_italic and shows_figure(paragraph.previous_sibling()):
            paragraph["classes"].append("caption")


def parts(paragraph):
    return [child for child in paragraph if child.astext()]  # MyST leaves empty texts between marks


def shows_figure(node):
    if node is None:
        return False
    return any(node.findall(nodes.image)) or any(node.findall(is_explorable))


def mark_notes(app, doctree, docname):
    """Mark the quotations that begin in bold, as in ``> **Note.** …``."""
    for quotation in doctree.findall(nodes.block_quote):
        if isinstance(parts(quotation[0])[0], nodes.strong):
            quotation["classes"].append("note")


def mark_lengths_in_tables(app, doctree, docname):
    """Mark short code in tables, which stays in one piece, and long entries, which need a wide column."""
    for entry in doctree.findall(nodes.entry):
        is_heading = isinstance(entry.parent.parent, nodes.thead)
        if len(entry.astext()) > (LONG_HEADING if is_heading else LONG_ENTRY):
            entry["classes"].append("long")
        for code in entry.findall(nodes.literal):
            if len(code.astext()) <= SHORT_CODE:
                code["classes"].append("short")


def leave_out_not_attempted(app, doctree):
    """Leave out that an exercise has not been attempted, which is news in the notebook only."""
    for output in list(doctree.findall(is_output)):
        if NOT_ATTEMPTED.fullmatch(output.astext()):
            output.parent.remove(output)


def is_output(node):
    return isinstance(node, nodes.container) and "cell_output" in node["classes"]


def visit_folded_cell(translator, node):
    """Fold away what a notebook hides, under words that a screen reader hears as they stand."""
    what = "Output" if "below-input" in node["classes"] else "Code"
    translator.body.append(f"<details>\n<summary>{what}</summary>\n")


def depart_folded_cell(translator, node):
    translator.body.append("</details>\n")


def describe(app, pagename, templatename, context, doctree):
    """Describe the page by its first paragraph, for search engines."""
    paragraphs = doctree.findall(nodes.paragraph) if doctree else ()
    text = next((" ".join(p.astext().split()) for p in paragraphs), app.config.html_title)
    fits = len(text) <= DESCRIPTION
    context["description"] = text if fits else text[: DESCRIPTION - 1].rsplit(" ", 1)[0] + "…"


def setup(app):
    app.add_html_theme("twice", THEME)
    app.set_translator("html", BookTranslator)
    app.add_lexer("checks", ChecksLexer)
    app.add_config_value("comments_config", {}, "html")  # Jupyter Book sets it, and the book has no comments
    app.add_node(HideCodeCellNode, override=True, html=(visit_folded_cell, depart_folded_cell))
    app.connect("doctree-read", leave_out_not_attempted)
    app.connect("doctree-resolved", measure_pictures)
    app.connect("doctree-resolved", mark_captions)
    app.connect("doctree-resolved", mark_notes)
    app.connect("doctree-resolved", mark_lengths_in_tables)
    app.connect("html-page-context", describe)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
