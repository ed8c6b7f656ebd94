"""Resolve links that lead into an interactive figure: ``[both off](#figure-neuron?w1=0&w2=0)``.

The page's script gives the figure the state that the address names. Where the page has no such figure,
or the figure can't have this state, the build warns.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from twice.explore import addressed, places

FIGURE = re.compile(r'data-figure="([\w-]+)"')
logger = logging.getLogger(__name__)


def note_figures(app, doctree):
    """Keep which places of figures a page has."""
    found = [name for raw in doctree.findall(nodes.raw) for name in FIGURE.findall(raw.astext())]
    app.env.metadata[app.env.docname]["figures"] = places(found)


class FigureLinks(SphinxPostTransform):
    """Make each link into a figure one that the page's script understands."""

    default_priority = 8  # MyST looks for headings of that name at 9

    def run(self, **kwargs):
        for link in list(self.document.findall(addnodes.pending_xref)):
            docname, place = target(link)
            if place.startswith("figure-"):
                self.check(link, docname, place)
                page = self.app.builder.get_relative_uri(link["refdoc"], docname)
                uri = f"#{place}" if docname == link["refdoc"] else f"{page}#{place}"
                link.replace_self(nodes.reference("", "", *link.children, internal=True, refuri=uri))

    def check(self, link, docname, place):
        """Warn of a link to a figure that is not there, or can't be so."""
        if place.partition("?")[0] not in self.env.metadata[docname].get("figures", ()):
            logger.warning("figures: %s has no %s", docname, place, location=link)
        try:
            addressed(place)
        except ValueError as error:
            logger.warning("figures: %s", error, location=link)


def target(link):
    """Return page and place that a link of MyST's leads to."""
    if link.get("refdomain") == "doc":
        return link["reftarget"], link.get("reftargetid") or ""
    return link.get("refdoc"), link["reftarget"] if link["reftype"] == "myst" else ""


def setup(app):
    app.connect("doctree-read", note_figures)
    app.add_post_transform(FigureLinks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
