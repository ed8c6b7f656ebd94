"""What the published book tells the world: the address of each page, a card to share, a map of the site.

The address follows from the repository's, which `_config.yml` holds: GitHub publishes it at
owner.github.io/name.
"""

from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

CARD = "_static/card.png"


def set_address(app, config):
    """Derive the address of the published pages from the repository's."""
    owner, name = urlsplit(config.html_theme_options["repository_url"]).path.strip("/").split("/")
    config.html_baseurl = config.html_baseurl or f"https://{owner.lower()}.github.io/{name}/"


def tell_address(app, pagename, templatename, context, doctree):
    """Give the templates the page's address, the card's, and the pages' path on their host."""
    base = app.config.html_baseurl
    context["home"], context["card"] = base, base + CARD
    context["author"] = app.config.author
    context["base_path"] = urlsplit(base).path
    context["suffix"] = Path(app.env.doc2path(pagename)).suffix if doctree else ""


def write_map(app, exception):
    """Write the list of pages that search engines read."""
    if exception or app.builder.format != "html":
        return
    pages = [
        app.config.html_baseurl + app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)
    ]
    urls = "".join(f"<url><loc>{escape(page)}</loc></url>\n" for page in pages)
    namespace = "http://www.sitemaps.org/schemas/sitemap/0.9"
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    Path(app.outdir, "sitemap.xml").write_text(
        f'{head}<urlset xmlns="{namespace}">\n{urls}</urlset>\n', "utf-8"
    )


def setup(app):
    app.connect("config-inited", set_address)
    app.connect("html-page-context", tell_address)
    app.connect("build-finished", write_map)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
