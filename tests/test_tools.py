"""The authors' tools: notebooks run to the same bytes, hashes see what matters, and the address follows."""

import ast
import json
import re

import address
import execute
import fonts
import nbformat
import notebooks
import pytest
import renumber
import repeat
from nbformat import v4
from notebooks import code_hash, package_hash, setup_cell, syntax

CELLS = [
    setup_cell(),
    "import matplotlib.pyplot as plt\nimport numpy as np\nfrom twice.checks import agree\n"
    "from twice.plots import use_style\nuse_style()",
    "for k in range(3):\n    print(k, flush=True)",
    'agree("one", np.ones(2), np.ones(2))',
    "_ = plt.plot(np.sin(np.arange(9)))",
]


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a notebook of code cells, with its ledgers beside it."""
    monkeypatch.setattr(execute, "LEDGERS", tmp_path / "_ledger")

    def write(*sources):
        path = tmp_path / "01-sample.ipynb"
        nbformat.write(v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources]), path)
        return path

    return write


def test_running_twice_changes_no_byte(write):
    path = write(*CELLS)
    assert execute.execute(path) is None
    first = path.read_bytes()
    assert execute.execute(path) is None
    assert path.read_bytes() == first
    nb = notebooks.read(path)
    assert [output.text for output in nb.cells[2].outputs] == ["0\n1\n2\n"]
    assert nb.cells[4].outputs[0].data["image/svg+xml"].startswith("<?xml")
    assert nb.metadata.twice == {**notebooks.stamp(nb), "data": "full"}
    ledger = path.parent / "_ledger" / "01-sample.jsonl"
    assert [json.loads(line)["what"] for line in ledger.read_text().splitlines()] == ["one"]


def test_outputs_go_stale_with_the_code_only(write):
    path = write(*CELLS)
    execute.execute(path)
    assert not execute.stale(path)
    nb = notebooks.read(path)
    nb.cells.append(v4.new_markdown_cell("Words."))
    nbformat.write(nb, path)
    assert not execute.stale(path)
    nb.cells[2].source += "  # one character more"
    nbformat.write(nb, path)
    assert execute.stale(path)


def test_failing_cell_is_shown_and_nothing_is_written(write):
    path = write(*CELLS[:2], "x = 1 / 0", "print(x)")
    before = path.read_bytes()
    said = execute.execute(path)
    assert "01-sample.ipynb: code cell 3 failed" in said
    assert "x = 1 / 0" in said and "ZeroDivisionError: division by zero" in said and "\x1b" not in said
    assert path.read_bytes() == before
    assert not (path.parent / "_ledger").exists()


def test_notebook_edited_meanwhile_is_left_alone(write):
    path = write(*CELLS[:2], "from pathlib import Path\n\n_ = Path('01-sample.ipynb').write_text('edited')")
    assert "edited while it ran" in execute.execute(path)
    assert path.read_text() == "edited"


def test_cells_that_can_be_run_twice(write):
    path = write(*CELLS)
    execute.execute(path)
    before = path.read_bytes()
    assert repeat.repeat(path) == []
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("names += ['b']\nprint(names)", "code cell 4 shows something else"),
        ("names = names[0]", "code cell 5"),
    ],
)
def test_cells_that_cannot_be_run_twice(write, cell, said):
    path = write(setup_cell(), CELLS[1], "names = ['ab', 'cd']", cell, "print(names)")
    execute.execute(path)
    assert any(said in problem for problem in repeat.repeat(path))


def test_outputs_come_from_the_full_data_only(write, monkeypatch):
    asked = []
    monkeypatch.setattr(execute, "fetch_data", lambda names: asked.extend(names) or 1)
    with pytest.raises(SystemExit, match="full data only"):
        execute.fetch([write(*CELLS, "(x, y), _ = mnist()")])
    assert asked == ["mnist"]


def test_dying_kernel_is_reported(write):
    said = execute.execute(write(*CELLS[:2], "import os\n\nos._exit(3)"))
    assert "code cell 3 failed" in said and "the kernel died" in said


def test_ledger_without_checks_is_removed(write):
    execute.execute(write(*CELLS))
    path = write(*CELLS[:3])
    execute.execute(path)
    assert not (path.parent / "_ledger" / "01-sample.jsonl").exists()


def tree(source):
    return syntax(ast.parse(source))


@pytest.mark.parametrize(
    "same",
    [
        'def f(x):\n    """New words."""\n    return x + 1',
        "def f(x: int) -> int:\n\n    return (x + 1)  # why",
    ],
)
def test_syntax_leaves_out_words_and_annotations(same):
    assert tree(same) == tree('def f(x):\n    """Old words."""\n    return x + 1')


@pytest.mark.parametrize(
    "other",
    ["def f(x):\n    return x + 1.0", "def f(x, y=None):\n    return x + 1", "def f(x):\n    return 1 + x"],
)
def test_syntax_keeps_the_rest(other):
    assert tree(other) != tree("def f(x):\n    return x + 1")


def test_syntax_is_the_same_on_every_python():
    source = "@d\nclass A(B):\n    x: int = 1\n\n    def f(self, *a, k=None):\n        return f'{a!r:>{k}}'"
    assert notebooks.digest(tree(source)) == "6a18182c6616a394"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package: one uses two, three stands alone."""
    folder = tmp_path / "twice"
    folder.mkdir()
    files = {"__init__": "", "one": "from .two import f", "two": "def f():\n    return 2", "three": "x = 3"}
    for name, source in files.items():
        (folder / f"{name}.py").write_text(source)
    monkeypatch.setattr(notebooks, "PACKAGE", folder)
    return folder


@pytest.mark.parametrize(
    ("module", "source", "changes"),
    [
        ("one", "from .two import f\n\nx = 1", True),
        ("two", "def f():\n    return 3", True),
        ("two", 'def f():\n    """Say it."""\n    return 2  # two', False),
        ("three", "x = 4", False),
        ("__init__", "x = 1", True),
    ],
)
@pytest.mark.parametrize("line", ["from twice.one import f", "import twice.one", "from twice import one"])
def test_package_hash_follows_the_imports(package, module, source, changes, line):
    nb = v4.new_notebook(cells=[v4.new_code_cell(setup_cell()), v4.new_code_cell(line)])
    before = package_hash(nb)
    (package / f"{module}.py").write_text(source)
    assert (package_hash(nb) != before) is changes


def test_package_hash_leaves_out_what_is_drawn_without_a_kernel(package):
    cell = v4.new_code_cell("from twice.explore import explore")
    nb = v4.new_notebook(cells=[v4.new_code_cell(setup_cell()), cell])
    before = package_hash(nb)
    (package / "explore.py").write_text("def explore():\n    return 1")
    assert package_hash(nb) == before


def test_code_hash_leaves_out_the_setup_cell():
    first, second = (
        v4.new_notebook(cells=[v4.new_code_cell(s), v4.new_code_cell("f()")]) for s in ("a", "b")
    )
    assert code_hash(first) == code_hash(second)


OLD, NEW = "https://github.com/old-owner/old-name", "https://github.com/New/new-name"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("git clone https://github.com/old-owner/old-name", "git clone https://github.com/New/new-name"),
        ('git+https://github.com/old-owner/old-name"', 'git+https://github.com/New/new-name"'),
        (
            "https://colab.research.google.com/github/old-owner/old-name/blob",
            "https://colab.research.google.com/github/New/new-name/blob",
        ),
        ("<https://old-owner.github.io/old-name>", "<https://new.github.io/new-name>"),
        ("https://github.com/karpathy/micrograd", "https://github.com/karpathy/micrograd"),
    ],
)
def test_every_form_of_the_address_follows(old, new):
    assert address.derived(old, OLD, NEW) == new


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("git clone https://github.com/old-owner/old-name.git", ["old-owner/old-name"]),
        ("%pip install git+https://github.com/old-owner/old-name\\n", ["old-owner/old-name"]),
        ("repository:\n  url: https://github.com/old-owner/old-name\n", ["old-owner/old-name"]),
        ("[Colab](https://colab.research.google.com/github/a/b/blob/main/x.ipynb)", ["a/b"]),
        ("git clone https://github.com/New/new-name", []),
        ("see https://github.com/karpathy/micrograd", []),
    ],
)
def test_a_foreign_address_is_found(text, others):
    assert address.differing(text, NEW) == others


@pytest.mark.parametrize("url", ["https://gitlab.com/a/b", "https://github.com/a", "https://github.com/a/b/"])
def test_an_address_that_colab_cannot_open_is_refused(url):
    with pytest.raises(SystemExit, match="expected https://github.com/OWNER/NAME"):
        address.slug(url)


MOVED = renumber.Renumbering(
    chapters=renumber.moved(5, 2),
    equations={"2.1": "3.1", "3.1": "4.1", "5.1": "2.1", "1.7": "2.2"},
    stems={"02-two": "03-two", "03-three": "04-three", "05-five": "02-five"},
)


def test_chapters_between_two_places_make_room():
    assert renumber.moved(5, 2) == {5: 2, 2: 3, 3: 4, 4: 5}
    assert renumber.moved(2, 5) == {2: 5, 3: 2, 4: 3, 5: 4}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# 2. Two", "# 3. Two"),
        ("$$a = b \\tag{2.1}$$", "$$a = b \\tag{3.1}$$"),
        ("By [(2.1)](02-two.ipynb#eq-2-1) and (3.1)", "By [(3.1)](03-two.ipynb#eq-3-1) and (4.1)"),
        ("(1.7)–(5.1)", "(2.2)–(2.1)"),
        (
            "a number (10.1), a call f(2.1), a pair (2.1, 3.1)",
            "a number (10.1), a call f(2.1), a pair (2.1, 3.1)",
        ),
        ("[chapter 5](05-five.ipynb#an-end)", "[chapter 2](02-five.ipynb#an-end)"),
        ("Chapters 2 and 5, chapters 1, 3 and 4", "Chapters 3 and 2, chapters 1, 4 and 5"),
        ("chapter\n5 of 5, chapter 13, chapter 5.", "chapter\n2 of 5, chapter 13, chapter 2."),
        ("exercise 2.7; exercises 3.1 and 3.2", "exercise 3.7; exercises 4.1 and 4.2"),
        ("Exercise 2.7: not attempted yet", "Exercise 3.7: not attempted yet"),
        ("| `f` | `m` | [2](book/02-two.ipynb) |", "| `f` | `m` | [3](book/03-two.ipynb) |"),
        (
            "2. [Two](02-two.ipynb): words\n3. [Three](03-three.ipynb)",
            "3. [Two](03-two.ipynb): words\n4. [Three](04-three.ipynb)",
        ),
        ("2.5 kg in 5 chapters", "2.5 kg in 5 chapters"),
    ],
)
def test_numbers_follow_their_chapter(old, new):
    assert MOVED.text(old) == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('check("2.3", answer)', 'check("3.3", answer)'),
        ('    "2.3": value(2.3),', '    "3.3": value(2.3),'),
        ('agree("the product (2.1)", x, 2.1)', 'agree("the product (3.1)", x, 2.1)'),
    ],
)
def test_numbers_in_code_follow_their_chapter(old, new):
    assert MOVED.code(old) == new


def test_the_table_of_exercises_stays_in_order():
    rows = [f'    "{n}": "{name}",\n' for n, name in enumerate(("one", "two", "three", "four", "five"), 1)]
    expected = [
        f'    "{n}": "{name}",\n' for n, name in enumerate(("one", "five", "two", "three", "four"), 1)
    ]
    assert (
        MOVED.table("CHAPTERS = {\n" + "".join(rows) + "}\n") == "CHAPTERS = {\n" + "".join(expected) + "}\n"
    )


@pytest.mark.parametrize(
    ("text", "torn"), [("chapters 1 to 3", True), ("chapters 3 to 4", False), ("chapters 6 to 10", False)]
)
def test_ranges_that_a_move_tears_apart_are_told(text, torn):
    renumbering = renumber.Renumbering(chapters=renumber.moved(5, 2))
    renumbering.text(text)
    assert bool(renumbering.torn) is torn


def test_a_chapter_moves_with_its_files(tmp_path, monkeypatch):
    book = tmp_path / "book"
    (book / "_ledger").mkdir(parents=True)
    for module, name, value in (("renumber", "BOOK", book), ("renumber", "LEDGERS", book / "_ledger")):
        monkeypatch.setattr(f"{module}.{name}", value)
    monkeypatch.setattr("renumber.ROOT", tmp_path)
    monkeypatch.setattr("renumber.notebooks", lambda: sorted(book.glob("*.ipynb")))
    for stem in ("01-one", "02-two", "03-three"):
        cells = [v4.new_markdown_cell(f"# {int(stem[:2])}. Title\n\n$$a \\tag{{{int(stem[:2])}.1}}$$")]
        nbformat.write(v4.new_notebook(cells=cells), book / f"{stem}.ipynb")
        (book / "_ledger" / f"{stem}.jsonl").write_text(
            f'{{"notebook": "{stem}", "what": "({int(stem[:2])}.1)"}}\n'
        )
    monkeypatch.setattr("renumber.files", lambda: [*book.glob("*.ipynb"), *book.glob("_ledger/*")])
    assert renumber.main("chapter", "3", "1") == 0
    assert [path.stem for path in sorted(book.glob("*.ipynb"))] == ["01-three", "02-one", "03-two"]
    assert r"\tag{1.1}" in notebooks.read(book / "01-three.ipynb").cells[0].source
    assert (book / "_ledger" / "02-one.jsonl").read_text() == '{"notebook": "02-one", "what": "(2.1)"}\n'


def test_equations_are_numbered_in_the_order_of_their_page(tmp_path, monkeypatch):
    path = tmp_path / "04-four.ipynb"
    cells = [
        v4.new_markdown_cell("$$a \\tag{4.2}$$ as in (4.1)"),
        v4.new_markdown_cell("$$b \\tag{4.1}$$ after (4.2)"),
    ]
    nbformat.write(v4.new_notebook(cells=cells), path)
    monkeypatch.setattr("renumber.files", lambda: [path])
    monkeypatch.setattr("renumber.ROOT", tmp_path)
    monkeypatch.setattr("renumber.LEDGERS", tmp_path)
    renumber.main("equations", str(path))
    assert [cell.source for cell in notebooks.read(path).cells] == [
        "$$a \\tag{4.1}$$ as in (4.2)",
        "$$b \\tag{4.2}$$ after (4.1)",
    ]


def test_a_chapter_that_is_not_there_is_refused():
    with pytest.raises(SystemExit, match="there is no chapter 99"):
        renumber.main("chapter", "99", "1")


def limits(text):
    """Return the first and the last code of ``U+2070-209F``."""
    first, _, last = text.removeprefix("U+").partition("-")
    return int(first, 16), int(last or first, 16)


def test_style_sheet_says_which_letters_each_file_of_a_face_has():
    css = (notebooks.ROOT / "book" / "_static" / "book.css").read_text("utf-8")
    found = re.findall(r"url\(fonts/([\w-]+)\.woff2\)[^}]*?unicode-range: ([^;]*);", css)
    given = [(name, [limits(text) for text in ranges.split(", ")]) for name, ranges in found]
    in_order = [((f"{face}-more", fonts.MORE), (face, fonts.COMMON)) for face in fonts.FACES]
    assert given == [file for pair in in_order for file in pair]  # the later rule counts
