"""Read a notebook as a page of the book: its code as syntax trees, its text as Markdown, its exercises."""

import ast
import json
import re
from dataclasses import dataclass, field
from functools import cache, cached_property

import notebooks as files
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode
from notebooks import code_cells, docstring, tags

from twice.explore import addressed, places

OPTIONAL = "(optional)"  # how the heading of a section ends that the core does without


@dataclass
class Page:
    """A notebook as the rules see it."""

    stem: str
    nb: NotebookNode
    ledger: list = field(default_factory=list)

    @classmethod
    def load(cls, path):
        """Read a notebook and the record of its checks."""
        ledger = files.LEDGERS / f"{path.stem}.jsonl"
        lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []
        return cls(path.stem, files.read(path), [json.loads(line) for line in lines])

    @property
    def number(self):
        """The chapter's number, None for a page that is no chapter."""
        match = re.match(r"(\d\d)-", self.stem)
        return int(match[1]) if match else None

    @property
    def texts(self):
        """The Markdown cells."""
        return [cell for cell in self.nb.cells if cell.cell_type == "markdown"]

    @cached_property
    def code(self):
        """The code cells after the setup cell that are plain Python, each with its syntax tree."""
        return [(cell, tree) for cell in code_cells(self.nb)[1:] if (tree := parsed(cell.source))]

    @cached_property
    def tokens(self):
        """The Markdown of all text cells, parsed."""
        return parse("\n\n".join(cell.source for cell in self.texts))

    @property
    def anchors(self):
        """What a link to the page can lead to: headings, equations and interactive figures."""
        figures = re.findall(
            r'^explore\(\s*"([\w-]+)"', "\n".join(c.source for c in code_cells(self.nb)), re.M
        )
        return anchors(self.tokens) | set(places(figures))

    def after(self, cell):
        """Return the cells that follow ``cell``."""
        return self.nb.cells[self.nb.cells.index(cell) + 1 :]

    def at(self, cell):
        """Name a cell by its place and its first line."""
        first = next(iter(cell.source.strip().splitlines()), "")
        return f"cell {self.nb.cells.index(cell) + 1} ‹{first[:60]}›"


@dataclass
class Exercise:
    """An exercise as it stands on the page: stub and check (one cell or two), answer and solution."""

    number: str
    stub: NotebookNode | None
    check: NotebookNode
    answer: str
    solution: str


def exercises(page):
    """Return the exercises of a chapter in order."""
    checks = [(cell, call) for cell, _ in page.code for call in calls(cell, "check")]
    ends = [page.nb.cells.index(cell) for cell, _ in checks] + [len(page.nb.cells)]
    found, start = [], 0
    for (cell, call), end, following in zip(checks, ends, ends[1:], strict=False):
        stubs = [c for c in page.nb.cells[start : end + 1] if "exercise" in tags(c) and "..." in c.source]
        folded = re.findall(
            r"<details>.*?</details>",
            "\n\n".join(c.source for c in page.nb.cells[end + 1 : following] if c.cell_type == "markdown"),
            re.DOTALL,
        )
        fences = re.findall(r"^```python\n(.*?)^```", "\n".join(folded), re.DOTALL | re.MULTILINE)
        number, answer = (ast.unparse(argument) for argument in call.args)
        found.append(
            Exercise(ast.literal_eval(number), stubs[-1] if stubs else None, cell, answer, "\n".join(fences))
        )
        start = end + 1
    return found


# ---------------------------------------------------------------------------- code cells


def parsed(source):
    """Return the syntax tree of a cell, or None where it is not plain Python."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return None


def calls(cell, *names):
    """Return the calls of the functions ``names`` in a code cell."""
    nodes = ast.walk(parsed(cell.source) or ast.Module([], []))
    return [n for n in nodes if isinstance(n, ast.Call) and getattr(n.func, "id", None) in names]


def used_names(tree):
    """Return the names that a syntax tree refers to."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def definitions(tree):
    """Yield name and tree of the functions, classes and constants at the top level of a tree."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node
        elif isinstance(node, ast.Assign):
            yield from ((name.id, node) for name in node.targets if getattr(name, "id", "").isupper())


def own_lines(node, source):
    """Return the number of lines of a definition in ``source``, blank ones and docstrings aside."""
    lines = source.splitlines()[node.lineno - 1 : node.end_lineno]
    documented = {
        line - node.lineno
        for inner in ast.walk(node)
        if docstring(inner)
        for line in range(inner.body[0].lineno, inner.body[0].end_lineno + 1)
    }
    return len([i for i, line in enumerate(lines) if line.strip() and i not in documented])


def filled(source):
    """Return the lines that are not blank."""
    return [line for line in source.splitlines() if line.strip()]


def outputs_of(cell):
    """Yield the type and content of everything that a cell displays."""
    for output in cell.outputs:
        yield from sorted(output.get("data", {}).items())  # a stored notebook has them in another order


def written(cell):
    """Return the text that a cell prints or displays."""
    printed = [output.text for output in cell.outputs if output.output_type == "stream"]
    shown = [text for mime, text in outputs_of(cell) if mime.startswith("text/")]
    return "\n".join(printed + shown)


# ---------------------------------------------------------------------------- Markdown


def parse(text):
    """Return the tokens of Markdown, with the anchors that the book's pages give to headings."""
    markdown = MarkdownIt().enable("table").use(dollarmath_plugin).use(anchors_plugin, max_level=3)
    return markdown.parse(text)


def parse_file(path):
    """Return the Markdown of a notebook or a page, parsed."""
    if path.suffix == ".ipynb":
        return Page.load(path).tokens
    return parse(path.read_text(encoding="utf-8")) if path.suffix == ".md" else []


def flat(tokens):
    """Yield tokens and the tokens inside them."""
    for token in tokens:
        yield token
        yield from token.children or ()


def headings(tokens):
    """Return the level and the text of every heading."""
    pairs = zip(tokens, tokens[1:], strict=False)
    return [(int(a.tag[1]), b.content) for a, b in pairs if a.type == "heading_open"]


def words(text):
    """Return how many words of prose a text has; formulas, code fences and links' targets do not count."""
    prose = re.sub(
        r"^```.*?^```|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)", " ", text, flags=re.DOTALL | re.MULTILINE
    )
    return len(re.findall(r"[^\W\d_][\w'’-]*", prose))


def core(text):
    """Return a page's Markdown without what may be left out: optional sections, and what is folded away."""
    kept, optional = [], None  # the level of the optional heading that a line stands under
    for line in re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL).splitlines():
        if heading := re.match(r"(#+) .*", line):
            level = len(heading[1])
            if optional is None or level <= optional:
                optional = level if heading[0].rstrip().endswith(OPTIONAL) else None
        if optional is None:
            kept.append(line)
    return "\n".join(kept)


def equation_tags(text):
    r"""Return the contents of every \tag in order."""
    return re.findall(r"\\tag\{([^}]*)\}", text)


def links(tokens):
    """Yield the targets of all links in parsed Markdown, also those in HTML."""
    for token in flat(tokens):
        if token.type == "link_open":
            yield token.attrs["href"]
        elif token.type in ("html_inline", "html_block"):
            yield from re.findall(r'href="([^"]*)"', token.content)


def anchors(tokens):
    """Return the anchors of parsed Markdown: headings, numbered equations, and in .md pages MyST targets."""
    text = "\n".join(token.content for token in tokens if token.type != "fence")
    named = re.findall(r'^\(([\w-]+)\)=\s*$|\bid="([\w-]+)"', text, re.MULTILINE)
    return (
        {token.attrs["id"] for token in tokens if token.type == "heading_open" and "id" in token.attrs}
        | {f"eq-{tag.replace('.', '-')}" for tag in equation_tags(text)}
        | {label or identifier for label, identifier in named}
    )


@cache
def anchors_of(path):
    """Return the anchors of the page in the file ``path``."""
    return Page.load(path).anchors if path.suffix == ".ipynb" else anchors(parse_file(path))


def broken_links(tokens, path, own_anchors):
    """Yield a message for each link in a page's tokens that leads nowhere."""
    for target in links(tokens):
        address, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", address):
            if not re.match(r"https://|mailto:", address):
                yield f"the link {target} is not https"
            continue
        other = (path.parent / address).resolve() if address else path
        if other != path and not other.exists():
            yield f"the link {target} leads to no file"
            continue
        place, asked, _ = anchor.partition("?")
        if place and place not in (own_anchors if other == path else anchors_of(other)):
            yield f"the link {target} leads to no heading, equation or figure there"
        elif asked:
            yield from (f"the link {target}: {fault}" for fault in unfit(anchor))


def unfit(place):
    """Yield why a figure can't be as a link to it says."""
    try:
        addressed(place)
    except ValueError as error:
        yield str(error)
