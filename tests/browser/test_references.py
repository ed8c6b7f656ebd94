"""References in the built book: what the text names is a link, and shows beforehand what it leads to.

pytest tests/browser/test_references.py
"""

import json
import re
from copy import copy

import pytest
from accessible import assert_accessible
from bs4 import BeautifulSoup
from builds import build, pages, write_specimen
from nbformat.v4 import new_markdown_cell
from notebooks import BOOK, ROOT
from playwright.sync_api import expect
from specimen import SPECIMEN
from test_html import soup

CHAPTERS = [name for name in pages() if (ROOT / f"{name}.ipynb").exists()]
EQUATION = re.compile(r"\(\d+\.\d+\)")
FIRST_AUTHORS = re.compile(r"author = \{([^,}]*)")
NO_LINKS = "a, .math, pre, code, script, summary, h1, h2, h3, h4"  # where no link is looked for
FIFTH, THIRD = "book/05-backpropagation.html", "book/03-logistic-regression.html"


@pytest.fixture(scope="session")
def numbers(book):
    """Return the numbers of all equations, as the text names them."""
    return {tag.text.strip("​") for name in CHAPTERS for tag in soup(book, name).select(".katex-tag")}


def surnames():
    """Return a pattern of the first authors in the bibliography."""
    names = FIRST_AUTHORS.findall((BOOK / "references.bib").read_text("utf-8"))
    return "|".join(sorted({re.escape(name) for name in names if "\\" not in name}))


def not_linked(page, numbers):
    """Return what a page's text refers to without a link."""
    article = copy(page.article)
    for element in article.select(NO_LINKS):
        element.replace_with("…")
    named = [number for number in EQUATION.findall(article.text) if number in numbers]
    cited = re.findall(rf"\b(?:{surnames()})(?: and others)?,? \(?(?:18|19|20)\d\d\b", article.text)
    return named + cited


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_equation_and_paper_in_the_text_is_a_link(book, numbers, name):
    assert not_linked(soup(book, name), numbers) == []


@pytest.mark.parametrize("text", ["by (3.1)", "as Cauchy (1847) says", "(Kingma and others, 2015)"])
def test_rule_finds_what_is_not_a_link(text):
    page = BeautifulSoup(f"<article><p>{text}</p></article>", "html.parser")
    assert len(not_linked(page, {"(3.1)"})) == 1


def test_equation_links_show_the_number_they_lead_to(book):
    for name in CHAPTERS:
        for link in soup(book, name).select("a.equation"):
            assert link["href"].endswith("#eq-" + link.text.strip("()").replace(".", "-"))


def test_citations_lead_to_the_paper(book):
    references = soup(book, "book/references")
    links = [link for name in CHAPTERS for link in soup(book, name).select("a.citation")]
    assert len(links) > 250
    for link in links:
        paper = references.find(id=link["href"].partition("#")[2]).text
        year = re.search(r"\d{4}", link.text)[0]
        last = re.findall(r"[^\W\d_]{2,}", re.sub("and others|et al", "", link.text).partition(year)[0])[-1]
        assert year in paper and last in paper, link


def test_terms_and_names_lead_to_their_places(book):
    terms, names = 0, 0
    for name in CHAPTERS:
        seen = [
            link["href"]
            for section in soup(book, name).select("article > section > section")
            for link in section.select("a.term")
        ]
        terms += len(seen)
        for link in soup(book, name).select("a.name"):
            path, _, place = link["href"].partition("#")
            cell = soup(book, f"book/{path[:-5]}" if path else name).find(id=place)
            cell = (
                cell.find_parent(class_="cell") or cell
            )  # of several names, all but one have an anchor in it
            assert re.search(rf"(?:def|class) {place[6:]}\b|^{place[6:]} =", cell.text, re.MULTILINE)
            names += 1
    assert terms > 500 and names > 40


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_term_is_linked_once_in_a_section(book, name):
    for section in soup(book, name).select("article > section > section"):
        links = [link["href"] for link in section.select("a.term")]
        assert len(links) == len(set(links))


def test_equations_in_comments_are_links(book):
    assert soup(book, "book/09-convolution").select_one("pre a.equation[href='#eq-9-8']")


def test_every_reference_has_its_preview(book):
    for name in pages():
        for link in soup(book, name).select("article a[href]"):
            path, _, place = link["href"].partition("#")
            if re.match("(eq|cite|term|twice)-", place):
                page = (book / f"{name}.html").parent / path if path else book / f"{name}.html"
                key = f"{page.resolve().relative_to(book.resolve()).with_suffix('')}/{place}"
                script = (book / "_static" / "previews" / f"{key}.js").read_text("utf-8")
                told, html = json.loads(f"[{script.partition('(')[2].rpartition(')')[0]}]")
                assert told == key and BeautifulSoup(html, "html.parser").text.strip()
                assert not re.search(r"<a\b", html) and " id=" not in html


def test_reference_to_no_equation_fails_the_build(tmp_path):
    process = build(write_specimen(tmp_path, [*SPECIMEN, new_markdown_cell("It follows from (7.9).")]))
    assert process.returncode != 0
    assert "there is no equation (7.9)" in process.stderr


# ---------- what a reader sees ----------


def preview(page):
    return page.locator("#preview")


def wait_until_shown(page):
    page.wait_for_function("document.querySelector('#preview:popover-open')")


def wait_until_hidden(page):
    page.wait_for_function("!document.querySelector('#preview:popover-open')")


def seen(page, selector):
    """Return the first link of a kind, in view, after the figures near it have taken their heights."""
    link, before = page.locator(f"article {selector}:visible").first, None
    for _ in range(20):
        link.scroll_into_view_if_needed()
        if (box := link.bounding_box()) == before:
            return link
        before = box
        page.wait_for_timeout(500)
    return pytest.fail("the page does not come to rest")


@pytest.mark.parametrize(
    ("path", "selector", "text"),
    [
        (FIFTH, "a.equation[href*='03-']", "(3.21)"),
        (FIFTH, "a.citation", "."),
        (FIFTH, "a.term", "."),
        (FIFTH, "a.name", "twice."),
    ],
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hover_shows_and_leaving_hides(open_page, book_address, path, selector, text, theme):
    page = open_page(f"{book_address}/{path}", theme=theme)
    link = seen(page, selector)
    link.hover()
    wait_until_shown(page)
    expect(preview(page)).to_contain_text(text)
    box, bar = preview(page).bounding_box(), link.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 1280
    assert box["y"] >= bar["y"] + bar["height"] - 40 or box["y"] + box["height"] <= bar["y"] + 1
    page.evaluate(
        "document.querySelectorAll('.katex-html').forEach((seen) => (seen.textContent = seen.textContent))"
    )
    assert_accessible(page, "#preview")
    page.mouse.move(5, 5)
    wait_until_hidden(page)


def test_the_pointer_may_enter_the_preview(open_page, book_address):
    page = open_page(f"{book_address}/{FIFTH}")
    seen(page, "a.citation").hover()
    preview(page).hover()
    page.wait_for_timeout(500)
    wait_until_shown(page)


def test_focus_shows_and_escape_hides(open_page, book_address):
    page = open_page(f"{book_address}/{THIRD}", reduced_motion="reduce")
    link = page.locator("article a.equation:visible").first
    link.evaluate("(link) => link.focus({focusVisible: true})")
    wait_until_shown(page)
    expect(link).to_have_attribute("aria-describedby", "preview")
    assert preview(page).evaluate("(box) => getComputedStyle(box).transitionDuration") == "0s"
    page.keyboard.press("Escape")
    wait_until_hidden(page)
    expect(link).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    wait_until_shown(page)


def test_long_press_shows_and_a_tap_elsewhere_hides(open_page, book_address):
    page = open_page(f"{book_address}/{THIRD}", width=390, has_touch=True)
    link = seen(page, "a.equation")
    x, y, width, height = link.bounding_box().values()
    touch = page.context.new_cdp_session(page)
    point = {"x": x + width / 2, "y": y + height / 2}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    wait_until_shown(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(300)
    wait_until_shown(page)
    assert "#eq" not in page.url
    box = preview(page).bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    page.touchscreen.tap(4, 300)
    wait_until_hidden(page)
    link.tap()
    page.wait_for_url("**#eq-*")


def test_previews_work_from_the_disk(open_page, book):
    page = open_page((book / FIFTH).as_uri())
    seen(page, "a.equation[href*='03-']").hover()
    wait_until_shown(page)
    expect(preview(page)).to_contain_text("(3.21)")


def test_page_loads_no_preview_before_one_is_wanted(book):
    assert "previews/" not in (book / FIFTH).read_text("utf-8")
