"""Each rule of the book can fail: a small chapter that keeps them all is broken in one place at a time."""

import ast
import re
from copy import deepcopy

import pytest
import rules
from nbformat import from_dict, v4
from notebooks import setup_cell, stamp
from reading import Page
from rules import RULES

PICTURE = "<svg></svg>"
ALT = {"mystnb": {"image": {"alt": "A straight line that rises from left to right"}}}
SOLUTION = "<details>\n<summary>Solution</summary>\n\n```python\nanswer = 1\n```\n\n</details>"
TAUGHT = {
    "double": (
        "arithmetic",
        ast.parse("@takes(floats, 'x')\ndef double(x):\n    'Twice x.'\n    return 2 * x").body[0],
    ),
    "half": ("arithmetic", ast.parse("def half(x):\n    return x / 2").body[0]),
}


def text(source):
    return v4.new_markdown_cell(source)


def code(source, *outputs, tags=(), **metadata):
    return v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags), **metadata})


def printed(words, name="stdout"):
    return v4.new_output("stream", text=words, name=name)


def figure(data=PICTURE, mime="image/svg+xml"):
    return v4.new_output("display_data", {mime: data, "text/plain": "<Figure>"})


def good():
    """Return a chapter that keeps every rule."""
    sections = {section: [text(f"## {section}\n\nWords.")] for section in rules.SECTIONS}
    sections["See it move"] += [code('explore("neuron", w1=1)', tags=["explore", "nbval-ignore-output"])]
    sections["Derivation"] += [
        text(r"$$a = b \tag{1.1}$$"),
        text("$$c = d \\tag{1.2}$$\n\nFrom [(1.1)](#eq-1-1)."),
        text("[At XOR](#figure-neuron?w1=2&b=-1.5&data=XOR)."),
    ]
    sections["From scratch"] += [
        code("def slow(x):\n    return x + x", tags=["simplified"]),
        code("def double(x):\n    return 2 * x"),
        code(
            'agree("twice (1.1)", slow(x), double(x))',
            printed("✓ twice (1.1): agree to 1e-10 · shape () · float64\n"),
        ),
    ]
    sections["Train it"] += [code("draw()", figure(), **ALT), text("*The line rises.*")]
    sections["What goes wrong"] += [
        code("def wrong(x):\n    return 3 * x", tags=["bug"]),
        code(
            "with rejects():\n    agree('wrong', wrong(x), x)", printed("✗ wrong: rejected · worst at ()\n")
        ),
    ]
    stub = ["exercise", "nbval-ignore-output"]
    for k in range(1, rules.EXERCISES + 1):
        sections["Exercises"] += [code(f'answer = ...\n\ncheck("1.{k}", answer)', tags=stub), text(SOLUTION)]
    cells = [text("# 1. A title\n\nA promise."), code(setup_cell()), *sum(sections.values(), [])]
    for count, cell in enumerate([cell for cell in cells if cell.cell_type == "code"], 1):
        cell.execution_count = count
    nb = v4.new_notebook(cells=cells)
    nb.metadata.twice = from_dict({**stamp(nb), "data": "full"})
    return Page("01-title", nb, [{"what": "twice (1.1)"}, {"what": "wrong"}])


def replace(old, new):
    """Return a fault: the first cell that holds ``old`` holds ``new`` instead."""

    def fault(page):
        cell = next(cell for cell in page.nb.cells if old in cell.source)
        cell.source = cell.source.replace(old, new)

    return fault


def add(cell):
    """Return a fault: one more cell, at the end."""
    return lambda page: page.nb.cells.append(deepcopy(cell))


def change(start, act):
    """Return a fault: ``act`` on the first cell that starts with ``start``."""
    return lambda page: act(next(cell for cell in page.nb.cells if cell.source.startswith(start)))


FAULTS = [
    ("plain_python", add(code("%timeit f()"))),
    ("plain_python", add(code("tf.keras.layers.Dense(1)"))),
    ("same_setup", replace("find_spec", "find_spec ")),
    ("fresh_outputs", replace("return 2 * x", "return x * 2")),
    ("fresh_outputs", lambda page: page.nb.metadata.twice.update(package="0")),
    ("fresh_outputs", lambda page: page.nb.metadata.twice.update(data="subset")),
    ("run_in_order", change("draw()", lambda cell: cell.update(execution_count=99))),
    ("known_tags", change("draw()", lambda cell: cell.metadata.update(tags=["nbval-skip"]))),
    ("known_tags", change("draw()", lambda cell: cell.metadata.update(tags=["raises-exception"]))),
    ("known_tags", add(code("f()  # NBVAL_SKIP"))),
    ("comparable_outputs", replace("draw()", "draw();")),
    ("comparable_outputs", replace("draw()", "draw();  # quietly")),
    ("comparable_outputs", add(code("clear_output()"))),
    ("clean_outputs", add(code("f()", printed("UserWarning", "stderr")))),
    ("clean_outputs", add(code("f()", v4.new_output("error", ename="E", evalue="", traceback=[])))),
    ("clean_outputs", add(code("f()", printed("saved in /home/ada/x.png")))),
    ("clean_outputs", add(code("f()", printed(r"saved in C:\ada\x.png")))),
    ("clean_outputs", add(code("f()", printed("<object at 0x7f3a5c9d2e10>")))),
    ("clean_outputs", add(code("f()", printed("3s 12ms/step")))),
    ("clean_outputs", add(code("f()", printed("at 12:30:01")))),
    ("clean_outputs", add(code("f()", printed("15/15 ━━━━━")))),
    ("recorded_checks", lambda page: page.ledger.pop()),
    ("recorded_checks", lambda page: page.ledger.reverse()),
    ("recorded_checks", change("agree", lambda cell: cell.update(outputs=[]))),
    ("short_cells", add(code("\n".join(31 * ["f()"])))),
    ("short_cells", add(code("class Long:\n" + "\n".join(f"    x{k} = {k}" for k in range(70))))),
    ("short_texts", add(text("word " * 701))),
    ("plain_english", add(text("This is, on the average, enough."))),
    *(
        ("portable_markdown", add(text(source)))
        for source in (
            "```{note}\nWords.\n```",
            ":::{note}\nWords.\n:::",
            "See {ref}`there`.",
            "(target)=",
            "% a comment",
            "+++",
            "> [!NOTE]\n> Words.",
            "Words[^1].",
            "![A line](line.png)",
            '<img src="line.png" alt="A line">',
            '<a id="there"></a>',
            "\\begin{align}a\\end{align}",
            "\\(a\\)",
            "$$a \\label{b}$$",
            "| a | b |\n| --- | --- |\n| $|x|$ | 1 |",
        )
    ),
    ("described_figures", change("draw()", lambda cell: cell.metadata.pop("mystnb"))),
    ("described_figures", change("draw()", lambda cell: cell.update(outputs=[figure(10**4 * PICTURE)]))),
    ("described_figures", change("draw()", lambda cell: cell.update(outputs=[figure("", "image/png")]))),
    ("described_figures", replace("*The line rises.*", "The line rises.")),
    ("two_makers", add(code("plot(x, color='red')"))),
    ("two_makers", add(code("plot(x, color='#123456')"))),
    ("explorables_unchecked", change("explore", lambda cell: cell.metadata.update(tags=[]))),
    ("one_title", replace("# 1. A title", "# A title")),
    ("one_title", replace("# 1. A title", "## 1. A title")),
    ("one_title", add(text("# Another"))),
    ("one_title", add(text("#### Too deep"))),
    ("numbered_equations", replace("1.2}", "1.3}")),
    ("numbered_equations", replace("1.2}", "2.2}")),
    ("numbered_equations", replace("1.2}", "1.1}")),
    ("numbered_equations", replace("twice (1.1)", "twice (1.7)")),
    ("sections_in_order", replace("## Backward", "## Forward")),
    ("sections_in_order", lambda page: page.nb.cells.insert(2, page.nb.cells.pop())),
    ("promise", replace("\n\nA promise.", "")),
    ("complete_exercises", replace('"1.6"', '"1.7"')),
    ("complete_exercises", replace('check("1.6", answer)', "")),
    ("complete_exercises", replace("answer = ...", "answer = 1")),
    ("complete_exercises", replace("```python", "```")),
    ("complete_exercises", change("answer", lambda cell: cell.metadata.update(tags=["exercise"]))),
    ("complete_exercises", change("answer", lambda cell: cell.metadata.update(tags=["nbval-ignore-output"]))),
    ("complete_exercises", add(code("answer = ...", tags=["exercise", "nbval-ignore-output"]))),
    ("defined_once", replace("return 2 * x", "return x + x")),
    ("defined_once", replace("def double", "def triple")),
    ("defined_once", replace("def double", "@cache\ndef double")),
    ("defined_once", add(code("def double(x):\n    return 2 * x"))),
    ("defined_once", add(code("def half(x):\n    return x / 2"))),
    ("honest_tags", replace("agree('wrong', wrong(x), x)", "agree('wrong', 3 * x, x)")),
    ("honest_tags", replace("slow(x), double(x)", "x + x, double(x)")),
    ("whole_links", add(text("[there](nowhere.md)"))),
    ("whole_links", add(text("[there](#nowhere)"))),
    ("whole_links", add(text("[(1.9)](#eq-1-9)"))),
    ("whole_links", add(text("[(1.2)](#eq-1-1)"))),
    ("whole_links", add(text("[there](#figure-network)"))),
    ("whole_links", add(text("[there](#figure-neuron-2?w1=1)"))),
    ("whole_links", add(text("[there](#figure-neuron?w3=1)"))),
    ("whole_links", add(text("[there](#figure-neuron?w1=99)"))),
    ("whole_links", add(text("[there](#figure-neuron?w1)"))),
    ("whole_links", add(text("[there](#title?w1=1)"))),
    ("whole_links", add(text("[there](http://example.org)"))),
    ("whole_links", add(text("<details><a href='nowhere.md'>there</a></details>".replace("'", '"')))),
]


@pytest.fixture(autouse=True)
def small_package(monkeypatch):
    monkeypatch.setattr(rules, "teaching", lambda: TAUGHT)
    monkeypatch.setattr(rules, "homes_of_names", lambda: {"double": "01-title", "half": "02-other"})


@pytest.mark.parametrize("name", RULES)
def test_a_good_chapter_keeps_the_rule(name):
    assert list(RULES[name](good())) == []


@pytest.mark.parametrize(("name", "fault"), FAULTS, ids=[f"{k}-{name}" for k, (name, _) in enumerate(FAULTS)])
def test_a_broken_chapter_is_found_out(name, fault):
    page = good()
    fault(page)
    assert list(RULES[name](Page(page.stem, page.nb, page.ledger)))


def test_every_rule_is_broken_somewhere():
    assert {name for name, _ in FAULTS} == set(RULES)


@pytest.mark.parametrize(
    "source",
    [
        "| $\\lvert x\\rvert$ | 1 |",
        "```python\nx = {a}\n```",
        "Code such as `x[:, 0]` and $\\{a\\}$.",
        "A link to [the chapter](#derivation).",
        "Sets $\\{x \\mid x > 0\\}$ and 5 % of them.",
        "> **Note.** Words.",
    ],
)
def test_plain_markdown_is_portable(source):
    page = good()
    page.nb.cells.append(text(source))
    assert list(RULES["portable_markdown"](page)) == []


@pytest.mark.parametrize(
    "words", ["accuracy 92.3%", "3 steps", "loss 0.31 · shape (2, 1)", "sums and uses", "1:2"]
)
def test_plain_outputs_are_clean(words):
    page = good()
    page.nb.cells.append(code("f()", printed(words)))
    assert list(RULES["clean_outputs"](page)) == []


def test_unreadable_code_is_one_message_and_no_crash():
    page = good()
    page.nb.cells.append(code("%timeit f()"))
    page = Page(page.stem, page.nb, page.ledger)
    said = {name: list(check(page)) for name, check in RULES.items()}
    assert len(said.pop("plain_python")) == 1
    said.pop("run_in_order")
    assert not any(said.values())


def test_a_message_names_the_cell():
    page = good()
    page.nb.cells.append(code("clear_output()"))
    assert re.match(r"cell \d+ ‹clear_output\(\)›", *RULES["comparable_outputs"](page))


LONG = "word " * 701


@pytest.mark.parametrize(
    ("added", "fault"),
    [
        ([LONG], "has 701 words, at most 700"),
        (["word " * 700], None),
        (["$" + LONG + "$"], None),
        (["```python\n" + LONG + "\n```"], None),
        (["word " * 600] * 10, "the core has 6,0"),
        (["<details>\n" + "word " * 600 + "\n</details>"] * 10, None),
        (["## More (optional)\n\n" + "word " * 600, *["### Deeper\n\n" + "word " * 600] * 9], None),
        (["## More (optional)\n\nWords.", *["## Back\n\n" + "word " * 600] * 10], "the core has"),
        (["## More (optional)\n\n" + "word " * 600] * 14, "the chapter has 8,5"),
    ],
)
def test_texts_are_short(added, fault):
    page = good()
    page.nb.cells += map(text, added)
    found = list(RULES["short_texts"](page))
    assert bool(found) is bool(fault) and all(fault in problem for problem in found), found


@pytest.mark.parametrize(
    "sentence",
    [
        "This is, on the average, enough.",
        "Who does not know the rate can try.",
        "The mistakes are of a size.",
        "Hold the index fast.",
        "It differs in per cent of the pictures.",
        "What both makers do.",
        "Four networks shall be asked.",
    ],
)
def test_foreign_idioms_are_found(sentence):
    page = good()
    page.nb.cells.append(text(sentence.replace(" ", "\n", 3)))
    assert any("says" in problem for problem in RULES["plain_english"](page))
