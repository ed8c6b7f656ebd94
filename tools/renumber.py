"""Give chapters or equations other numbers, in every file that names them.

python tools/renumber.py chapter 13 8                        chapter 13 becomes 8; 8 to 12 move up by one
python tools/renumber.py equations book/05-*.ipynb           number equations in the order of their page
python tools/renumber.py cite 7.26=8.3 7.27=8.4 book/x.md    change citations of equations in one file

File names, titles, tags, links, exercises, ledgers, the checks behind exercises, and what the prose, the code
and the stored outputs say all follow. What a machine cannot decide is printed: ranges of chapters that the
move tears apart. Look at `git diff` afterwards, run `make explorables`, and then the tests.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from notebooks import BOOK, LEDGERS, ROOT, notebooks, read
from reading import equation_tags

SUFFIXES = (".ipynb", ".md", ".py", ".mjs", ".js", ".html", ".yml", ".bib", ".json", ".jsonl")
# Several numbers after one word: "chapters 4 to 7", "exercises 9.1, 9.2 and 9.3".
SEVERAL = r"{one}(?:(?:,| to|,? and|,? or|–) {one})*(?![.]?\d)"
CHAPTER = re.compile(r"\b([Cc]hapters?\s+)(" + SEVERAL.format(one=r"\d+") + ")")
EXERCISE = re.compile(r"\b([Ee]xercises?\s+)(" + SEVERAL.format(one=r"\d+[.]\d+") + ")")
EQUATION = re.compile(r"((?<!\w)\(|\\tag\{)(\d+\.\d+)(?=[)}])")
ANCHOR = re.compile(r"\beq-(\d+)-(\d+)\b")
TITLE = re.compile(r"\A# (\d+)\. ")
LABEL = re.compile(r"\[(\d+)\](?=\((?:book/)?(\d\d)-[\w-]+\.ipynb\))")
LISTED = re.compile(r"^(\d+)(?=\. \[[^\]]*\]\((\d\d)-[\w-]+\.ipynb\))", re.MULTILINE)
CHECKED = re.compile(r"(?<=[\"'])(\d+)\.(\d+)(?=[\"'][,:])")
TABLE = re.compile(r"^(\s+)\"(\d+)\": (?=\"\w+\",$)", re.MULTILINE)


@dataclass
class Renumbering:
    """Which chapters and which equations get other numbers.

    Attributes
    ----------
    chapters : dict of int to int
        Old and new numbers of the chapters that move.
    equations : dict of str to str
        Old and new numbers of equations, such as {"7.26": "8.3"}; the rest follow their chapters.
    stems : dict of str to str
        Old and new names of the chapters' files, without their ending.
    torn : list of str
        The ranges that the move tears apart, for the author to mend.
    """

    chapters: dict = field(default_factory=dict)
    equations: dict = field(default_factory=dict)
    stems: dict = field(default_factory=dict)
    torn: list = field(default_factory=list)

    def text(self, text):
        """Return a text with every number in its new form."""
        text = LABEL.sub(lambda m: f"[{self.chapter(m[1])}]" if int(m[2]) == int(m[1]) else m[0], text)
        text = LISTED.sub(lambda m: self.chapter(m[1]) if int(m[2]) == int(m[1]) else m[0], text)
        if self.stems:
            text = re.sub(rf"\b({'|'.join(self.stems)})\b", lambda m: self.stems[m[1]], text)
        text = CHAPTER.sub(lambda m: m[1] + self.several(m[2], self.chapter, m[0]), text)
        text = EXERCISE.sub(lambda m: m[1] + self.several(m[2], self.of_chapter, m[0]), text)
        text = EQUATION.sub(lambda m: m[1] + self.equation(m[2]), text)
        text = ANCHOR.sub(lambda m: "eq-" + self.equation(f"{m[1]}.{m[2]}").replace(".", "-"), text)
        return TITLE.sub(lambda m: f"# {self.chapter(m[1])}. ", text)

    def chapter(self, number):
        """Return a chapter's new number."""
        return str(self.chapters.get(int(number), number))

    def of_chapter(self, number):
        """Return the new number of an exercise."""
        chapter, _, part = number.partition(".")
        return f"{self.chapter(chapter)}.{part}"

    def equation(self, number):
        """Return an equation's new number."""
        return self.equations.get(number, number)

    def several(self, numbers, renumber, whole):
        """Return a list of numbers, each renumbered; note a range of chapters that the move tears apart."""
        ends = re.fullmatch(r"(\d+)(?: to |–)(\d+)", numbers)
        if ends and renumber == self.chapter:
            old = range(int(ends[1]), int(ends[2]) + 1)
            new = sorted(int(self.chapter(n)) for n in old)
            if new != list(range(new[0], new[0] + len(old))) or int(self.chapter(old[0])) != new[0]:
                self.torn.append(whole)
        return re.sub(r"\d+(?:\.\d+)?", lambda m: renumber(m[0]), numbers)

    def code(self, text):
        """Return source code with the numbers of its exercises in their new form as well."""
        text = CHECKED.sub(lambda m: self.of_chapter(m[0]), text)
        return self.text(text)

    def notebook(self, nb):
        """Change the numbers in a notebook's cells, alternative texts and stored outputs."""
        for cell in nb.cells:
            cell.source = self.code(cell.source) if cell.cell_type == "code" else self.text(cell.source)
            image = cell.metadata.get("mystnb", {}).get("image", {})
            if "alt" in image:
                image["alt"] = self.text(image["alt"])
            for output in cell.get("outputs", []):
                if "text" in output:
                    output.text = self.text(output.text)
                for mime in [mime for mime in output.get("data", {}) if mime.startswith("text/")]:
                    output.data[mime] = self.text(output.data[mime])

    def file(self, path):
        """Change the numbers in one file; return whether there were any."""
        before = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            nb = read(path)
            self.notebook(nb)
            now = nbformat.writes(nb) + "\n"
        elif path.suffix == ".py":
            now = self.code(before)
            if path.name == "__init__.py" and path.parent.name == "exercises":
                now = self.table(now)
        else:
            now = self.text(before)
        if now != before:
            path.write_text(now, encoding="utf-8", newline="\n")
        return now != before

    def table(self, text):
        """Return the table of the exercises' modules with new numbers, in their order."""
        rows = TABLE.sub(lambda m: f'{m[1]}"{self.chapter(m[2])}": ', text).splitlines(keepends=True)
        where = [i for i, row in enumerate(rows) if TABLE.match(row.rstrip("\n"))]
        in_order = sorted((rows[i] for i in where), key=lambda row: int(re.search(r"\d+", row)[0]))
        for i, row in zip(where, in_order, strict=True):
            rows[i] = row
        return "".join(rows)


def files():
    """Return the text files of the repository that may name chapters or equations."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    paths = [ROOT / name for name in names if name.endswith(SUFFIXES)]
    return [
        path for path in paths if path.is_file() and "vendor" not in path.parts and path.name != "renumber.py"
    ]


def tags_of(path):
    """Return the numbers of a chapter's equations in the order of the page."""
    return equation_tags("\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown"))


def moved(chapter, place):
    """Return the numbers of all chapters between two places when one moves from the first to the second."""
    step = 1 if place < chapter else -1
    return {chapter: place, **{n: n + step for n in range(place, chapter, step)}}


def of_chapters(chapters):
    """Return the renumbering of chapters, their files and all their equations."""
    paths = {int(path.stem[:2]): path for path in notebooks() if path.stem[:2].isdigit()}
    if missing := [number for number in chapters if number not in paths]:
        sys.exit(f"there is no chapter {missing[0]}: the chapters are {', '.join(map(str, sorted(paths)))}")
    stems = {paths[old].stem: f"{new:02d}{paths[old].stem[2:]}" for old, new in chapters.items()}
    equations = {
        tag: f"{new}.{tag.partition('.')[2]}" for old, new in chapters.items() for tag in tags_of(paths[old])
    }
    return Renumbering(chapters, equations, stems)


def move_files(stems):
    """Give the chapters' notebooks and ledgers their new names."""
    pairs = [
        (folder / f"{old}{suffix}", folder / f"{new}{suffix}")
        for old, new in stems.items()
        for folder, suffix in ((BOOK, ".ipynb"), (LEDGERS, ".jsonl"))
        if (folder / f"{old}{suffix}").exists()
    ]
    for old, new in pairs:
        old.rename(new.with_suffix(".moving"))
    for _, new in pairs:
        new.with_suffix(".moving").rename(new)


def main(command, *arguments):
    """Carry out one command; return the exit status."""
    if command == "chapter":
        renumbering, paths = of_chapters(moved(*map(int, arguments))), files()
    elif command == "equations":
        (path,) = map(Path, arguments)
        chapter = int(path.stem[:2])
        new = {tag: f"{chapter}.{k}" for k, tag in enumerate(tags_of(path), start=1)}
        renumbering, paths = Renumbering(equations=new), files()
    elif command == "cite":
        pairs = [pair.split("=") for pair in arguments if "=" in pair]
        renumbering = Renumbering(equations=dict(pairs))
        paths = [Path(name).resolve() for name in arguments if "=" not in name]
    else:
        sys.exit(__doc__)
    for path in paths:
        if renumbering.file(path):
            print(path.relative_to(ROOT))
    move_files(renumbering.stems)
    for torn in sorted(set(renumbering.torn)):
        print(f"mend by hand: {torn!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or ["help"]))
