"""Questions that answer: ``explore("practice", chapter=3, section="Derivation")``.

One file a chapter, ``03.toml``, holds the questions; ``README.md`` says how to write one. Each section's are
shown in the frame of the interactive figures. Without scripts the page is still whole: every question with
its answer, folded away, and a reply to each known mistake.
"""

import html
import json
import re
import tomllib
from functools import cache
from pathlib import Path
from random import Random

from twice.explore import FOLDER, STYLES, Explorable, one_scope, sheet

HERE = Path(__file__).parent
MODEL = [FOLDER / "_shared" / "answers.mjs", HERE / "model.mjs"]
LETTERS = "ABCDEFGHIJKL"
SHOWN = ["ask", "steps", "options", "text", "step", "right", "hint", "reply", "wrong"]

ABOUT = {
    "title": "Questions on “{0}”",
    "text": "Questions on “{0}”, which answer. "
    "Open this notebook in Colab, in JupyterLab or in the HTML book to try them.",
}
QUESTION = """<section class="question" id="{name}" aria-labelledby="{name}-title">
<h2 id="{name}-title">Question {number}</h2>
{ask}
{offered}
<details><summary>Answer</summary>
{answer}
</details>
</section>"""
HEIGHTS = {"number": 130, "shape": 130, "choice": 94, "order": 259}  # pixels, without what is counted below
LINE, SIGNS = 22, 92  # pixels, and signs, of a line
OPTION, STEP, EDGES = 24, 51, 44


class Practice(Explorable):
    """The questions of a section, or of a whole chapter."""

    def __init__(self, chapter, section=None):
        self.chapter, self.section = chapter, section
        self.questions = select(chapter, section)
        super().__init__("practice", {"chapter": chapter, "questions": [logic(q) for q in self.questions]})

    @property
    def about(self):
        """The title, the text, and the height where no page listens."""
        where = self.section or f"Chapter {self.chapter}"
        height = EDGES + sum(map(_height, self.questions))
        return {**{key: words.format(where) for key, words in ABOUT.items()}, "height": height}

    @property
    def body(self):
        """Every question with its answer; the script adds what a reader can do."""
        return "\n".join(_question(number, q) for number, q in enumerate(self.questions, 1))

    @property
    def style(self):
        """The style sheet: what all pages share, and the questions' own."""
        return sheet(STYLES[0], HERE / "style.css")

    @property
    def script(self):
        """The modules as one script."""
        return one_scope(*MODEL, FOLDER / "_shared" / "faces.mjs", HERE / "view.mjs")


def chapters():
    """Return the numbers of the chapters that have questions."""
    return sorted(int(path.stem) for path in HERE.glob("[0-9][0-9].toml"))


@cache
def declared(chapter):
    """Return what a chapter's file declares."""
    return tomllib.loads((HERE / f"{chapter:02}.toml").read_text(encoding="utf-8"))


def questions(chapter):
    """Return a chapter's questions in order."""
    return declared(chapter)["question"]


def exercisers(chapter):
    """Return where the exerciser for shapes stands in a chapter, and the state that it begins in."""
    return declared(chapter).get("shapes", [])


def select(chapter, section=None):
    """Return the questions of one section, or all of a chapter's.

    Raises
    ------
    ValueError
        If there is no such chapter, or the section has no questions.
    """
    if chapter not in chapters():
        raise ValueError(
            f"practice: there are no questions on chapter {chapter!r}; there are on {chapters()}"
        )
    found = [q for q in questions(chapter) if section in (None, q["section"])]
    if not found:
        sections = list(dict.fromkeys(q["section"] for q in questions(chapter)))
        raise ValueError(f"practice: chapter {chapter} asks nothing on {section!r}; it does on {sections}")
    return found


def logic(question):
    """Return what the script needs to judge an answer; all words stand in the page."""
    kept = {"name": question["name"], "kind": question["kind"]}
    if question["kind"] in ("number", "shape"):
        kept |= {
            "answer": question["answer"],
            "known": [wrong["given"] for wrong in question.get("wrong", [])],
        }
    if question["kind"] == "number":
        kept["tolerance"] = question["tolerance"]
    if question["kind"] == "choice":
        kept["answer"] = [bool(option.get("right")) for option in question["options"]].index(True)
    if question["kind"] == "order":
        kept["steps"] = len(question["steps"])
    return kept


def _height(question):
    """Guess a question's height in a page that can't be asked; a frame that is too low scrolls."""
    options, steps = question.get("options", []), question.get("steps", [])
    lines = sum(_lines(words) for words in [question["ask"], *(option["text"] for option in options)])
    movable = len(steps) + len(question["wrong"]) if steps else 0
    return HEIGHTS[question["kind"]] + LINE * lines + OPTION * len(options) + STEP * movable


def _lines(source):
    """Guess how many lines a text takes; a formula's source is about three times as long as the formula."""
    length = sum(len(piece) // (3 if piece.startswith("$") else 1) for piece in SPLIT.split(source))
    return 1 + length // SIGNS


# ---------------------------------------------------------------------------- the page without scripts


def _question(number, question):
    offered, answer = KINDS[question["kind"]](question)
    ask = text(question["ask"])
    return QUESTION.format(name=question["name"], number=number, ask=ask, offered=offered, answer=answer)


def _typed(question):
    wrong = [(f"<p><b>{shown(w['given'])}:</b></p>", w["reply"]) for w in question.get("wrong", [])]
    right = f"<p><b>{shown(question['answer'])}</b></p>{text(question['right'])}"
    return "", _answer(right, wrong, question["hint"])


def _choice(question):
    options = question["options"]
    offered = "".join(f"<li>{text(option['text'])}</li>" for option in options)
    right = next(k for k, option in enumerate(options) if option.get("right"))
    wrong = [
        (f"<p><b>Not {LETTERS[k]}:</b></p>", option["reply"])
        for k, option in enumerate(options)
        if k != right
    ]
    answer = f"<p><b>{LETTERS[right]}</b></p>{text(options[right]['reply'])}"
    return f'<ol class="options" type="A">{offered}</ol>', _answer(answer, wrong)


def _order(question):
    steps, wrong = question["steps"], question.get("wrong", [])
    every = [*steps, *(step["step"] for step in wrong)]
    places = shuffled(question["name"], len(every))
    offered = "".join(
        f'<li value="{k}" data-step="{s}">{text(every[s])}</li>' for k, s in enumerate(places, 1)
    )
    letters = [LETTERS[places.index(step)] for step in range(len(every))]
    right = f"<p><b>{', '.join(letters[: len(steps)])}</b></p>{text(question['right'])}"
    replies = [
        (f"<p><b>Not {letter}:</b></p>", step["reply"])
        for letter, step in zip(letters[len(steps) :], wrong, strict=True)
    ]
    return f'<ol class="steps" type="A">{offered}</ol>', _answer(right, replies, question["hint"])


KINDS = {"number": _typed, "shape": _typed, "choice": _choice, "order": _order}


def _answer(right, wrong, hint=None):
    """Return the folded part; the script copies its replies from here."""
    parts = [f'<div class="right">{right}</div>']
    if wrong:
        items = "".join(f"<li>{head}<div>{text(reply)}</div></li>" for head, reply in wrong)
        parts.append(f'<ul class="replies">{items}</ul>')
    if hint:
        parts.append(f'<div class="hint">{text(hint)}</div>')
    return "\n".join(parts)


def shuffled(name, count):
    """Return 0, 1, …, count − 1 in an order that looks like chance and is the same on every machine."""
    places = list(range(count))
    random = Random(name)
    while places == sorted(places):
        random.shuffle(places)
    return places


def shown(value):
    """Return a number with a true minus sign and its power of ten raised, or a shape."""
    number = f"{value:g}" if isinstance(value, float) else str(value)
    digits, _, power = number.partition("e")
    raised = f" · 10<sup>{int(power)}</sup>" if power else ""
    return f"{digits}{raised}".replace("-", "−")


# ---------------------------------------------------------------------------- words and formulas

SPLIT = re.compile(r"(\$\$.+?\$\$|\$.+?\$|`.+?`)", re.S)


@cache
def formulas():
    """Return the MathML of every formula in the questions, which ``tools/practice.py`` has rendered."""
    return json.loads((HERE / "formulas.json").read_text(encoding="utf-8"))


def text(source):
    """Return HTML for paragraphs of words with `$formulas$`, `code` and `*stress*`."""
    return "".join(f"<p>{_line(part.strip())}</p>" for part in re.split(r"\n\s*\n", source.strip()))


def _line(source):
    return "".join(map(_piece, SPLIT.split(source)))


def _piece(source):
    if source.startswith("$"):
        return formulas()[source]
    if source.startswith("`"):
        return f"<code>{html.escape(source[1:-1], quote=False)}</code>"
    return re.sub(r"\*(\S.*?)\*", r"<em>\1</em>", html.escape(source, quote=False))


def tex(source):
    """Return the formulas in a text, with their dollar signs."""
    return [piece for piece in SPLIT.findall(source) if piece.startswith("$")]


def words(value):
    """Yield every text of a question that a reader sees, however deep it stands."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for key in SHOWN if key in value for text in words(value[key]))
    elif isinstance(value, list):
        yield from (text for part in value for text in words(part))
