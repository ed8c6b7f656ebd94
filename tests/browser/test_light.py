"""Pages are light: what a first visit loads, what is laid out, and how high a section is before it is.

pytest tests/browser/test_light.py
"""

import gzip
import re
from urllib.parse import urlsplit

import pytest
from builds import pages

CHAPTERS = [name for name in pages() if re.match(r"book/\d", name)]
FIRST_LOAD = 350 * 1024  # bytes, compressed
COMPRESSED = {".css", ".html", ".js", ".svg"}

RECKONED_AND_SEEN = """() => {
  const sections = [...document.querySelectorAll("article section > section[style]")];
  const told = (section) => getComputedStyle(section).containIntrinsicBlockSize.split(" ").at(-1);
  const reckoned = sections.map((section) => parseFloat(told(section)));
  for (const section of sections) section.style.contentVisibility = "visible";
  return sections.map((section, i) => [section.id, reckoned[i], section.getBoundingClientRect().height]);
}"""
LAID_OUT = """() => [...document.querySelectorAll("article section pre")]
    .map((block) => block.checkVisibility({contentVisibilityAuto: true}))"""


@pytest.mark.parametrize("name", CHAPTERS)
def test_first_load_is_light(open_page, book, book_address, name):
    page = open_page(f"{book_address}/index.html")
    loaded = []
    page.on("response", lambda response: loaded.append(urlsplit(response.url).path))
    page.goto(f"{book_address}/{name}.html")
    page.wait_for_load_state("networkidle")
    files = [book / path.lstrip("/") for path in dict.fromkeys(loaded)]
    sizes = {
        file.name: len(gzip.compress(file.read_bytes())) if file.suffix in COMPRESSED else file.stat().st_size
        for file in files
    }
    assert sum(sizes.values()) <= FIRST_LOAD, sizes


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize(
    "name", ["book/01-neuron", "book/09-convolution", "book/notation", "book/references"]
)
def test_sections_are_about_as_high_as_reckoned(open_page, book_address, name, width):
    page = open_page(f"{book_address}/{name}.html", width=width)
    sections = page.evaluate(RECKONED_AND_SEEN)
    reckoned, seen = (sum(heights) for heights in list(zip(*sections, strict=True))[1:])
    assert seen > 2000
    assert reckoned == pytest.approx(seen, rel=0.2), sections


def test_only_what_is_near_is_laid_out(open_page, book_address):
    page = open_page(f"{book_address}/book/05-backpropagation.html")
    laid_out = page.evaluate(LAID_OUT)
    assert any(laid_out) and sum(laid_out) < len(laid_out) / 4


@pytest.mark.parametrize("place", ["eq-5-20", "exercises", "twice-Value"])
def test_link_into_a_page_lands(open_page, book_address, place):
    page = open_page(f"{book_address}/book/05-backpropagation.html#{place}")
    page.wait_for_function(
        """(place) => {
          const {top} = document.getElementById(place).getBoundingClientRect();
          return top >= 0 && top < innerHeight / 2;
        }""",
        arg=place,
    )


def test_section_one_is_in_is_marked(open_page, book_address):
    page = open_page(f"{book_address}/book/05-backpropagation.html#exercises")
    here = page.locator(".on-this-page [aria-current]")
    page.wait_for_function("document.querySelector('.on-this-page [aria-current]')?.hash === '#exercises'")
    assert here.count() == 1


def test_faces_of_the_first_lines_are_asked_for_at_once(open_page, book_address):
    page = open_page(f"{book_address}/book/01-neuron.html")
    asked = page.evaluate("[...document.querySelectorAll('link[rel=preload]')].map((link) => link.href)")
    assert {url.rpartition("/")[2] for url in asked} == {"twice-serif.woff2", "twice-sans.woff2"}
    used = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert all(used.count(url) == 1 for url in asked)


def test_code_has_an_element_for_each_colour_only(open_page, book_address):
    page = open_page(f"{book_address}/book/05-backpropagation.html")
    classes = page.evaluate(
        "[...new Set([...document.querySelectorAll('.highlight span')].map((span) => span.className))]"
    )
    assert set(classes) <= {"c1", "k", "m", "s", "nf", "nd", "gi", "gd"}


def test_figures_are_files_that_pages_share(book):
    for page in book.glob("book/*.html"):
        assert "srcdoc=" not in page.read_text("utf-8")
    assert len(list(book.glob("_static/figures/*.html"))) > 20
