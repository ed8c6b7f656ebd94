"""The rules that every notebook of the book keeps, each a function that yields what breaks it.

python tools/rules.py                    look through every notebook
python tools/rules.py book/01-*.ipynb    only the ones named

The tests apply the same rules (tests/test_book.py) and try each on a notebook that breaks it
(tests/test_rules.py). A message says which cell is meant and how to mend it.
"""

import ast
import re
import sys
from copy import deepcopy
from pathlib import Path

import notebooks as files
from notebooks import code_cells, setup_cell, stamp, syntax, tags
from reading import (
    Page,
    broken_links,
    calls,
    core,
    definitions,
    equation_tags,
    exercises,
    filled,
    headings,
    outputs_of,
    parsed,
    used_names,
    words,
    written,
)

SECTIONS = [
    "You will",
    "The idea by hand",
    "See it move",
    "Derivation",
    "From scratch",
    "Backward",
    "The same in Keras",
    "Train it",
    "What goes wrong",
    "Exercises",
    "In practice",
    "Further reading",
    "Check yourself",
    "You have",
]
# The sections that a chapter does without, and why.
LEFT_OUT = {
    "08-an-honest-project": {"See it move", "Backward"},  # it uses what is built, and derives no gradient
    "11-cifar-10": {"See it move"},  # what moves here are trainings of minutes: its figures show their curves
    "12-looking-inside": {"See it move"},  # its pictures cost passes through a network of millions of weights
}
TAGS = {"nbval-ignore-output", "explore", "exercise", "simplified", "bug", "hide-input", "hide-output"}
COLOURS = {"white", "black", "none"}
# Modules that the book uses but does not teach.
HELPERS = {
    *("__init__", "arguments", "sequence_arguments", "progress"),
    *("checks", "explore", "plots"),
    *("architectures", "backbones", "pretrained"),
}
LINES, CLASS_LINES = 30, 70
CELL_WORDS, CORE_WORDS, CHAPTER_WORDS = 700, 5_500, 8_000
PICTURE_BYTES = 100_000
EXERCISES = 6
RULES = {}


def rule(check):
    """Add a function to the book's rules."""
    RULES[check.__name__] = check
    return check


# ---------------------------------------------------------------------------- running


@rule
def plain_python(page):
    """Cells hold Python alone, so that tests can read them: magics stand in the setup cell only."""
    for cell in code_cells(page.nb)[1:]:
        if parsed(cell.source) is None:
            yield f"{page.at(cell)} is not plain Python: leave out % and ! lines"
        if re.search(r"tf\.keras|tensorflow\.keras|from tensorflow import keras", cell.source):
            yield f"{page.at(cell)} reaches Keras through TensorFlow: `import keras`"


@rule
def same_setup(page):
    """The first code cell is the setup cell, the same bytes in every notebook."""
    first = next(iter(code_cells(page.nb)), None)
    if first is None or first.source != setup_cell():
        yield "the first code cell is not the setup cell: `make address` writes it"


@rule
def fresh_outputs(page):
    """Outputs are newer than the notebook's code and the package, and come from the full data."""
    if len(page.code) < len(code_cells(page.nb)) - 1:
        return  # another rule says that a cell cannot be read
    stored, now = page.nb.metadata.get("twice", {}), stamp(page.nb)
    for part, hash_now in now.items():
        if stored.get(part) != hash_now:
            yield f"the {part} changed after the outputs were stored: `make execute`"
    if stored.get("data") != "full":
        yield "the outputs are not known to come from the full data: `make execute`"


@rule
def run_in_order(page):
    """Every code cell was run once, from the first to the last."""
    counts = [cell.execution_count for cell in code_cells(page.nb)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"cells were run in the order {counts}: `make execute`"


@rule
def known_tags(page):
    """Tags are the few that the book uses; none of them skips a cell or allows an exception."""
    for cell in page.nb.cells:
        for tag in sorted(set(tags(cell)) - TAGS):
            yield f"{page.at(cell)} has the tag {tag!r}: the book uses {', '.join(sorted(TAGS))}"
        if cell.cell_type == "code" and re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)_", cell.source):
            yield f"{page.at(cell)} steers nbval by a comment: use a tag"


@rule
def comparable_outputs(page):
    """No cell does what a later run cannot be compared with: hidden or rewritten outputs."""
    for cell in code_cells(page.nb):
        if re.search(r";\s*(#[^\n]*)?\Z", cell.source):
            yield f"{page.at(cell)} ends with a semicolon: assign the result, `_ = …`"
        if match := re.search(r"clear_output|display_id|update_display|tqdm|Progbar", cell.source):
            yield f"{page.at(cell)} uses {match[0]}: outputs that rewrite themselves cannot be compared"


@rule
def clean_outputs(page):
    """No stored output is an error or a warning, or names a time, a path or an address in memory."""
    for cell in code_cells(page.nb):
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"{page.at(cell)} stores an error or a warning: mend its cause, then `make execute`"
        if not calls(cell, "explore"):  # its page holds times of its own; `make explorables` compares it
            for match in PASSING.finditer(written(cell)):
                yield f"{page.at(cell)} stores {match[0]!r}, which is different on the next machine"


PASSING = re.compile(
    r"(?<!\w)/(?:home|root|Users|tmp|usr|opt|content)/\S*|[A-Z]:\\\S+|site-packages\S*|0x[0-9a-f]{6,}"
    r"|\d+(?:\.\d+)?\s?(?:ms|µs|us|ns)(?:/\w+)?\b|\b\d+s\b|\bit/s\b|\b\d+:\d\d:\d\d\b|━+|\[=+[>.\]]"
)


@rule
def recorded_checks(page):
    """The ledger holds exactly the checks whose lines are printed in the notebook."""
    printed = [what for cell in code_cells(page.nb) for what in CHECK_LINE.findall(written(cell))]
    recorded = [entry["what"] for entry in page.ledger]
    if printed != recorded:
        odd = sorted(set(printed) ^ set(recorded)) or "their order or number"
        yield f"book/_ledger/{page.stem}.jsonl differs from the printed checks in {odd}: `make execute`"
    for cell, _ in page.code:
        checks = calls(cell, "agree", "check_gradient", "rejects")
        if checks and not CHECK_LINE.search(written(cell)):
            yield f"{page.at(cell)} calls {checks[0].func.id} but prints no check: call it at top level"


CHECK_LINE = re.compile(r"^[✓✗] (.+?): (?:agree to |rejected · )", re.MULTILINE)


# ---------------------------------------------------------------------------- reading


@rule
def short_cells(page):
    """A code cell has at most 30 lines, blank ones aside; one that is a single class may have 70."""
    for cell, tree in page.code:
        one_class = len(tree.body) == 1 and isinstance(tree.body[0], ast.ClassDef)
        limit = CLASS_LINES if one_class else LINES
        if (lines := len(filled(cell.source))) > limit:
            yield f"{page.at(cell)} has {lines} lines, at most {limit}: split it"


@rule
def short_texts(page):
    """A text cell has at most 700 words, a chapter 8,000, 5,500 of them neither optional nor folded away.

    The list of further reading is no prose and does not count.
    """
    for cell in page.texts:
        if (found := words(cell.source)) > CELL_WORDS:
            yield f"{page.at(cell)} has {found} words, at most {CELL_WORDS}: split it, with code between"
    texts = [cell.source for cell in page.texts if not cell.source.startswith("## Further reading")]
    whole = "\n\n".join(texts)
    for what, text, most in (("chapter", whole, CHAPTER_WORDS), ("core", core(whole), CORE_WORDS)):
        if page.number and (found := words(text)) > most:
            yield f"the {what} has {found:,} words, at most {most:,}: shorten it, or mark what is (optional)"


@rule
def plain_english(page):
    """Idioms taken over from another language have their English."""
    for cell in page.texts:
        prose = " ".join(cell.source.split())
        for pattern, advice in FOREIGN.items():
            if match := re.search(pattern, prose):
                yield f"{page.at(cell)} says {match[0]!r}: {advice}"


FOREIGN = {
    r"\bon the average\b": "on average",
    r"\bbe it\b": "even, whether, or leave it out",
    r"\bWho (?:does not|has|starts|forgets|wants|needs|knows)\b[^?]*?[.:;](?!\d)": "if you …, anyone who …",
    r"\bas good as nothing\b": "almost nothing",
    r"\bare of a size\b": "are of similar size",
    r"\b(?:comes|come|came) as a present\b": "for free",
    r"\b[Hh]old [^.]{1,20} fast\b": "keep … fixed",
    r"\bdummy trap\b": "dummy-variable trap",
    r"\bin per cent of\b": "percentage points",
    r"\b(?:both|two|third|other|the) makers?\b": "implementations, or NumPy and Keras",
    r"\bshall be\b": "is, are, must be",
}


@rule
def portable_markdown(page):
    """Text cells read well everywhere: no MyST, no footnotes, no image files, no table split by a bar."""
    for cell in page.texts:
        prose = re.sub(r"^(`{3,}|~{3,})[\w ]*\n.*?^\1", "", cell.source, flags=re.MULTILINE | re.DOTALL)
        for pattern, advice in NOT_PORTABLE.items():
            if match := re.search(pattern, prose, re.MULTILINE):
                yield f"{page.at(cell)} holds {match[0].strip()!r}: {advice}"
        for row in re.findall(r"^\|.*\|\s*$", prose, re.MULTILINE):
            if any(part.count("$") % 2 for part in re.split(r"(?<!\\)\|", row)):
                yield rf"{page.at(cell)} has a bar inside a formula in a table: write \lvert x\rvert"


NOT_PORTABLE = {
    r"^\s*(`{3,}|:{3,})\{[\w:-]+\}.*": "no MyST directives in notebooks",
    r"^:{3,}": "no MyST directives in notebooks",
    r"\{[\w:+-]+\}`": "no MyST roles in notebooks",
    r"^\([\w-]+\)=\s*$": "no MyST targets in notebooks; headings and \\tag make anchors",
    r"^\s*%\s.*|^\+\+\+": "no MyST comments or breaks in notebooks",
    r"^\s*>\s*\[!\w+\]": "write `> **Note.** …`",
    r"\[\^[\w-]+\]": "no footnotes in notebooks",
    r"!\[.*?\]\(|<img\b": "a copied notebook loses image files: draw from a code cell",
    r"<a\s+(id|name)=": "headings and \\tag make anchors",
    r"^\\begin\{.*|\\\(|\\\[(?!\d)": "write formulas between $ or $$",
    r"\\(label|eqref|ref)\{.*?\}": r"number with \tag{} and link to #eq-…",
}


@rule
def described_figures(page):
    """A figure is a small SVG with alt text in its metadata, and its caption in italics in the cell below."""
    for cell in code_cells(page.nb):
        pictures = [data for mime, data in outputs_of(cell) if mime == "image/svg+xml"]
        if any(mime in ("image/png", "image/jpeg") for mime, _ in outputs_of(cell)):
            yield f"{page.at(cell)} stores a picture of pixels, blurred when enlarged: draw after use_style()"
        if not pictures:
            continue
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if len(alt.split()) < 5:
            yield f"{page.at(cell)} draws a figure: say what it shows in its metadata, mystnb.image.alt"
        below = next(iter(page.after(cell)), None)
        if not (below and below.cell_type == "markdown" and re.match(r"\s*[*_](?![*_])", below.source)):
            yield f"{page.at(cell)} draws a figure: begin the text cell below with its caption in italics"
        for size in (len(svg.encode()) for svg in pictures):
            if size > PICTURE_BYTES:
                advice = "draw less, or call set_rasterized(True) on what has many parts"
                yield f"{page.at(cell)} stores a picture of {size // 1000} kB, at most 100: {advice}"


@rule
def two_makers(page):
    """Colours come from twice.plots: blue for NumPy, orange for Keras, a few more, no others."""
    for cell in code_cells(page.nb):
        named = re.findall(r"""\b(?:color|c|facecolor|edgecolor)=["'](#?\w+)["']""", cell.source)
        for colour in [c for c in named if c not in COLOURS]:
            yield f"{page.at(cell)} uses the colour {colour!r}: take NUMPY, KERAS, GREEN, PURPLE or GREY"


@rule
def explorables_unchecked(page):
    """Cells with an explorable are tagged: their output is compared without a kernel."""
    for cell, _ in page.code:
        if calls(cell, "explore") and "nbval-ignore-output" not in tags(cell):
            yield f"{page.at(cell)} shows an explorable: tag it nbval-ignore-output"


# ---------------------------------------------------------------------------- anatomy


@rule
def one_title(page):
    """The notebook opens with its title, which carries the number of its file; no heading is skipped."""
    found = headings(page.tokens)
    opening = page.nb.cells[0].source if page.nb.cells else ""
    if not opening.startswith("# ") or [level for level, _ in found].count(1) != 1:
        yield "the first cell must open with the only title, `# …`"
    if page.number and not opening.startswith(f"# {page.number}. "):
        yield f"the title must carry the file's number: `# {page.number}. …`"
    for (above, _), (level, text) in zip(found, found[1:], strict=False):
        if level > above + 1:
            yield f"the heading {text!r} skips a level"


@rule
def numbered_equations(page):
    r"""Tags are \tag{chapter.k} with k = 1, 2, 3, … in order; checks name only numbers that exist."""
    found = equation_tags("\n".join(cell.source for cell in page.texts))
    expected = [f"{page.number}.{k}" for k in range(1, len(found) + 1)]
    if page.number and found != expected:
        odd = next(pair for pair in zip(found, expected, strict=True) if pair[0] != pair[1])
        yield f"equation ({odd[0]}) stands where ({odd[1]}) is due: number in order"
    if not page.number and found:
        yield f"equation ({found[0]}) is numbered outside a chapter: link to a chapter's equation"
    for cell, _ in page.code:
        for call in calls(cell, "agree", "check_gradient"):
            for number in re.findall(rf"\(({page.number}\.\d+)\)", ast.unparse(call.args[0])):
                if number not in found:
                    yield f"{page.at(cell)} checks equation ({number}), which the chapter does not have"


@rule
def sections_in_order(page):
    """A chapter has the sections of the anatomy in their order; others may stand between them."""
    if not page.number:
        return
    names = [text for level, text in headings(page.tokens) if level == 2]
    known = [section for name in names for section in SECTIONS if name.startswith(section)]
    due = [section for section in SECTIONS if section not in LEFT_OUT.get(page.stem, ())]
    for section in due:
        if section not in known:
            yield f"the section `## {section}` is missing: write it, or name it in LEFT_OUT in tools/rules.py"
    if sorted(known, key=SECTIONS.index) != known:
        yield f"the sections stand in the order {known}: the anatomy's is {due}"


@rule
def promise(page):
    """A chapter's title is followed by its promise: one paragraph in the same cell."""
    if page.number and len(re.split(r"\n\s*\n", page.nb.cells[0].source.strip())) < 2:
        yield "the first cell must hold the title and, below it, the chapter's promise in a sentence"


@rule
def complete_exercises(page):
    """A chapter has six exercises or more, each with a stub, a check and a worked solution."""
    if not page.number:
        return
    found = exercises(page)
    expected = [f"{page.number}.{k}" for k in range(1, max(len(found), EXERCISES) + 1)]
    if (numbers := [exercise.number for exercise in found]) != expected:
        yield f"the checks are those of exercises {numbers}: expected {expected}"
    for exercise in found:
        for cell in (exercise.stub, exercise.check):
            if cell and "nbval-ignore-output" not in tags(cell):
                yield f"{page.at(cell)} changes when solved: tag it nbval-ignore-output"
        if exercise.stub is None:
            yield f"exercise {exercise.number}: no stub before its check, tagged exercise, with `...`"
        if not exercise.solution:
            yield f"exercise {exercise.number}: no python fence in a <details> after its check"
    for cell in code_cells(page.nb):
        if "exercise" in tags(cell) and not any(cell is exercise.stub for exercise in found):
            yield f"{page.at(cell)} is tagged exercise but no check follows it"


# ---------------------------------------------------------------------------- book = package


@rule
def defined_once(page):
    """What the package teaches is written out in one chapter, equal to the package's; others import it."""
    homes, taught = homes_of_names(), teaching()
    plain = [
        (name, node, cell)
        for cell, tree in page.code
        if not {"exercise", "simplified", "bug"} & set(tags(cell))
        for name, node in definitions(tree)
        if name in taught
    ]
    for name, node, cell in plain:
        if homes.get(name) != page.stem:
            advice = "import it, or tag the cell simplified, bug or exercise"
            yield f"{page.at(cell)} defines {name}, which {homes.get(name)} teaches: {advice}"
        elif syntax(node) != syntax(bare(taught[name][1])):
            yield f"{page.at(cell)} and the package define {name} differently: make them equal"
    for name in [name for name, home in homes.items() if home == page.stem and name in taught]:
        if (count := [found for found, _, _ in plain].count(name)) != 1:
            yield f"{name} is defined {count} times, expected once: CONTRIBUTING.md calls this its chapter"


@rule
def honest_tags(page):
    """A `simplified` definition is compared with the real one, and a `bug` is rejected, there or later."""
    for tag, witness in (("simplified", "agree"), ("bug", "rejects")):
        for cell, tree in page.code:
            if tag not in tags(cell) or calls(cell, witness):
                continue
            defined = {name for name, _ in definitions(tree)}
            later = [t for c, t in page.code if c in page.after(cell) and calls(c, witness)]
            if not any(defined & used_names(t) for t in later):
                yield f"{page.at(cell)} is tagged {tag}: call {witness}() on what it defines, there or later"


def teaching():
    """Return what the package teaches: for each public name its module and its tree."""
    modules = [path for path in sorted(files.PACKAGE.glob("*.py")) if path.stem not in HELPERS]
    return {
        name: (path.stem, node)
        for path in modules
        for name, node in definitions(ast.parse(path.read_text(encoding="utf-8")))
        if not name.startswith("_")
    }


def bare(tree):
    """Return a definition without the decorators `takes`, which say what the package refuses."""
    tree = deepcopy(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.decorator_list = [d for d in node.decorator_list if not ast.unparse(d).startswith("takes(")]
    return tree


def homes_of_names():
    """Return the chapter of each name, from the table in CONTRIBUTING.md."""
    text = (files.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| `(\w+)` \|.*\]\(book/([\w-]+)\.ipynb\) \|$", text, re.MULTILINE))


# ---------------------------------------------------------------------------- links


@rule
def whole_links(page):
    """Links lead to a page, heading, equation or figure as it can be; one to an equation shows its number."""
    yield from broken_links(page.tokens, files.BOOK / f"{page.stem}.ipynb", page.anchors)
    for cell in page.texts:
        for number, target in re.findall(r"\[\(([\d.]+)\)\]\(([^)]*)\)", cell.source):
            if not target.endswith(f"#eq-{number.replace('.', '-')}"):
                yield f"{page.at(cell)} links ({number}) to {target}"


def main():
    """Print what breaks a rule in the notebooks named on the command line."""
    paths = [Path(name).resolve() for name in sys.argv[1:]] or files.notebooks()
    pages = [Page.load(path) for path in paths]
    problems = [
        f"{page.stem}: {name}: {problem}"
        for page in pages
        for name, check in RULES.items()
        for problem in check(page)
    ]
    print("\n".join(problems) or f"{len(paths)} notebooks keep all {len(RULES)} rules")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
