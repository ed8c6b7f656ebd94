"""The book on paper: what `tools/pdf.py` makes of the built pages.

pytest tests/browser/test_paper.py
"""

import io
import re

import pytest
from browser import serve
from pdf import WIDTH, assembled, pages_of_the_book, sheets, whole_book
from pypdf import PdfReader

NAMES = ["book/01-neuron", "book/notation"]


@pytest.fixture(scope="module")
def pdf(chromium, book):
    """Return the printed chapter 1 and the table of symbols."""
    with serve(book) as address:
        return whole_book(chromium, address, NAMES)


@pytest.fixture(scope="module")
def texts(pdf):
    """Return the text of each sheet, runs of blanks as one."""
    return [" ".join(sheet.extract_text().split()) for sheet in PdfReader(io.BytesIO(pdf)).pages]


def test_begins_with_title_and_contents(texts):
    assert texts[0].startswith("Deep Learning, Twice")
    assert "Contents 1. The neuron 3" in texts[1]


def test_contents_say_where_each_heading_stands(pdf, texts):
    places = sheets(pdf)
    headings = {name: sheet for name, sheet in places.items() if name.endswith(("--title", "--heading"))}
    assert len(headings) > 10
    for name, sheet in headings.items():
        words = name.split("--")[-2].replace("-", " ")
        if name.endswith("--heading"):
            assert words.split()[0] in re.sub(r"\W+", " ", texts[sheet - 1]).lower(), name
            assert re.search(rf"\b{sheet}\b", texts[1]), name


def test_sheets_carry_their_number_and_chapter(texts):
    heads = [re.match(r"(1\. The neuron |Notation )?(\d+) ", text).groups() for text in texts[1:]]
    assert [int(number) for _, number in heads] == list(range(2, len(texts) + 1))
    assert list(dict.fromkeys(head for head, _ in heads)) == [None, "1. The neuron ", "Notation "]


def test_bookmarks_follow_the_headings(pdf):
    titles = [mark.title for mark in PdfReader(io.BytesIO(pdf)).outline if not isinstance(mark, list)]
    assert any("The neuron" in title for title in titles), titles


def test_answers_stand_at_the_end_of_their_chapter(texts):
    whole = " ".join(texts)
    head, _, tail = whole.rpartition("Solutions and answers")
    exercise = head.index("Exercise 1.1", head.index("The check under each exercise"))
    assert "at the end of the chapter." in head[exercise : exercise + 900]
    assert "Exercise 1.1" in tail


def test_nothing_is_wider_than_the_sheet(chromium, book_address):
    page = assembled(
        chromium, book_address, ["book/01-neuron", "book/05-backpropagation", "book/09-convolution"]
    )
    too_wide = page.evaluate(
        """(width) => [...document.querySelectorAll("article :is(p, pre, img, table, .katex-html)")]
            .filter((part) => part.getBoundingClientRect().right > width + 1)
            .map((part) => part.textContent.slice(0, 60))""",
        WIDTH,
    )
    assert too_wide == []


def test_links_within_the_book_lead_to_places_in_it(chromium, book_address):
    page = assembled(chromium, book_address, pages_of_the_book())
    lost = page.evaluate(
        """() => [...document.querySelectorAll('a[href^="#"]')]
            .map((link) => decodeURIComponent(link.hash.slice(1)))
            .filter((id) => !document.getElementById(id))"""
    )
    assert lost == []
