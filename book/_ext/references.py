"""Make links of what the text refers to in words, and a preview of every place that such a link leads to.

Notebooks stay portable Markdown: the text says "by (3.24)", "Kingma and Ba (2015)", "overfitting" or
`Dense`, and the build knows from the pages where the equation, the paper, the term and the code stand.
An equation of a chapter that does not exist is a warning.

A preview is what the page shows at that place. Each is a small script, which a page asks for when it is
wanted, and which also loads from the disk.
"""

import importlib
import inspect
import json
import re
from collections import defaultdict
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging

EQUATION = re.compile(r"\((\d+\.\d+)\)")
YEAR = re.compile(r",? \(?((?:18|19|20)\d\d)([ab]?)\)?")
INITIALS = r"(?:(?:[A-Z]\w{0,2}\.[ -]?)+ ?)?"
BUILT = re.compile(r"^(?:def|class) (\w+)|^([A-Z_]+) =", re.MULTILINE)
TABLE = re.compile(r"^\| `(\w+)` \| `(\w+)` \| \[\w+\]\((book/[\w-]+)\.ipynb\) \|$", re.MULTILINE)
GLOSSARY = "book/glossary"
TERM = re.compile(r"^(\S.*) \[(.+)\]\{\.language-zh\}\n    (.*)$", re.MULTILINE)
PLACE = re.compile(r"\]\(([\w-]+)\.ipynb(?:#([\w-]+))?\)$")
NO_PROSE = (
    nodes.reference,
    addnodes.pending_xref,
    nodes.FixedTextElement,
    nodes.literal,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.title,
    nodes.term,
    nodes.citation,
)
# Words of the glossary that are also words of every day: no link can tell which of the two is meant.
EVERYDAY = set(
    re.split(
        r",\s+",
        """accuracy, activation, artificial intelligence, attention, batch, bias, branch, centre of
        mass, channel, checkpoint, classification, deep learning, depth, derivative, evaluation,
        exponential, feature, filter, freezing, gradient, hat, head and body, jitter, kernel,
        label, layer, loss function, machine learning, median, model, neural network, neuron,
        node, odds, parameter, parent, patch, patience, precision, prediction, probability,
        recall, reduction, regression, rehearsal, residual, score, slope, target, temperature,
        threshold, training, unit, view, weight, width""",
    )
)
# Names of the package that are also words for the variables of a cell, unless they are called.
VARIABLES = set(
    re.split(
        r",\s+",
        """accuracy, auc, averages, batches, blank, borders, classes, divisor, draw, fans, layout,
        length, pair, pixels, places, precision, ratio, reach, recall, reduce, step, summary,
        windows, zeros""",
    )
)
logger = logging.getLogger(__name__)


# ---------- the places: read once all pages are, and no more ----------


def read_lists(app):
    """Read which chapter builds each name of the package, and where each term is introduced."""
    contributing = Path(app.srcdir) / "CONTRIBUTING.md"
    glossary = Path(app.srcdir) / f"{GLOSSARY}.md"
    app.env.builds = {
        name: (module, page) for name, module, page in TABLE.findall(contributing.read_text("utf-8"))
    }
    app.env.terms = TERM.findall(glossary.read_text("utf-8"))


def mark_names(app, doctree):
    """Give the cell that builds a name of the package an id: the last one, after simpler ones."""
    docname, places = app.env.docname, {}
    for block in doctree.findall(nodes.literal_block):
        if "cell_input" in block.parent["classes"]:
            for match in BUILT.finditer(block.astext()):
                name = match[1] or match[2]
                if app.env.builds.get(name, ("", ""))[1] == docname:
                    places[name] = block
    for name, block in places.items():
        block.parent["ids"].append(f"twice-{name}")
    app.env.metadata[docname]["names"] = {name: f"twice-{name}" for name in places}


def place_of(docname, place):
    """Return the address of a place, from the book's root."""
    return f"{docname}.html" + (f"#{place}" if place else "")


@cache
def equations(env):
    """Return page and id of each equation by its number."""
    return {
        place[2].strip("()"): (docname, name)
        for docname, metadata in env.metadata.items()
        for name, place in metadata.get("myst_slugs", {}).items()
        if name.startswith("eq-")
    }


@cache
def names(env):
    """Return page and id of the cell that builds each name of the package."""
    return {
        name: (docname, place)
        for docname, metadata in env.metadata.items()
        for name, place in metadata.get("names", {}).items()
    }


@cache
def citations(env):
    """Return, for each year, the forms in which the text names the authors, with page and id."""
    forms = defaultdict(list)
    for citation in env.get_domain("cite").citations:
        entry = citation.entry
        surnames = [surname(person) for person in entry.persons.get("author", ())]
        if surnames:
            place = citation.bibliography_key.docname, citation.citation_id
            title = re.sub("[{}]", "", entry.fields["title"])
            forms[entry.fields["year"]].append((re.compile(rf"\b{authors(surnames)}$"), place, title))
    return forms


def surname(person):
    return " ".join(str(name) for name in person.rich_prelast_names + person.rich_last_names)


def authors(surnames):
    """Return the pattern of a list of authors, with or without their initials, in full or with its first."""
    first, *others = [INITIALS + re.escape(name) for name in surnames]
    full = "".join(rf",? (?:and )?{other}" for other in others)
    return rf"{first}(?:{full}|,? and others| et al\.)" if len(others) > 1 else first + full


@cache
def terms(env, everyday=False):
    """Return, by each form of a term, page and id of its entry, and page and section that introduce it."""
    forms, listed = {}, env.get_domain("std").objects
    for term, chinese, definition in env.terms:
        place = listed.get(("term", f"{term} {chinese}"))
        introduced = PLACE.search(definition)
        for form in re.split(r", | \(|\)", term.removesuffix(", exponential")) if place else ():
            if form and (everyday or ("$" not in form and form not in EVERYDAY)):
                forms[form] = place, introduced and introduced.groups()
    return forms


# ---------- the links ----------


class Links:
    """What the text of one page refers to, and the links to it."""

    def __init__(self, app, docname):
        self.builder, self.docname = app.builder, docname
        self.equations, self.citations = equations(app.env), citations(app.env)
        self.names, self.terms = names(app.env), terms(app.env)
        self.chapters = {number.split(".")[0] for number in self.equations}
        longest_first = sorted(self.terms, key=len, reverse=True)
        self.any_term = longest_first and re.compile(
            rf"(?<![\w-])({'|'.join(map(form, longest_first))})(?![\w-])"
        )
        self.seen = set()

    def link(self, text, place, kind):
        docname, name = place
        page = self.builder.get_relative_uri(self.docname, docname) if docname != self.docname else ""
        return nodes.reference("", text, internal=True, refuri=f"{page}#{name}", classes=[kind])

    def find(self, text):
        """Yield start, end, place and kind of each reference in a text."""
        content = text.astext()
        yield from self.find_equations(content)
        yield from self.find_citations(content)
        sections = section_names(text)
        if "further-reading" not in sections and not within(text, (nodes.strong, nodes.emphasis)):
            yield from self.find_terms(content, sections)

    def find_equations(self, text):
        for match in EQUATION.finditer(text):
            if place := self.equations.get(match[1]):
                yield *match.span(), place, "equation"
            elif match[1].split(".")[0] in self.chapters:
                logger.warning("references: there is no equation %s", match[0], location=self.docname)

    def find_citations(self, text):
        for year in YEAR.finditer(text):
            before = text[: year.start()]
            found = [
                (m, *rest) for pattern, *rest in self.citations[year[1]] if (m := pattern.search(before))
            ]
            if year[2]:  # 2016a and 2016b: in the order of the list
                found = found["ab".index(year[2]) :]
            if len(found) > 1:  # the title tells them apart
                found = [f for f in found if f[2].lower()[:30] in text.lower()] or found
            for authors, place, _ in found[:1]:
                yield (
                    authors.start(),
                    year.end() - (year[0].endswith(")") and "(" not in year[0]),
                    place,
                    "citation",
                )

    def find_terms(self, text, sections):
        """Find the first use of each term in a section, except in the one that introduces it."""
        for match in self.any_term.finditer(text) if self.any_term else ():
            term = match[1] if match[1] in self.terms else singular(match[1], self.terms)
            place, introduced = self.terms[term]
            here = introduced and self.docname == f"book/{introduced[0]}"
            if place[1] not in self.seen and not (here and introduced[1] in sections):
                self.seen.add(place[1])
                yield *match.span(), place, "term"


def form(term):
    """Return the pattern of a term: in the plural too, and at the beginning of a sentence."""
    first = term[0]
    start = f"[{first}{first.upper()}]" if first.islower() else re.escape(first)
    return start + re.escape(term[1:]) + "s?"


def singular(word, known):
    forms = (word, word.removesuffix("s"), word[0].lower() + word[1:])
    return next(f for f in (*forms, forms[2].removesuffix("s")) if f in known)


def link_references(app, doctree, docname):
    """Replace what refers to something by a link to it."""
    links = Links(app, docname)
    for part in chapter_sections(doctree):
        links.seen.clear()
        for text in list(part.findall(nodes.Text)):
            if not within(text, NO_PROSE):
                link_text(links, text)
        for literal in list(part.findall(nodes.literal)):
            link_name(links, literal)


def chapter_sections(doctree):
    """Return the page's sections below its title; what stands before them counts as one."""
    title = next(doctree.findall(nodes.section), doctree)
    return [part for part in title if isinstance(part, nodes.Element)]


def within(node, kinds):
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


def section_names(node):
    """Return the ids of the sections around a node; None stands for the whole page."""
    found = {None}
    while node := node.parent:
        if isinstance(node, nodes.section):
            found.update(node["ids"])
            found.add(node.get("slug"))
    return found


def link_text(links, text):
    parts, end = [], 0
    content = text.astext()
    for start, stop, place, kind in sorted(links.find(text)):
        if start >= end:
            parts += [nodes.Text(content[end:start]), links.link(content[start:stop], place, kind)]
            end = stop
    if parts:
        text.parent.replace(text, [part for part in [*parts, nodes.Text(content[end:])] if part.astext()])


def link_name(links, literal):
    """Link the first mention of a name of the package in a section, unless it is Keras's own."""
    called = re.fullmatch(r"(\w+)(\(.*\))?", literal.astext())
    name = called and called[1]
    if (
        name not in links.names
        or name in links.seen
        or (name in VARIABLES and not called[2])
        or re.search("Keras|PyTorch|TensorFlow", sentence(literal))  # which have names of their own
        or within(literal, (nodes.reference, addnodes.pending_xref, nodes.title, nodes.raw))
    ):
        return
    links.seen.add(name)
    link = links.link("", links.names[name], "name")
    literal.replace_self(link)
    link += literal


def sentence(node):
    """Return the text of the sentence that a node stands in."""
    around, place = node.parent.children, node.parent.index(node)
    before, after = ("".join(n.astext() for n in part) for part in (around[:place], around[place:]))
    return re.split(r"[.?!] ", before)[-1] + re.split(r"[.?!] ", after)[0]


def link_comment(translator, html):
    """Link the equations that a comment of a program names."""
    builder = translator.builder
    places, docname = equations(builder.env), builder.current_docname

    def link(match):
        if not (place := places.get(match[1])):
            return match[0]
        page = builder.get_relative_uri(docname, place[0]) if place[0] != docname else ""
        return f'<a class="reference internal equation" href="{page}#{place[1]}">{match[0]}</a>'

    return re.sub(r'<span class="c1">.*?</span>', lambda comment: EQUATION.sub(link, comment[0]), html)


# ---------- the previews ----------


@cache
def described(module, name):
    """Return a name of the package with its signature, and the first line of its docstring."""
    thing = getattr(importlib.import_module(f"twice.{module}"), name)
    is_code = inspect.isclass(thing) or inspect.isfunction(thing)
    signature = re.sub(r"self, ", "", str(inspect.signature(thing))) if is_code else ""
    first_line = (inspect.getdoc(thing) or "").partition("\n")[0] if is_code else f"{name} = {thing!r}"
    return signature, first_line


def describe_name(app, name):
    """Return a name of the package with its module, and the first line of its docstring."""
    module, _ = app.env.builds[name]
    return f"twice.{module}.{name}", described(module, name)[1]


def preview_name(app, name):
    full_name, first_line = describe_name(app, name)
    signature = described(app.env.builds[name][0], name)[0]
    line = re.sub(r"``(.+?)``", r"<code>\1</code>", escape(first_line))
    return f"<p><code>{full_name}{escape(signature)}</code></p><p>{line}</p>"


def bare(html):
    """Return the HTML without its links and ids: a preview is only looked at."""
    html = re.sub(r'<a class="headerlink".*?</a>', "", html)
    return re.sub(r'</?a\b[^>]*>| id="[^"]*"', "", html)


def write_previews(app, pagename, templatename, context, doctree):
    if doctree is None or not (previews := getattr(app.builder.docwriter.visitor, "previews", None)):
        return
    folder = Path(app.outdir) / "_static" / "previews" / pagename
    folder.mkdir(parents=True, exist_ok=True)
    for name, html in previews.items():
        key = json.dumps(f"{pagename}/{name}")
        script = f"twicePreview({key}, {json.dumps(bare(html), ensure_ascii=False)});\n"
        (folder / f"{name}.js").write_text(script, "utf-8")


def setup(app):
    app.connect("builder-inited", read_lists)
    app.connect("doctree-read", mark_names)
    app.connect("doctree-resolved", link_references)
    app.connect("html-page-context", write_previews)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
