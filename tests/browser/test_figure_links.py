"""What the page does for its figures: their state stands in the address, and they get the book's typefaces.

pytest tests/browser/test_figure_links.py
"""

import math
import re

import pytest
from playwright.sync_api import expect

PAGE = "book/05-backpropagation.html"
LINK = "#figure-backpropagation?graph=skip&x=-0.5&stage=3"


@pytest.fixture
def open_chapter(open_page, book_address):
    """Return a function that opens the chapter at a place, and finds the figure's parts in it."""

    def open_chapter(place="", **options):
        page = open_page(f"{book_address}/{PAGE}{place}", **options)
        return page, page.frame_locator("[data-figure=backpropagation] iframe")

    return open_chapter


def test_a_link_opens_a_figure_in_its_state(open_chapter):
    page, figure = open_chapter(LINK)
    expect(figure.get_by_role("radio", name="x used twice")).to_be_checked()
    expect(figure.get_by_label("x, exact value")).to_have_value("-0.5")
    expect(page.locator("[data-figure=backpropagation]")).to_be_in_viewport()


def test_a_link_on_the_page_sets_all_of_the_state(open_chapter):
    page, figure = open_chapter(LINK)
    expect(figure.get_by_label("x, exact value")).to_have_value("-0.5")
    page.evaluate("location.hash = '#figure-backpropagation?x=1'")
    expect(figure.get_by_label("x, exact value")).to_have_value("1")
    expect(figure.get_by_role("radio", name="two layers")).to_be_checked()  # as in the chapter
    page.go_back()
    expect(figure.get_by_label("x, exact value")).to_have_value("-0.5")
    expect(figure.get_by_role("radio", name="x used twice")).to_be_checked()


def test_a_link_in_the_text_leads_there_each_time(open_chapter):
    page, figure = open_chapter()
    link = page.get_by_role("link", name="x used twice")
    for _ in range(2):
        link.click()
        expect(page.locator("[data-figure=backpropagation]")).to_be_in_viewport()
        expect(figure.get_by_role("radio", name="x used twice")).to_be_checked()
        expect(page).to_have_url(re.compile(r"#figure-backpropagation\?graph=skip$"))
        link.scroll_into_view_if_needed()
        page.evaluate("scrollTo(0, 0)")
        expect(page.locator("[data-figure=backpropagation]")).not_to_be_in_viewport()


def test_what_a_reader_sets_stands_in_the_address_and_survives_a_reload(open_chapter):
    page, figure = open_chapter("#figure-backpropagation")
    figure.get_by_role("radio", name="one neuron").check()
    figure.get_by_label("x, exact value").fill("0.7")
    expect(page).to_have_url(re.compile(r"#figure-backpropagation\?graph=neuron&x=0\.7$"))
    page.reload()
    expect(figure.get_by_label("x, exact value")).to_have_value("0.7")
    expect(figure.get_by_role("radio", name="one neuron")).to_be_checked()
    figure.get_by_role("button", name="Reset").click()
    expect(figure.get_by_label("x, exact value")).to_have_value("2")  # as in the chapter
    expect(page).to_have_url(re.compile("#figure-backpropagation$"))


def test_a_link_can_be_copied(open_chapter):
    page, figure = open_chapter(permissions=["clipboard-read", "clipboard-write"])
    page.locator("[data-figure=backpropagation]").scroll_into_view_if_needed()
    figure.get_by_label("w₁, exact value").fill("-2")
    expect(page).to_have_url(re.compile("w1=-2$"))
    place = page.locator("[data-figure=backpropagation]")
    place.get_by_role("button", name="Copy link").click()
    expect(place.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


@pytest.mark.parametrize(
    "place", ["#figure-unknown?x=1", "#figure-backpropagation?x=much&y=[1]&stage=1e9", "#%"]
)
def test_what_an_address_should_not_say_is_left_out(open_chapter, place):
    page, figure = open_chapter(place)
    page.locator("[data-figure=backpropagation]").scroll_into_view_if_needed()
    expect(figure.get_by_label("x, exact value")).to_have_value("2")  # as in the chapter


# The families of a frame's faces, at once or when there are so many, which takes no ten seconds.
# (The rules of the frame forbid Playwright's waiting.)
LOADED = "() => [...document.fonts].filter(({ status }) => status === 'loaded').map(({ family }) => family)"
WORN = f"""(count) => new Promise((done) => {{
  const end = performance.now() + 10_000;
  const isEnough = () => ({LOADED})().length === count || performance.now() > end;
  const look = () => (isEnough() ? done(({LOADED})()) : requestAnimationFrame(look));
  look();
}})"""


def test_figures_and_questions_wear_the_book_s_faces(open_chapter):
    page, _ = open_chapter()
    # of the two files of each face a figure gets the one with the letters
    with_letters = "({ family, unicodeRange }) => /Twice/.test(family) && unicodeRange.startsWith('U+20-')"
    count = page.evaluate(f"[...document.fonts].filter({with_letters}).length")
    assert count == 4
    for name in ("backpropagation", "practice"):
        frame = page.locator(f"[data-figure={name}] iframe").first
        frame.scroll_into_view_if_needed()
        inside = frame.element_handle().content_frame()
        inside.wait_for_selector("main section")
        worn = inside.evaluate(WORN, count)
        assert len(worn) == count and {"Twice Sans", "Twice Serif"} <= set(worn)
        told = inside.evaluate("document.querySelector('main').getBoundingClientRect().height")
        expect(frame).to_have_css("height", f"{math.ceil(told)}px")


def test_from_the_disk_figures_have_the_system_s_faces(open_page, book):
    page = open_page((book / PAGE).as_uri())
    page.locator("[data-figure=backpropagation]").scroll_into_view_if_needed()
    figure = page.frame_locator("[data-figure=backpropagation] iframe")
    expect(figure.get_by_label("x, exact value")).to_have_value("2")
    assert figure.locator("body").evaluate(LOADED) == []
