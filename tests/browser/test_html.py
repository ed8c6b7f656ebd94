"""The HTML of the built book: whole, linked, self-contained, and its mathematics right.

pytest tests/browser/test_html.py
"""

import re
from copy import copy
from functools import cache
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from builds import build, built, pages, write_specimen
from nbformat.v4 import new_markdown_cell
from notebooks import ROOT, address
from specimen import SPECIMEN

from twice.explore import places

NOTEBOOKS = [name for name in pages() if (ROOT / f"{name}.ipynb").exists()]
RAW_MATHEMATICS = re.compile(r"\$[^$\n]+\$|\\\(|\\\[|\\begin\{|\\(?:frac|sum|hat|tag)\b")
LOADED = {"katex.min.css", "book.css", "print.css", "book.js", "previews.js", "keys.js", "pictures.js"}
SEARCH = {"index.js", "search-index.js", "search.js"}


def soup(folder, name):
    return parsed(folder / f"{name}.html")


@cache
def parsed(path):
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@pytest.fixture
def chapter(specimen):
    """Return the parsed page of the specimen."""
    return soup(specimen, "book/07-specimen")


# ---------- the book ----------


def test_page_that_one_opens_leads_to_the_first(book):
    page = soup(book, "index")
    assert page.html["lang"] == "en" and page.title.text
    assert (book / page.a["href"]).is_file()
    assert page.a["href"] in page.find("meta", {"http-equiv": "refresh"})["content"]


@pytest.mark.parametrize("name", pages())
def test_page_says_what_it_is(book, name):
    page = soup(book, name)
    assert page.html["lang"] == "en"
    assert page.title.text.endswith("Deep Learning, Twice")
    assert 20 <= len(page.find("meta", {"name": "description"})["content"]) <= 160
    assert len(page.find_all("h1")) == 1


@pytest.mark.parametrize("name", pages())
def test_page_loads_only_what_the_theme_names(book, name):
    page = soup(book, name)
    loaded = [tag.get("href") or tag["src"] for tag in page.select("link[rel=stylesheet], script[src]")]
    assert all(not urlsplit(url).netloc for url in loaded)
    names = {url.split("/")[-1] for url in loaded}
    assert names <= LOADED | (SEARCH if name == "search" else set())
    assert ("katex.min.css" in names) == bool(page.select(".math"))
    assert ("pictures.js" in names) == bool(page.select(".picture"))


def targets(page):
    """Yield what a page points at: links, scripts, styles, pictures."""
    for attribute in ("href", "src"):
        for tag in page.find_all(attrs={attribute: True}):
            yield tag[attribute]


@pytest.mark.parametrize("name", pages())
def test_internal_links_and_files_exist(book, name):
    ids = {}
    for target in targets(soup(book, name)):
        url = urlsplit(target)
        if url.scheme or url.netloc:
            continue
        here = (book / f"{name}.html").resolve()
        path = (here.parent / unquote(url.path)).resolve() if url.path else here
        assert path.is_file(), f"{name}: {target} leads nowhere"
        if url.fragment:
            ids[path] = ids.get(path) or fragments(parsed(path))
            place = unquote(url.fragment).partition("?")[0]
            assert place in ids[path], f"{name}: {target} has no such place"


def fragments(page):
    """Return what the address of a place in a page may end in."""
    figures = [tag["data-figure"] for tag in page.select("[data-figure]")]
    return {tag["id"] for tag in page.select("[id]")} | set(places(figures))


def test_files_that_styles_ask_for_exist(book):
    for sheet in (book / "_static" / "book.css", book / "_static" / "katex" / "katex.min.css"):
        urls = re.findall(r"url\(([^)]+)\)", sheet.read_text("utf-8"))
        assert urls
        assert [url for url in urls if not (sheet.parent / url).is_file()] == []


@pytest.mark.parametrize("name", pages())
def test_all_mathematics_is_rendered(book, name):
    check_mathematics(soup(book, name))


def check_mathematics(page):
    for formula in page.select(".math"):
        assert formula.select_one(".katex-html[aria-hidden=true]") and formula.find("math"), formula
    assert page.select(".katex-error") == []
    page = copy(page)
    for hidden in page.select(".math, code, pre, script, title"):
        hidden.decompose()
    assert RAW_MATHEMATICS.findall(page.text) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_equation_numbers_are_unique_in_order_and_of_this_chapter(book, name):
    check_numbers(soup(book, name), name)


def check_numbers(page, name):
    tags = [tag.text.strip("()​") for tag in page.select(".katex-tag")]
    ids = [tag.find_parent(class_="math")["id"] for tag in page.select(".katex-tag")]
    assert ids == ["eq-" + tag.replace(".", "-") for tag in tags]
    if chapter := re.match(r"book/(\d+)-", name):
        assert tags == [f"{int(chapter[1])}.{n}" for n in range(1, len(tags) + 1)]
    else:
        assert tags == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_can_be_downloaded_and_opened_in_colab(book, name):
    page = soup(book, name)
    file = (book / name).parent / page.select_one(".tools a[download]")["href"]
    assert file.read_bytes() == (book.parents[1] / f"{name}.ipynb").read_bytes()
    repository = address().removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{repository}/blob/main/{name}.ipynb"
    assert page.select_one(".tools a")["href"] == colab


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_pictures_have_a_text_and_a_size(book, name):
    for picture in soup(book, name).select("article img"):
        assert len(picture["alt"]) > 20 and "_images" not in picture["alt"]
        assert int(picture["width"]) > 0 and int(picture["height"]) > 0


# ---------- the constructs ----------


def test_tags_become_places_that_links_find(specimen, chapter):
    assert chapter.select_one("#eq-7-1 .katex-tag").text == "(7.1)"
    hrefs = [link["href"] for link in chapter.select("article a.reference")]
    assert hrefs == ["#eq-7-1", "index.html", "#eq-7-2", "#eq-7-1"]
    assert soup(specimen, "book/index").select_one("article a.reference")["href"] == "07-specimen.html#eq-7-2"


def test_mathematics_stands_everywhere(chapter):
    assert chapter.select_one("#eq-7-1 mtable") and "split" not in str(chapter.select_one("#eq-7-1"))
    places = [
        "p span.display",
        "td .math",
        ".caption .math",
        ".note .math",
        ".cell_output .display",
        "details .math",
    ]
    assert [place for place in places if not chapter.select_one(place)] == []
    check_numbers(chapter, "book/07-specimen")
    check_mathematics(chapter)


def test_displayed_formulas_may_break_before_relations(chapter):
    bases = [base.text for base in chapter.select("#eq-7-2 .katex-base")]
    assert len(bases) == 7 and all(base.startswith("=") for base in bases[1:])
    assert len(chapter.select("#eq-7-3 .katex-base")) == 1


def test_formula_holds_what_follows_it(chapter):
    assert [hold.contents[-1] for hold in chapter.select(".hold")] == [",", "-th", ".", ":"]
    assert chapter.select(".hold")[0].find_parent("p").text.endswith("-th word.")


def test_what_is_not_attempted_is_no_output(chapter):
    stub, solved = (cell for cell in chapter.select(".cell") if "check(" in cell.text)
    assert stub.select(".cell_output") == [] and "check" in stub.select_one(".cell_input").text
    assert "half of it" in solved.select_one(".cell_output").text


@pytest.mark.parametrize("name", pages())
def test_what_folds_is_named_by_what_one_sees(book, name):
    page = soup(book, name)
    assert [summary for summary in page.select("summary") if not summary.text.strip()] == []
    assert page.select("summary[aria-label]") == []
    assert "not attempted yet" not in "".join(output.text for output in page.select(".cell_output"))


def test_folded_code_is_named(chapter):
    summary = next(box.summary for box in chapter.select("details") if "folded = 1" in box.text)
    assert summary.text == "Code" and not summary.has_attr("aria-label")


def test_captions_and_notes_are_marked(chapter):
    captions = [caption.text for caption in chapter.select("p.caption")]
    assert len(captions) == 2
    assert captions[0].startswith("The first figure") and captions[1] == "An interactive figure."
    assert [note.text.split()[0] for note in chapter.select("blockquote.note")] == ["Note."]
    assert len(chapter.select("blockquote")) == 2


def test_checks_are_coloured(chapter):
    assert [mark.text for mark in chapter.select(".cell_output .gi")] == ["✓"]
    assert [mark.text for mark in chapter.select(".cell_output .gd")] == ["✗"]


def test_pictures_are_as_large_as_they_were_drawn(chapter):
    sizes = [(picture["width"], picture["height"]) for picture in chapter.select("article img")]
    assert sizes == [("672", "336"), ("672", "336"), ("288", "192")]
    assert chapter.img["alt"] == "Two curves beside a heat map." and chapter.img["loading"] == "lazy"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (r"$\nosuchcommand x$", r"Undefined control sequence: \nosuchcommand"),
        ("$$a = b \\tag{7.2}$$", "two equations have the number 7.2"),
        ("[(7.9)](#eq-7-9)", "eq-7-9"),
        ("[(7.9)](07-specimen.ipynb#eq-7-9)", "eq-7-9"),
        ("$$a = b$$ (label)", "not with labels"),
        ("[there](#figure-neuron?w1=1)", "07-specimen has no figure-neuron"),
        ("[there](07-specimen.ipynb#figure-neuron?w3=1)", "there is no state 'w3'"),
    ],
)
def test_mistake_fails_the_build(tmp_path, text, message):
    process = build(write_specimen(tmp_path, [*SPECIMEN, new_markdown_cell(text)]))
    assert process.returncode != 0
    assert message in process.stderr


@pytest.mark.parametrize(
    "broken",
    [
        r"<p>a $x$ left</p>",
        r"<p>\frac{1}{2}</p>",
        '<div class="math"></div>',
        '<div class="math"><span class="katex-html" aria-hidden="true"></span></div>',
    ],
)
def test_check_of_mathematics_can_fail(broken):
    with pytest.raises(AssertionError):
        check_mathematics(BeautifulSoup(broken, "html.parser"))


@pytest.mark.parametrize("tags", [["7.1", "7.3"], ["7.2", "7.1"], ["7.1", "7.1"], ["6.1"]])
def test_check_of_numbers_can_fail(tags):
    equation = '<div class="math" id="eq-{}"><span class="katex-tag">({})</span></div>'
    page = "".join(equation.format(tag.replace(".", "-"), tag) for tag in tags)
    with pytest.raises(AssertionError):
        check_numbers(BeautifulSoup(page, "html.parser"), "book/07-specimen")


def test_second_build_renews_only_what_changed(tmp_path):
    folder = write_specimen(tmp_path)
    html = built(folder)
    page, index = html / "book" / "07-specimen.html", folder / "book" / "index.md"
    before = page.read_text("utf-8"), page.stat().st_mtime_ns
    index.write_text(index.read_text("utf-8") + "\nA sentence more, with $x$.\n", "utf-8")
    built(folder)
    assert (page.read_text("utf-8"), page.stat().st_mtime_ns) == before
    assert "A sentence more" in (html / "book" / "index.html").read_text("utf-8")
    assert (html / "_static" / "katex" / "katex.min.css").is_file()
