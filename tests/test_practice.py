"""The practice questions: what is asked, accepted and said to a wrong answer, and what the page holds.

Every number and shape in a question is computed here from the package (`computed` in its file).
"""

import json
import re
from html.parser import HTMLParser

import explorables
import nbformat
import notebooks
import numpy as np
import practice as tool
import pytest
from py_mini_racer import MiniRacer

import twice.activations
import twice.attention
import twice.convolution
import twice.initializers
import twice.layers
import twice.losses
import twice.metrics
import twice.models
import twice.optimizers
import twice.recurrent
from twice.autograd import Value
from twice.explore import explore, names, one_scope
from twice.practice import LETTERS, MODEL, Practice, chapters, logic, questions, select, shuffled, text, words

TAUGHT = [
    twice.activations,
    twice.attention,
    twice.convolution,
    twice.initializers,
    twice.layers,
    twice.losses,
    twice.metrics,
    twice.models,
    twice.optimizers,
]
EVERY = [(chapter, q) for chapter in chapters() for q in questions(chapter)]
TYPED = [(chapter, q) for chapter, q in EVERY if q["kind"] in ("number", "shape")]
ORDERS = [(chapter, q) for chapter, q in EVERY if q["kind"] == "order"]
CHOICES = [(chapter, q) for chapter, q in EVERY if q["kind"] == "choice"]
KEYS = {
    "number": {"answer", "computed", "tolerance", "right", "hint", "wrong"},
    "shape": {"answer", "computed", "right", "hint", "wrong"},
    "choice": {"options"},
    "order": {"steps", "right", "hint", "wrong"},
}
MOST_WORDS = 75  # in a question or a reply: it stands in a small frame


def each(cases):
    return pytest.mark.parametrize(
        "question", [q for _, q in cases], ids=[f"{chapter}-{q['name']}" for chapter, q in cases]
    )


def rng():
    return np.random.default_rng(0)


def dense(n, d, units):
    """Return a layer through which a batch has gone forward and backward."""
    layer = twice.layers.Dense(units, rng=rng())
    z = layer.forward(np.ones((n, d)))
    layer.dx = layer.backward(np.ones_like(z))
    return layer


def convolved(shape, filters, size):
    """Return a convolution that has seen a batch."""
    layer = twice.convolution.Conv2D(filters, size, rng=rng())
    layer.forward(np.ones(shape))
    return layer


def recurrent(kind, shape, units, **options):
    """Return a recurrent layer that has seen a batch."""
    layer = getattr(twice.recurrent, kind)(units, rng=rng(), **options)
    layer.forward(np.ones(shape))
    return layer


def column(*numbers):
    return np.array(numbers, dtype=float).reshape(-1, 1)


def walk(optimizer, *slopes):
    """Return where one parameter is that began at 0, after a step for each slope."""
    w = np.zeros(1)
    for slope in slopes:
        optimizer.apply([np.array([float(slope)])], [w])
    return w[0]


def backward_of(f, *inputs):
    """Return the slopes of a function of numbers, from the chapter's engine."""
    values = [Value(x) for x in inputs]
    f(*values).backward()
    return [v.grad for v in values]


def normalized(shape):
    """Return batch normalization that has seen one batch."""
    layer = twice.layers.BatchNormalization()
    layer.forward(np.ones(shape), training=True)
    return layer


NAMESPACE = {
    "np": np,
    "rng": rng,
    "dense": dense,
    "convolved": convolved,
    "normalized": normalized,
    "recurrent": recurrent,
    "column": column,
    "walk": walk,
    "backward_of": backward_of,
}
for module in TAUGHT:
    NAMESPACE |= {name: value for name, value in vars(module).items() if not name.startswith("_")}


def computed(line):
    return eval(line, dict(NAMESPACE))


@pytest.fixture(scope="module")
def judge():
    """Return the model's judge: of a question's logic and what a reader gave."""
    engine = MiniRacer()
    engine.eval(one_scope(*MODEL))
    return lambda question, given: json.loads(
        engine.eval(f"JSON.stringify(judge({json.dumps(logic(question))}, {json.dumps(given)}))")
    )


# The questions


@pytest.mark.parametrize("chapter", chapters())
def test_a_chapter_asks_at_least_six_questions_by_name(chapter):
    names = [q["name"] for q in questions(chapter)]
    assert len(names) >= 6 and len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", name) for name in names)


@each(EVERY)
def test_a_question_is_whole_and_short(question):
    assert set(question) - {"name", "section", "kind", "ask"} == KEYS[question["kind"]]
    for part in words(question):
        prose = re.sub(r"\$.*?\$", "x", part)
        assert len(prose.split()) <= MOST_WORDS, part
        assert not re.search(r"\s-\d|\.\.\.", prose), f"not as it is printed: {part}"


@each(EVERY)
def test_replies_differ(question):
    said = [w["reply"] for w in question.get("wrong", [])] + [o["reply"] for o in question.get("options", [])]
    assert len(set(said)) == len(said)
    assert all(reply.strip() for reply in said)


@each(TYPED)
def test_numbers_and_shapes_are_what_the_package_computes(question):
    for case, given in [(question, question["answer"])] + [(w, w["given"]) for w in question["wrong"]]:
        value = computed(case["computed"])
        if question["kind"] == "shape":
            assert str(np.shape(value)) == given
        else:
            rough = 0 if case is question else 1 / 200
            assert float(value) == pytest.approx(given, abs=question["tolerance"] / 2, rel=rough)


@each(TYPED)
def test_typed_answers_are_told_apart(question, judge):
    assert judge(question, str(question["answer"]))["verdict"] == "right"
    assert question["wrong"]
    for k, wrong in enumerate(question["wrong"]):
        assert judge(question, str(wrong["given"])) == {"verdict": "wrong", "reply": k}
    other = "123456.7" if question["kind"] == "number" else "(9, 9, 9, 9, 9)"
    assert judge(question, other) == {"verdict": "wrong", "hint": True}


@each(CHOICES)
def test_choices_have_one_right_option(question, judge):
    options = question["options"]
    assert 3 <= len(options) <= 5
    assert [option.get("right") for option in options].count(True) == 1
    replies = iter(range(len(options)))
    for k, option in enumerate(options):
        right = option.get("right", False)
        expected = {"verdict": "right"} if right else {"verdict": "wrong", "reply": next(replies)}
        assert judge(question, k) == expected


@each(ORDERS)
def test_steps_are_right_in_one_order(question, judge):
    right, foreign = list(range(len(question["steps"]))), len(question["wrong"])
    assert judge(question, right) == {"verdict": "right"}
    assert judge(question, right[:-1]) == {"verdict": "wrong", "missing": True, "hint": True}
    assert judge(question, []) == {"verdict": "wrong", "missing": True, "hint": True}
    for place in right[:-1]:
        turned = right[:place] + [place + 1, place] + right[place + 2 :]
        assert judge(question, turned) == {"verdict": "wrong", "place": place, "hint": True}
    assert foreign == 2
    for k in range(foreign):
        for place in range(len(right) + 1):
            with_wrong = right[:place] + [len(right) + k] + right[place:]
            assert judge(question, with_wrong) == {"verdict": "wrong", "place": place, "reply": k}


def test_choices_do_not_give_themselves_away():
    places = [[o.get("right", False) for o in q["options"]].index(True) for _, q in CHOICES]
    assert len(set(places)) >= 3
    longest = [max(q["options"], key=lambda o: len(o["text"])).get("right", False) for _, q in CHOICES]
    assert sum(longest) <= len(longest) * 0.6


# What is accepted

HALF = [
    "0.5",
    ".5",
    "1/2",
    "5e-1",
    "0.50",
    " 0.5 ",
    "+0.5",
    "2/4",
    "50%",
    "50 %",
    "5·10^-1",
    "5*10^-1",
    "0.5e0",
]
HALF += ["5 × 10⁻¹", "5E-1", "½"]
MINUS = ["-0.5", "−0.5", "–0.5", "-.5", "−1/2", "-1/2", "- 0.5", "-5e-1", "−5e−1"]
NUMBER = {"name": "n", "kind": "number", "tolerance": 1e-9, "wrong": []}


@pytest.mark.parametrize("sign, forms", [(1, HALF), (-1, MINUS)])
def test_a_number_may_be_written_in_its_usual_forms(judge, sign, forms):
    for form in forms:
        assert judge({**NUMBER, "answer": sign * 0.5}, form) == {"verdict": "right"}, form


@pytest.mark.parametrize(
    "form, value",
    [
        ("1000", 1000),
        ("1 000", 1000),
        ("1_000_000", 1e6),
        ("10^3", 1000),
        ("10⁻³", 0.001),
        ("1e3", 1000),
        ("-10^2", -100),
        ("7.", 7),
        ("0", 0),
        ("-0", 0),
    ],
)
def test_large_and_small_numbers(judge, form, value):
    assert judge({**NUMBER, "answer": value}, form) == {"verdict": "right"}


@pytest.mark.parametrize(
    "form", ["", " ", "half", "1/", "1/2/3", "1/0", "0,5", "1..5", "e", "NaN", "Infinity", "0x10"]
)
def test_what_is_no_number_is_said_to_be_none(judge, form):
    found = judge({**NUMBER, "answer": 0.5}, form)
    assert found["verdict"] == "unread" and found["words"]


def test_the_tolerance_is_what_it_says(judge):
    question = {**NUMBER, "answer": 2.3, "tolerance": 0.05}
    verdicts = {form: judge(question, form)["verdict"] for form in ["2.25", "2.35", "2.2", "2.4"]}
    assert verdicts == {"2.25": "right", "2.35": "right", "2.2": "wrong", "2.4": "wrong"}


@pytest.mark.parametrize(
    "answer, forms",
    [
        (
            "(3, 4)",
            [
                "(3, 4)",
                "(3,4)",
                "3x4",
                "3 x 4",
                "3 × 4",
                "3×4",
                "[3,4]",
                "[3, 4]",
                "3, 4",
                "3 by 4",
                "3*4",
                "3 4",
            ],
        ),
        ("(3,)", ["(3,)", "(3)", "3", "[3]", "3,"]),
        ("()", ["()", "( )", "[]", "scalar"]),
        ("(2, 5, 5, 3)", ["2x5x5x3", "(2, 5, 5, 3)", "2 × 5 × 5 × 3", "2X5X5X3"]),
        ("(n, 4)", ["(n, 4)", "n x 4", "nx4", "(N,4)"]),
    ],
)
def test_a_shape_may_be_written_in_its_usual_forms(judge, answer, forms):
    for form in forms:
        question = {"name": "s", "kind": "shape", "answer": answer, "wrong": []}
        assert judge(question, form) == {"verdict": "right"}, form


@pytest.mark.parametrize("form", ["", "three by four", "3.5x2", "-3", "(3; 4)", "shape"])
def test_what_is_no_shape_is_said_to_be_none(judge, form):
    question = {"name": "s", "kind": "shape", "answer": "(3, 4)", "wrong": []}
    assert judge(question, form)["verdict"] == "unread"


def test_only_answers_of_the_right_form_are_taken_from_a_page():
    engine = MiniRacer()
    engine.eval(one_scope(*MODEL))
    cases = {
        "number": (["0.5"], [0.5, None, ["1"], {}, "1" * 100]),
        "choice": ([0, 2], ["0", -1, 0.5, None]),
        "order": ([[], [2, 0]], [[0, 0], ["1"], [-1], 3, None]),
    }
    for kind, (good, bad) in cases.items():
        for given in good + bad:
            fits = engine.eval(f"fits({json.dumps({'kind': kind})}, {json.dumps(given)})")
            assert fits is (given in good), (kind, given)


# The page


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("chapter", chapters())
def test_without_scripts_the_page_has_every_question_with_its_answer(chapter):
    body = Practice(chapter).body
    tags = [tag for tag, _ in Elements(body).tags]
    assert tags.count("details") == tags.count("summary") == len(questions(chapter))
    assert all(text(part) in body for question in questions(chapter) for part in words(question))


@pytest.mark.parametrize("chapter", chapters())
def test_the_output_is_a_framed_page_and_a_text(chapter):
    for section in tool.sections(chapter):
        figure = explore("practice", chapter=chapter, section=section)
        html = figure._repr_html_()
        frame = next(attributes for tag, attributes in Elements(html).tags if tag == "iframe")
        assert frame["srcdoc"] == figure.page and frame["sandbox"] == "allow-scripts"
        assert repr(figure).startswith(f"Questions on “{section}”")
        assert len(figure.page.encode()) < 40_000
        assert not any(
            word in figure.page for word in ("http:", "https:", "//cdn", "url(", "@import", " src=")
        )
        assert figure.page.count("</script>") == 2
        named = [given["id"] for _, given in Elements(figure.page).tags if "id" in given]
        assert len(named) == len(set(named))  # a question called "state" would hide the figure's own
        MiniRacer().eval(f"new Function({json.dumps(figure.script)})")


def test_practice_is_no_figure():
    assert "practice" not in names()


@pytest.mark.parametrize(
    "given, message",
    [
        ({"chapter": 99}, "there are no questions on chapter 99; there are on .1, 2"),
        ({"chapter": "1"}, "there are no questions on chapter '1'"),
        (
            {"chapter": 1, "section": "Nowhere"},
            "chapter 1 asks nothing on 'Nowhere'; it does on .'The idea by hand'",
        ),
    ],
)
def test_an_error_names_what_is_wrong(given, message):
    with pytest.raises(ValueError, match=message):
        explore("practice", **given)


def test_questions_of_all_sections_are_those_of_the_chapter():
    assert select(1) == questions(1) == [q for section in tool.sections(1) for q in select(1, section)]


def test_steps_are_shuffled_and_always_alike():
    orders = {name: shuffled(name, 6) for name in ("a", "b", "c")}
    assert all(sorted(order) == list(range(6)) != order for order in orders.values())
    assert orders == {name: shuffled(name, 6) for name in orders}
    assert len(LETTERS) >= max(len(q["steps"]) + len(q["wrong"]) for _, q in ORDERS)


def test_words_in_the_files_are_html_in_the_page():
    assert (
        text("a < b, *so* `x < 1`\n\nnext") == "<p>a &lt; b, <em>so</em> <code>x &lt; 1</code></p><p>next</p>"
    )


def test_formulas_are_rendered_anew_when_they_change():
    assert json.loads(tool.STORED.read_text(encoding="utf-8")) == tool.rendered(), "python tools/practice.py"


def test_formulas_are_mathml_that_a_browser_draws():
    for formula, markup in tool.rendered().items():
        assert markup.startswith("<math") and markup.endswith("</math>")
        assert set(re.findall(r'mathvariant="([\w-]+)"', markup)) <= {"normal"}, formula
        assert "mathcolor" not in markup and "merror" not in markup, formula


# In the chapters


@pytest.mark.parametrize("chapter", chapters())
def test_cells_stand_where_the_questions_belong(chapter):
    path = next(path for path in notebooks.notebooks() if path.stem.startswith(f"{chapter:02}-"))
    nb = notebooks.read(path)
    for section in tool.sections(chapter):
        assert tool.end(nb.cells, section)
    for _, cell in tool.wanted(chapter):
        assert explorables.figure(cell)._repr_html_()
    shown = [cell for cell in nb.cells if cell.id.startswith("practice-")]
    if shown:
        tool.insert(nb, chapter)
        assert [cell for cell in nb.cells if cell.id.startswith("practice-")] == shown
        assert nb.cells == notebooks.read(path).cells, "python tools/practice.py"


def example(*sources):
    """Return a notebook of text cells, and code cells where a source begins with `>`."""
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    cells = [code(source[1:]) if source.startswith(">") else text(source) for source in sources]
    return nbformat.v4.new_notebook(cells=cells)


CHAPTER = [
    ">import numpy\n\nfrom twice.checks import agree\nfrom twice.plots import GREY",
    *("## The idea by hand", ">x = 1", "### More of it", "```python\n# no heading\n```"),
    *("## Derivation", "## From scratch", "## Train it", "## What goes wrong"),
]


def test_cells_are_put_at_the_ends_of_their_sections_once():
    nb = example(*CHAPTER)
    for _ in range(2):
        tool.insert(nb, 1)
        ids = [cell.id for cell in nb.cells]
        place = ids.index("practice-01-the-idea-by-hand")
        assert nb.cells[place - 1].source.startswith("```") and nb.cells[place + 1].source == "## Derivation"
        assert sum(id.startswith("practice-") for id in ids) == len(tool.sections(1))
        assert nb.cells[0].source.split("\n")[3] == "from twice.explore import explore"
        counts = [cell.execution_count for cell in notebooks.code_cells(nb)]
        assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("chapter", [1, 5])
def test_questions_make_no_output_stale(chapter):
    headings = [f"## {section}" for section in [*tool.sections(chapter), "What follows"]]
    nb = example(CHAPTER[0], ">from twice.explore import explore", *headings)
    before = notebooks.stamp(nb)
    tool.insert(nb, chapter)
    assert notebooks.stamp(nb) == before
    if chapter == 5:
        asked = [cell.source for cell in nb.cells if cell.id.startswith("practice-05-derivation")]
        assert asked == [
            'explore("practice", chapter=5, section="Derivation")',
            'explore("shapes", way="backward")',
        ]


@pytest.mark.parametrize(
    "sources, message",
    [
        (["## Derivation", "## Derivation"], "there are 2 headings 'Derivation'"),
        (["## Train it"], "there are 0 headings 'Derivation'"),
        (["## Derivation", "Words.\n\n## Train it"], "ends within a cell, before 'Train it'"),
        (["## Derivation\n\n## Train it", "## You have"], "ends within a cell"),
    ],
)
def test_a_section_that_has_no_clear_end_is_refused(sources, message):
    with pytest.raises(ValueError, match=message):
        tool.end(example(*sources).cells, "Derivation")
