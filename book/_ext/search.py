"""Build the index of the search: sections, equations, terms, names of the package and symbols.

The search is MiniSearch, which makes the index here, in V8, and reads it on the search page. A question is
answered by the place where a thing is taught: a term by the section that introduces it, a name by the cell
that builds it, a symbol by the equation that it first stands in.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.util.fileutil import copy_asset

from references import GLOSSARY, describe_name, names, place_of, surname, terms

MINISEARCH = Path(__file__).parent / "vendor" / "minisearch"
NOTATION = "book/notation"
PACKAGE = "book/package"
STATIC = Path(__file__).parent.parent / "_static"
ROW = re.compile(r"^\| (\$.+?) \| (.*?) \|(?:.*\|)? (.+?) \| (.*?) ?\|$", re.MULTILINE)
MARKUP = re.compile(r" ?\{cite:\w\}`[^`]*`|\[([^\]]*)\]\([^)]*\)|[*`$]")
FRACTION = re.compile(r"\\[dt]?frac ?(?:\{([^{}]*)\}|(\w))(?:\{([^{}]*)\}|(\w))")
RAISED = re.compile(r"([_^])\{([^{}]*)\}")
ACCENT = re.compile(r"\\(hat|tilde|bar) ?\{?(?:\\([A-Za-z]+)|(\w))\}?")
ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}
NO_MARKS = str.maketrans("", "", "{}\\$")
COMMANDS = """ell partial nabla odot cdot times sum top le ge ne approx to in infty pm mid lvert rvert
    lVert rVert sqrt dots ldots cdots"""
UNSEEN = """left right big bigl bigr mathbf mathbb boldsymbol mathrm mathcal operatorname text displaystyle
    quad star hat bar tilde"""
SIGNS = dict(zip(re.findall(r"\w+", COMMANDS), "ℓ∂∇⊙·×∑ᵀ≤≥≠≈→∈∞±|||‖‖√………", strict=True))
SIGNS |= dict.fromkeys(re.findall(r"\w+", UNSEEN), "")
GENERAL = 4  # the tables of the notation that hold throughout the book come first


# ---------- from the pages ----------


def remember_sections(app, doctree):
    """Keep what each section of a page says, without what its own sections say."""
    page = next(doctree.findall(nodes.title), nodes.Text("")).astext()
    app.env.metadata[app.env.docname]["sections"] = [
        {"title": readable(section[0]), "page": page, "place": section["ids"][0], **told(section)}
        for section in doctree.findall(nodes.section)
    ]


def told(section):
    """Return a section's own text, and the ids of the equations in it."""
    own = [part for part in section[1:] if not isinstance(part, nodes.section | nodes.system_message)]
    lines = [readable(line) for part in own for line in part.findall(is_line)]
    numbered = [name for part in own for block in part.findall(nodes.math_block) for name in block["ids"]]
    return {"text": " ".join(filter(None, lines)), "equations": numbered}


def is_line(node):
    return isinstance(node, nodes.paragraph | nodes.term)


def readable(node):
    """Return a node's text as one reads it, with its formulas in signs."""
    if isinstance(node, nodes.math):
        return seen(node.astext())
    if isinstance(node, nodes.math_block):
        return "…"
    if isinstance(node, nodes.raw):
        return ""
    return (
        str(node) if isinstance(node, nodes.Text) else " ".join("".join(map(readable, node.children)).split())
    )


@cache
def seen(tex):
    """Return TeX as one reads it in a line: with signs for its commands."""
    before = None
    while tex != before:  # fractions within fractions
        before, tex = tex, RAISED.sub(r"\1\2", tex)
        tex = FRACTION.sub(lambda m: f" {divided(m[1] or m[2])}/{divided(m[3] or m[4])}", tex)
    tex = ACCENT.sub(accented, tex)
    tex = re.sub(r"\\([A-Za-z]+) ?", lambda command: sign(command[1]), tex).replace("^2", "²")
    return " ".join(re.sub(r"\\[,;:! ]", " ", tex).translate(NO_MARKS).split())


def accented(match):
    accent, command, letter = match.groups()
    return unicodedata.normalize("NFC", (letter or sign(command)) + ACCENTS[accent])


def divided(tex):
    return tex if re.fullmatch(r"\w+|\\\w+", tex) else f"({tex})"


def sign(command):
    """Return the sign of a TeX command: a Greek letter, a sign of mathematics, or its name."""
    case = "CAPITAL" if command[0].isupper() else "SMALL"
    spelt = {"lambda": "lamda"}.get(command.lower(), command.lower().removeprefix("var"))
    if command in SIGNS:
        return SIGNS[command]
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {spelt}")
    except KeyError:
        return f" {command} "


def plain(markdown):
    """Return a line of Markdown without its marks."""
    markdown = re.sub(r"\$([^$]*)\$", lambda formula: seen(formula[1]), markdown)
    return MARKUP.sub(lambda mark: mark[1] or "", markdown).strip()


# ---------- what can be found ----------


def documents(app):
    """Yield what can be found, each with its kind, title, page, address and text, and its whole names."""
    sections = [
        (docname, section)
        for docname in sorted(app.env.found_docs)
        for section in app.env.metadata[docname].get("sections", ())
    ]
    pages = {docname: section["page"] for docname, section in sections}
    for docname, section in sections:
        yield from section_documents(app, docname, section)
    yield from term_documents(app, pages)
    yield from symbol_documents(app, pages)
    for name, (docname, place) in names(app.env).items():
        title, text = describe_name(app, name)
        yield document("name", title, pages[docname], place_of(docname, place), plain(text), [name])
    for citation in app.env.get_domain("cite").citations:
        title = re.sub("[{}]", "", citation.entry.fields["title"])
        authors = ", ".join(surname(person) for person in citation.entry.persons.get("author", ()))
        place = place_of(citation.bibliography_key.docname, citation.citation_id)
        yield document("paper", title, "", place, f"{authors}, {citation.entry.fields['year']}")


def document(kind, title, page, address, text, whole=(), other=""):
    names = "\n".join(whole)
    return {"kind": kind, "title": title, "page": page, "address": address, "text": text} | {
        "whole": names,
        "other": other,
    }


def section_documents(app, docname, section):
    """Yield a section and the equations in it."""
    title, page = section["title"], section["page"]
    is_page = title == page
    whole = re.sub(r"^\d+\. | \(optional\)$", "", title)
    text = (
        "" if docname in (GLOSSARY, NOTATION, PACKAGE) else section["text"]
    )  # their entries stand for themselves
    address = place_of(docname, "" if is_page else section["place"])
    yield document("section", title, "" if is_page else page, address, text, [whole])
    for name in section["equations"]:
        number = name.removeprefix("eq-").replace("-", ".")
        whole = [number, f"equation {number}", f"eq. {number}"]
        yield document("equation", f"({number})", page, place_of(docname, name), title, whole, "equation eq")


def term_documents(app, pages):
    """Yield the terms of the glossary, each at the place that introduces it."""
    introductions = dict(terms(app.env, everyday=True).values())
    listed = app.env.get_domain("std").objects
    for term, chinese, definition in app.env.terms:
        if entry := listed.get(("term", f"{term} {chinese}")):
            introduced = introductions.get(entry)
            docname, place = (f"book/{introduced[0]}", introduced[1]) if introduced else entry
            text = plain(re.sub(r" ?\[Chapter \d+\]\([^)]*\)$", "", definition))
            whole = [form for form in re.split(r", | \(|\)|（|）", f"{plain(term)}, {chinese}") if form]
            title = f"{plain(term)} {chinese}"
            yield document("term", title, pages.get(docname, ""), place_of(docname, place), text, whole)


def symbol_documents(app, pages):
    """Yield the symbols of the notation, each at the equation that it first stands in."""
    if NOTATION not in app.env.found_docs:
        return
    tables = (Path(app.srcdir) / f"{NOTATION}.md").read_text("utf-8").split("\n## ")
    for table, rows in enumerate(tables):
        for symbols, code, meaning, first in ROW.findall(rows):
            link = re.search(r"\]\(([\w-]+)\.ipynb#([\w-]+)\)", first)
            docname, place = (f"book/{link[1]}", link[2]) if link else (NOTATION, "")
            title = plain(symbols)
            kind = "symbol" if table <= GENERAL else "letter"
            spelt = sorted(set(re.findall(r"\\([A-Za-z]{2,})", symbols)) - SIGNS.keys())
            whole = [*title.split(", "), *spelt, *re.findall(r"`(\w+)`", code)]
            address = place_of(docname, place)
            yield document(
                kind, title, pages.get(docname, ""), address, plain(meaning), whole, " ".join(whole)
            )


# ---------- the index ----------


def leave_out_sphinx_search(app):
    app.builder.search = False


def write_index(app, exception):
    if exception or app.builder.format != "html":
        return
    engine = MiniRacer()
    for script in (MINISEARCH / "index.js", STATIC / "search.js"):
        engine.eval(script.read_text("utf-8"))
    found = [{"id": number, **document} for number, document in enumerate(documents(app))]
    index = engine.call("makeIndex", found)
    target = Path(app.outdir) / "_static"
    (target / "search-index.js").write_text(f"twiceIndex = {index};\n", "utf-8")
    copy_asset(MINISEARCH / "index.js", target / "minisearch")


def setup(app):
    app.connect("builder-inited", leave_out_sphinx_search)
    app.connect("doctree-read", remember_sections)
    app.connect("build-finished", write_index)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
