"""Pictures of cells in the built pages: light on light, dark on dark, and large where a screen is small.

pytest tests/browser/test_pictures.py
"""

import io
import re
import sys

import numpy as np
import pytest
from builds import pages
from notebooks import BOOK, ROOT
from PIL import Image
from playwright.sync_api import expect
from specimen import drawing
from test_html import soup

from twice.plots import GREEN, GREY, INK, KERAS, NUMPY, PURPLE

sys.path.append(str(BOOK / "_ext"))
from pictures import DARK, PAPER, contrast, on_dark, themed  # noqa: E402

CHAPTER = "book/07-specimen.html"
ALT = "Two curves beside a heat map."
NOTEBOOKS = [name for name in pages() if (ROOT / f"{name}.ipynb").exists()]


def rgb(colour):
    """Return red, green and blue of #rrggbb."""
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def pixels(locator):
    """Return what an element looks like, as an array of colours."""
    return np.asarray(Image.open(io.BytesIO(locator.screenshot())).convert("RGB"))


def colours(seen):
    return set(map(tuple, seen.reshape(-1, 3).tolist()))


def shown(page):
    """Return the picture that is seen, of the two for light and dark."""
    return page.locator(".picture").first.locator("img:visible")


def wait_until_loaded(image):
    image.scroll_into_view_if_needed()
    expect(image).to_have_js_property("complete", True)
    image.evaluate("(image) => image.decode()")


# ---------- the colours ----------


def test_every_colour_of_the_book_has_its_dark_one():
    book = [NUMPY, KERAS, GREEN, PURPLE, GREY, INK, "#FFFFFF", "#000000"]
    assert set(DARK) == {colour.lower() for colour in book}
    sheet = (BOOK / "_static" / "book.css").read_text("utf-8")
    for light in (NUMPY.lower(), KERAS.lower(), "#ffffff"):
        assert f"light-dark({light}, {DARK[light]})" in sheet


@pytest.mark.parametrize("colour", [*DARK, "#440154", "#fde725", "#101010"])
def test_colours_stand_out_on_the_dark_page(colour):
    assert colour == "#ffffff" or contrast(rgb(on_dark(colour))) >= 3


def test_light_enough_colours_are_left_alone():
    assert on_dark("#fde725") == "#fde725"


def test_colours_that_do_not_change_are_left_alone():
    assert themed('<svg style="fill: #fde725"></svg>').count("#fde725") == 1
    assert "var(--x0072b2, #0072b2)" in themed(drawing())


# ---------- the pages ----------


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_picture_has_both_themes_in_one_file(book, name):
    for picture in soup(book, name).select(".picture"):
        light, dark = picture.select("img")
        assert (light["class"], dark["class"]) == (["on-light"], ["on-dark"])
        assert dark["src"] == f"{light['src']}#dark"
        svg = (book / "book" / light["src"]).read_text("utf-8")
        assert 'id="dark"' in svg and not re.search(r"(fill|stroke): #(0072b2|333333|6e6e6e)", svg)


@pytest.mark.parametrize(("theme", "other"), [("light", "dark"), ("dark", "light")])
def test_picture_follows_the_page(open_page, specimen_address, theme, other):
    page = open_page(f"{specimen_address}/{CHAPTER}", theme=theme)
    look = {"light": ("#ffffff", "#0072b2"), "dark": (PAPER, DARK["#0072b2"])}
    for now in (theme, other):
        expect(page.locator(".picture").first.locator(f".on-{now}")).to_be_visible()
        wait_until_loaded(shown(page))
        ground, curve = (rgb(colour) for colour in look[now])
        seen = pixels(shown(page))
        assert tuple(seen[2, 2]) == ground
        assert curve in colours(seen)
        page.get_by_role("button", name="Light or dark").click()


def test_heat_map_and_what_lies_on_it_stay_light(open_page, specimen_address):
    page = open_page(f"{specimen_address}/{CHAPTER}", theme="dark")
    wait_until_loaded(shown(page))
    seen = pixels(shown(page))
    curves, heat_map = seen[:, :330], seen[60:240, 400:640]
    assert {rgb("#0072b2"), rgb("#d55e00")} <= colours(heat_map)
    assert curves.sum(axis=-1).min() == sum(rgb(PAPER)) > heat_map.sum(axis=-1).min() + 20


def test_print_is_light(open_page, specimen_address):
    page = open_page(f"{specimen_address}/{CHAPTER}", theme="dark")
    page.get_by_role("button", name="Light or dark").click()
    page.get_by_role("button", name="Light or dark").click()  # dark by the reader's choice
    page.emulate_media(media="print")
    expect(page.locator(".picture").first.locator(".on-light")).to_be_visible()
    expect(page.locator(".picture").first.locator(".on-dark")).to_be_hidden()


# ---------- a phone ----------


@pytest.fixture
def phone(open_page, specimen_address):
    """Return the specimen, opened on a phone."""
    return open_page(f"{specimen_address}/{CHAPTER}", width=375, has_touch=True)


def test_tap_enlarges_and_a_second_one_closes(phone):
    shown(phone).tap()
    dialog = phone.get_by_role("dialog", name=ALT)
    expect(dialog).to_be_visible()
    image = dialog.locator("img:visible")
    assert image.bounding_box()["width"] >= 7 * 96
    dialog.evaluate("(dialog) => dialog.scrollTo({left: 1e6, behavior: 'instant'})")
    assert dialog.evaluate("(dialog) => dialog.scrollLeft") > 200
    image.tap()
    expect(dialog).to_have_count(0)


def test_keyboard_enlarges_and_escape_gives_the_focus_back(phone):
    button = phone.get_by_role("button", name="Enlarge").first
    button.focus()
    phone.keyboard.press("Enter")
    dialog = phone.get_by_role("dialog", name=ALT)
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    phone.keyboard.press("ArrowRight")  # which elsewhere leads to the next page
    expect(dialog).to_be_visible()
    phone.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


def test_enlarged_picture_follows_the_theme(open_page, specimen_address):
    page = open_page(f"{specimen_address}/{CHAPTER}", width=375, theme="dark")
    page.get_by_role("button", name="Enlarge").first.click()
    image = page.get_by_role("dialog").locator("img:visible")
    expect(image).to_have_class("on-dark")
    wait_until_loaded(image)
    assert tuple(pixels(image)[-20, 20]) == rgb(PAPER)


def test_wide_screen_shows_pictures_as_large_as_they_are(open_page, specimen_address):
    page = open_page(f"{specimen_address}/{CHAPTER}")
    expect(page.get_by_role("button", name="Enlarge")).to_have_count(0)
    shown(page).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
