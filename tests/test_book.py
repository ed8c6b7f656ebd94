"""The book keeps its own rules: each notebook those of tools/rules.py, and the whole the ones below."""

import ast

import address
import pytest
import yaml
from notebooks import BOOK, LEDGERS, PACKAGE, ROOT, notebooks
from reading import Page, anchors, broken_links, own_lines, parse_file
from rules import CLASS_LINES, LINES, RULES, homes_of_names, teaching

PAGES = {path.stem: Page.load(path) for path in notebooks()}
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(BOOK.glob("*.md"))]


@pytest.mark.parametrize("stem", PAGES)
@pytest.mark.parametrize("name", RULES)
def test_notebook_keeps_the_rule(name, stem):
    if problems := list(RULES[name](PAGES[stem])):
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_links_of_a_page_lead_somewhere(path):
    tokens = parse_file(path)
    assert list(broken_links(tokens, path, anchors(tokens))) == []


def test_every_taught_name_has_its_row():
    homes, taught = homes_of_names(), teaching()
    missing = [
        f"| `{name}` | `{module}` | [N](book/NN-name.ipynb) |"
        for name, (module, _) in taught.items()
        if name not in homes
    ]
    assert not missing, "CONTRIBUTING.md lacks the rows\n" + "\n".join(missing)
    assert not set(homes) - set(taught), "CONTRIBUTING.md has rows for names that the package does not have"


@pytest.mark.parametrize("home", sorted(set(homes_of_names().values())))
def test_rows_name_chapters(home):
    assert home in PAGES, f"CONTRIBUTING.md names the chapter {home}, which is not there"


@pytest.mark.parametrize("module", sorted({module for module, _ in teaching().values()}))
def test_taught_definitions_are_short(module):
    source = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    lengths = {node.name: own_lines(node, source) for node in nodes}
    classes = [node.name for node in nodes if isinstance(node, ast.ClassDef)]
    long = {name: lines for name, lines in lengths.items() if lines > LINES}
    assert all(name in classes and lines <= CLASS_LINES for name, lines in long.items()), f"split {long}"


def test_contents_name_every_page_in_order():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    listed = [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]
    pages = {f"book/{path.stem}" for path in [*BOOK.glob("*.md"), *notebooks()]}
    chapters = [name for name in listed if name.removeprefix("book/")[:2].isdigit()]
    assert set(listed) == pages, "_toc.yml and book/ hold different pages"
    assert chapters == sorted(chapters), "_toc.yml: chapters stand in the order of their numbers"


def test_every_ledger_has_its_notebook():
    assert {path.stem for path in LEDGERS.glob("*.jsonl")} <= set(PAGES)


def test_address_is_the_same_everywhere():
    own = {
        path: address.differing(path.read_text(encoding="utf-8"), address.address())
        for path in address.files()
    }
    assert address.published() == address.address(), "_config.yml: `make address`"
    assert not {path.name: others for path, others in own.items() if others}, "`make address`"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"git clone {address.address()} " in readme
    assert address.pages(address.address()) in readme
