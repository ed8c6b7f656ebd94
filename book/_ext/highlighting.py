"""Colour code with as few elements as there are colours: what has none needs no element."""

from functools import cache

from pygments.formatters import HtmlFormatter
from pygments.token import Comment, Generic, Keyword, Literal, Name, Operator
from sphinx.highlighting import PygmentsBridge

COLOURED = {
    Comment: "c1",
    Keyword: "k",
    Keyword.Constant: "m",
    Literal.Number: "m",
    Literal.String: "s",
    Name.Function: "nf",
    Name.Class: "nf",
    Name.Decorator: "nd",
    Operator.Word: "k",
    Generic.Inserted: "gi",
    Generic.Deleted: "gd",
}


class LightFormatter(HtmlFormatter):
    """Write an element for a token that has a colour, with the class of that colour."""

    def _get_css_classes(self, token):
        kinds = reversed(token.split())  # from the most special one
        return next((COLOURED[kind] for kind in kinds if kind in COLOURED), "")

    def _wrap_pre(self, lines):
        yield 0, "<pre>"
        yield from lines
        yield 0, "</pre>"


class LightBridge(PygmentsBridge):
    """Sphinx's highlighter with one formatter for all blocks, instead of one for each."""

    html_formatter = LightFormatter

    @cache  # noqa: B019 -- there is one bridge in a build
    def get_formatter(self, **kwargs):  # noqa: D102
        return super().get_formatter(**kwargs)


def use(app):
    if app.builder.format == "html":
        app.builder.highlighter = LightBridge("html", app.config.pygments_style)


def setup(app):
    app.connect("builder-inited", use)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
