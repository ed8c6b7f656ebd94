"""What the published book tells the world, and how one moves from page to page.

pytest tests/browser/test_publishing.py
"""

import re
from xml.etree import ElementTree

import pytest
from accessible import assert_accessible
from builds import pages
from notebooks import ROOT, address
from PIL import Image
from playwright.sync_api import expect
from test_html import soup

OWNER, NAME = address().split("/")[-2:]
HOME = f"https://{OWNER.lower()}.github.io/{NAME}/"
CHAPTERS = pages()[:-1]  # without the search
SECOND, THIRD, FOURTH = (
    f"book/{name}.html"
    for name in ("02-linear-regression", "03-logistic-regression", "04-forward-propagation")
)


@pytest.mark.parametrize("name", CHAPTERS)
def test_page_tells_its_address_and_its_card(book, name):
    page = soup(book, name)
    assert page.find("link", rel="canonical")["href"] == f"{HOME}{name}.html"
    told = {tag["property"]: tag["content"] for tag in page.select("meta[property^='og:']")}
    assert told["og:url"] == f"{HOME}{name}.html"
    assert told["og:title"] and told["og:description"] and told["og:site_name"] == "Deep Learning, Twice"
    card = book / told["og:image"].removeprefix(HOME)
    with Image.open(card) as picture:
        assert picture.size == (1200, 630)


def test_search_page_is_not_for_search_engines(book):
    for name in ("search", "404"):
        page = soup(book, name)
        assert page.find("meta", {"name": "robots"})["content"] == "noindex"
        assert not page.find("link", rel="canonical")


def test_map_lists_every_page(book):
    urls = ElementTree.parse(book / "sitemap.xml").getroot().findall(".//{*}loc")
    assert {url.text for url in urls} == {f"{HOME}{name}.html" for name in CHAPTERS}


@pytest.mark.parametrize("name", CHAPTERS)
def test_page_can_be_edited(book, name):
    links = {link.text: link["href"] for link in soup(book, name).select("footer a")}
    source = next(path for path in ROOT.glob(f"{name}.*") if path.suffix in (".md", ".ipynb"))
    assert links["Edit this page"].endswith(f"/main/{name}{source.suffix}")
    assert links["Its history"] == f"{address()}/commits/main/{name}{source.suffix}"


def test_missing_page_works_at_any_depth(book):
    page = soup(book, "404")
    assert page.base["href"] == f"/{NAME}/"
    base = page.head.find("base")
    assert not [tag for tag in base.find_all_previous() if tag.get("href") or tag.get("src")]
    assert (book / page.select_one("article a")["href"]).is_file()
    assert page.select_one(".skip")["href"] == "404.html#text"


def test_book_can_be_cited(open_page, book_address):
    page = open_page(f"{book_address}/{THIRD}", width=390)
    page.get_by_role("button", name="Cite this book").click()
    box = page.get_by_role("dialog", name="Cite this book")
    expect(box).to_contain_text("title = {Deep Learning, Twice}")
    assert re.search(r"year = \{\d{4}\},\s+url = \{" + HOME, box.inner_text())
    assert_accessible(page, "#cite")
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()


def test_arrows_turn_pages(open_page, book_address):
    page = open_page(f"{book_address}/{THIRD}")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**/{FOURTH}")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{THIRD}")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**/{SECOND}")


@pytest.mark.parametrize("place", [".bar input", "article pre", ".explorable iframe"])
def test_arrows_stay_where_they_have_work(open_page, specimen_address, place):
    page = open_page(f"{specimen_address}/book/07-specimen.html", width=700 if "input" not in place else 1280)
    element = page.locator(place).last
    element.evaluate("(element) => { if (element.matches('pre')) element.tabIndex = 0; element.focus(); }")
    expect(element).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Alt+x")
    page.wait_for_timeout(200)
    assert page.url.endswith("book/07-specimen.html")
