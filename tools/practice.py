"""Render the formulas of the practice questions, and put the questions' cells into the chapters.

python tools/practice.py                   every chapter that has questions
python tools/practice.py book/01-*.ipynb   only the ones named

A section's cell stands at its end, with an id of its own, so that a second run changes nothing. Nothing is
executed: the cells compute nothing, so no other output is stale, and their count is all that moves. (In a
chapter that shows no figure yet the import is new, and `make execute` due.) Formulas are rendered to MathML
with the KaTeX of the pages and stored in ``src/twice/practice/formulas.json``.
"""

import json
import re
import sys
from pathlib import Path

import explorables
import nbformat
from notebooks import BOOK, ROOT, code_cells, notebooks, read
from py_mini_racer import MiniRacer

from twice import practice

STORED = practice.HERE / "formulas.json"
TAGS = ["explore", "nbval-ignore-output"]
LETTERS = {
    "double-struck": {"E": "𝔼", "R": "ℝ", "N": "ℕ", "Z": "ℤ"},
    "script": {"L": "ℒ"},
}  # a browser draws no variants


def render(engine, formula):
    """Return the MathML of a formula between dollar signs, without what only KaTeX's own style needs."""
    display = formula.startswith("$$")
    options = {"displayMode": display, "output": "mathml", "strict": "ignore"}
    markup = engine.call("katex.renderToString", formula.strip("$"), options)
    math = re.search(r"<math.*</math>", markup, re.S)[0]
    math = re.sub(r"<annotation.*?</annotation>|</?semantics>| xmlns=\"[^\"]*\"", "", math, flags=re.S)
    math = re.sub("<mo>\u2061</mo>(?!<mo[^>]*>\\()", r'<mspace width="0.17em"/>', math)  # log x
    math = re.sub("(<mo[^>]*>[=(,⋅]</mo>)<mo>−</mo>", r'\1<mo form="prefix">−</mo>', math)  # a sign
    return re.sub(r'<mi mathvariant="([\w-]+)">(\w)</mi>', _letter, math)


def _letter(found):
    variant, letter = found.groups()
    return f"<mi>{LETTERS[variant][letter]}</mi>" if variant in LETTERS else found[0]


def rendered():
    """Return the MathML of every formula in the questions, in alphabetical order."""
    texts = (
        words
        for chapter in practice.chapters()
        for q in practice.questions(chapter)
        for words in practice.words(q)
    )
    found = {formula for text in texts for formula in practice.tex(text)}
    with MiniRacer() as engine:
        engine.eval(
            "globalThis.self = globalThis;" + (BOOK / "_ext/vendor/katex/katex.min.js").read_text("utf-8")
        )
        return {formula: render(engine, formula) for formula in sorted(found)}


def store(formulas):
    """Write the rendered formulas, one in a line."""
    STORED.write_text(json.dumps(formulas, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def sections(chapter):
    """Return the headings of the sections that have questions, in the order of the questions."""
    return list(dict.fromkeys(q["section"] for q in practice.questions(chapter)))


def wanted(chapter):
    """Yield the sections that get a cell, each with the cell: its questions, then its exerciser."""
    for section in sections(chapter):
        yield section, cell(chapter, section, f'"practice", chapter={chapter}, section={quoted(section)}')
    for exerciser in practice.exercisers(chapter):
        section = exerciser["section"]
        yield section, cell(chapter, f"{section} shapes", f'"shapes", {exerciser["state"]}'.rstrip(", "))


def quoted(text):
    """Return a text as Python writes it, between double quotes."""
    return json.dumps(text, ensure_ascii=False)


def cell(chapter, name, arguments):
    """Return a cell that shows questions, with an id that tells it from those that a person wrote."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    identity = f"practice-{chapter:02}-{slug}"[:64]
    return nbformat.v4.new_code_cell(f"explore({arguments})", id=identity, metadata={"tags": TAGS})


def headings(cell):
    """Return place, level and text of each heading in a cell; its fenced code has none."""
    prose = re.sub(r"^```.*?^```", lambda code: "`" * len(code[0]), cell.source, flags=re.M | re.S)
    found = re.finditer(r"^(#+) (.*)", prose, re.M) if cell.cell_type == "markdown" else ()
    return [(match.start(), len(match[1]), match[2].strip()) for match in found]


def end(cells, section):
    """Return the place of the first cell after a section: that of the next heading of its rank."""
    every = [(k, *heading) for k, cell in enumerate(cells) for heading in headings(cell)]
    starts = [k for k, (*_, text) in enumerate(every) if text == section]
    if len(starts) != 1:
        raise ValueError(f"there are {len(starts)} headings {section!r}: name one that is there once")
    level = every[starts[0]][2]
    place, offset, _, text = next(heading for heading in every[starts[0] + 1 :] if heading[2] <= level)
    if offset:
        raise ValueError(f"{section!r} ends within a cell, before {text!r}: name another section")
    return place


def import_explore(cells):
    """Import what shows the questions, in the cell that imports the package's other names."""
    line = "from twice.explore import explore"
    if any(line in cell.source for cell in cells):
        return
    first = next(cell for cell in cells if cell.cell_type == "code" and "\nfrom twice" in cell.source)
    lines = first.source.split("\n")
    place = next(k for k, other in enumerate(lines) if other.startswith("from twice") and other > line)
    first.source = "\n".join([*lines[:place], line, *lines[place:]])


def insert(nb, chapter):
    """Put the chapter's cells at the ends of their sections; those that stand there already are kept."""
    import_explore(nb.cells)
    old = {cell.id: cell for cell in nb.cells if cell.id.startswith("practice-")}
    cells = [cell for cell in nb.cells if cell.id not in old]
    for section, new in wanted(chapter):
        kept = old.get(new.id, new)
        kept.source, kept.metadata = new.source, new.metadata
        cells.insert(end(cells, section), kept)
    nb.cells = cells
    count(nb)


def count(nb):
    """Give the code cells the numbers of a run from the first to the last."""
    for number, cell in enumerate(code_cells(nb), 1):
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def refresh(path):
    """Bring one notebook's cells up to date; return whether anything changed."""
    nb, chapter = read(path), int(path.stem[:2])
    before = nbformat.writes(nb)
    insert(nb, chapter)
    changed = nbformat.writes(nb) != before
    if changed:
        nbformat.write(nb, path)
    return explorables.refresh(path) or changed


if __name__ == "__main__":
    store(rendered())
    paths = [Path(given).resolve() for given in sys.argv[1:]] or notebooks()
    for path in paths:
        if path.stem[:2].isdigit() and int(path.stem[:2]) in practice.chapters():
            print(f"{path.relative_to(ROOT)}: {'rewritten' if refresh(path) else 'unchanged'}")
