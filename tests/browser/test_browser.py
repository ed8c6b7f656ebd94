"""The built pages in Chromium: they ask nobody else, complain of nothing, and everyone can read and use them.

pytest tests/browser/test_browser.py
"""

import re
from io import BytesIO

import pytest
from accessible import assert_accessible
from builds import pages
from PIL import Image
from playwright.sync_api import expect

PHONE, DESKTOP = 390, 1280
CHAPTER = "book/07-specimen.html"

# The part of a formula that is seen (MathML is what is read) as one text: axe needs minutes for the pieces.
FLATTEN = "document.querySelectorAll('.katex-html').forEach((seen) => (seen.textContent = seen.textContent))"

# In a column of some width: where the formula ends, and whether the mark after it stands beside its end.
MARK_AND_FORMULA = """(hold, width) => {
  hold.parentElement.style.width = `${width}px`;
  const formula = [...hold.querySelectorAll(".katex-base")].at(-1).getBoundingClientRect();
  const mark = document.createRange();
  mark.selectNode(hold.lastChild);
  return [formula.bottom, mark.getBoundingClientRect().left >= formula.right - 1];
}"""


@pytest.fixture
def phone(open_page, specimen_address):
    """Return the specimen, opened on a phone."""
    return open_page(f"{specimen_address}/{CHAPTER}", width=PHONE, has_touch=True)


@pytest.fixture
def desktop(open_page, specimen_address):
    """Return the specimen, opened on a desktop."""
    return open_page(f"{specimen_address}/{CHAPTER}")


NUMBERS_LOST = """() => [...document.querySelectorAll(".math.display:has(.katex-tag)")].filter((block) => {
    const [box, number, formula] = [block, block.querySelector(".katex-tag"), block.querySelector(".formula")]
        .map((element) => element.getBoundingClientRect());
    const isInside = number.right <= box.right + 1 && number.bottom <= box.bottom + 1;
    const isClear = number.top >= formula.bottom - 1 || formula.right <= number.right - 30;
    return box.height > 0 && !(isInside && isClear);
}).map((block) => block.id)"""


# All of a page as if a reader had been everywhere; a section that is not laid out would hide its faults.
LAY_OUT = """async () => {
  document.querySelectorAll("details").forEach((details) => (details.open = true));
  const sections = document.querySelectorAll("article section");
  sections.forEach((section) => (section.style.contentVisibility = "visible"));
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
}"""

# What is to be hit by a finger and is smaller than 24 pixels; links in running text need not be that large.
TOO_SMALL = """() => {
  const inText = "article :is(p, li, dd, td, th, dt, pre, code) a:not(.headerlink), .skip";
  document.getElementById("contents").showPopover();
  return [...document.querySelectorAll("a[href], button, summary, input")]
    .filter((target) => target.getClientRects().length && !target.matches(inText))
    .filter((target) => Math.min(target.offsetWidth, target.offsetHeight) < 24)
    .map((target) => target.outerHTML.slice(0, 80));
}"""

# What each line of a formula begins with.
LINES = """(block) => {
  const lines = new Map();
  for (const base of block.querySelectorAll(".katex-base")) {
    const { left, bottom } = base.getBoundingClientRect();
    const line = [...lines.keys()].find((other) => Math.abs(other - bottom) < 12) ?? bottom;
    lines.set(line, (lines.get(line) ?? "") + base.innerText.trim());
  }
  return [...lines.values()];
}"""


def edges(box):
    """Return the colours of a box at its left and its right edge, near its foot."""
    with Image.open(BytesIO(box.screenshot())) as picture:
        foot, right = picture.height - 5, picture.width - 2
        return picture.getpixel((2, foot)), picture.getpixel((right, foot))


def differ(one, other):
    """Tell whether the eye can tell two colours apart."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) > 8


# What reaches beyond the right edge of the page; what scrolls by itself may.
CUT = """() => [...document.querySelectorAll(":is(main, .bar, footer) :not(svg *)")]
    .filter((part) => !part.closest("pre, .math.display, div.table, .katex-mathml, iframe"))
    .filter((part) => part.getClientRects().length && part.getBoundingClientRect().right > innerWidth + 1)
    .map((part) => part.outerHTML.slice(0, 80))"""

# What has the focus: which of the page's parts, and whether one sees it there.
STOPS = [
    ".skip",
    ".brand",
    "button.menu",
    ".to-search",
    "form input",
    "button.theme",
    "#contents a",
    ".tools a",
]
STOPS += [".on-this-page a", ".headerlink", "article a.reference", ".copy", ".copy-link", "summary", "pre"]
STOPS += [".math.display", "div.table", "iframe", ".neighbours a", "footer a", "footer button"]
FOCUSED = """(stops) => {
  const here = document.activeElement;
  if (here === document.body) return null;
  const { top, bottom } = here.getBoundingClientRect();
  const { outlineStyle, opacity } = getComputedStyle(here);
  const isSeen = bottom > 0 && top < innerHeight && opacity > 0 && outlineStyle !== "none";
  here.dataset.visits = Number(here.dataset.visits ?? 0) + 1;
  return [stops.find((stop) => here.matches(stop)) ?? here.outerHTML, isSeen || here.matches("iframe"),
    here.dataset.visits > 1];
}"""


# How many parts of a page change or scroll little by little.
MOVING = """() => [...document.querySelectorAll("*")].map((part) => getComputedStyle(part))
    .filter(({ transitionDuration, animationName, scrollBehavior }) =>
        transitionDuration !== "0s" || animationName !== "none" || scrollBehavior !== "auto").length"""


def walk(page):
    """Press Tab until the focus comes around; return the kinds of places it has been to."""
    kinds = set()
    for _ in range(300):
        page.keyboard.press("Tab")
        where = page.evaluate(FOCUSED, STOPS)
        if where is None:  # between the end of a page, or of a frame, and what follows
            continue
        kind, is_seen, is_again = where
        if is_again and kind == ".skip":
            return kinds
        assert kind == "iframe" or not is_again, f"the focus is held at {kind}"
        assert is_seen, f"one does not see that {kind} has the focus"
        kinds.add(kind)
    raise AssertionError("the focus does not come around")


def background(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor")


# ---------- every page of the book; open_page fails on any complaint or foreign request ----------


@pytest.mark.parametrize(
    ("theme", "width"), [("light", PHONE), ("dark", DESKTOP)]
)  # axe takes long on a chapter
@pytest.mark.parametrize("name", pages())
def test_page_is_accessible_and_fits_its_screen(open_page, book_address, name, theme, width):
    page = open_page(f"{book_address}/{name}.html", width=width, theme=theme)
    page.evaluate(LAY_OUT)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(FLATTEN)
    assert_accessible(page, iframes=False)  # figures and questions have tests of their own


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_constructs_are_accessible_and_fit_the_screen(open_page, specimen_address, theme, width):
    test_page_is_accessible_and_fits_its_screen(
        open_page, specimen_address, CHAPTER.removesuffix(".html"), theme, width
    )


def test_first_page_leads_to_the_welcome(open_page, book_address):
    page = open_page(f"{book_address}/index.html")
    page.wait_for_url("**/book/index.html")


def test_book_can_be_read_from_the_disk(open_page, specimen):
    page = open_page((specimen / CHAPTER).as_uri())
    loaded = page.evaluate("[...document.fonts].filter((f) => f.status === 'loaded').map((f) => f.family)")
    assert {"Twice Serif", "KaTeX_Main"} <= {family.strip('"') for family in loaded}


def test_book_can_be_read_without_scripts(open_page, specimen_address):
    page = open_page(f"{specimen_address}/{CHAPTER}", theme="dark", java_script_enabled=False)
    expect(page.get_by_role("heading", level=1)).to_contain_text("7. Specimen")
    expect(page.locator("#eq-7-1")).to_be_visible()
    expect(page.get_by_role("navigation", name="Contents")).to_be_visible()


# ---------- what a reader does ----------


def test_search_shows_each_formula_once(open_page, specimen_address):
    page = open_page(f"{specimen_address}/search.html?q=construct")
    context = page.locator("#search-results .context")
    expect(context).to_contain_text("every construct")
    assert context.inner_text().count("σ") == 1


def test_theme_follows_the_system_until_the_reader_chooses(open_page, specimen_address):
    page = open_page(f"{specimen_address}/{CHAPTER}", theme="dark")
    dark = background(page)
    page.emulate_media(color_scheme="light")
    expect(page.locator("body")).not_to_have_css("background-color", dark)
    light = background(page)
    page.get_by_role("button", name="Light or dark").click()
    assert background(page) == dark
    page.reload()
    assert background(page) == dark
    page.get_by_role("button", name="Light or dark").click()
    assert background(page) == light


def test_interactive_figure_is_told_the_theme_and_gets_its_height(desktop):
    frame = desktop.locator(".explorable iframe")
    frame.scroll_into_view_if_needed()  # what is far away is not loaded
    figure = desktop.frame_locator(".explorable iframe").locator("body")
    expect(figure).to_have_text("light")
    expect(frame).to_have_css("height", "322px")
    desktop.get_by_role("button", name="Light or dark").click()
    expect(figure).to_have_text("dark")
    desktop.get_by_role("button", name="Light or dark").click()
    desktop.emulate_media(color_scheme="light")
    expect(figure).to_have_text("light")


def test_other_windows_can_not_size_a_figure(desktop):
    desktop.locator(".explorable iframe").scroll_into_view_if_needed()
    expect(desktop.locator(".explorable iframe")).to_have_css("height", "322px")
    before = desktop.locator(".explorable iframe").bounding_box()
    desktop.evaluate("postMessage({twice: 'height', height: 10}, '*')")
    desktop.wait_for_timeout(100)
    assert desktop.locator(".explorable iframe").bounding_box() == before


def test_code_can_be_copied(open_page, specimen_address):
    page = open_page(f"{specimen_address}/{CHAPTER}", permissions=["clipboard-read", "clipboard-write"])
    page.locator(".cell_input .highlight").first.hover()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").strip() == "agree(1, 1)"


def test_keyboard_reaches_the_text_at_once(desktop):
    desktop.keyboard.press("Tab")
    skip = desktop.get_by_role("link", name="Skip to the text")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    desktop.keyboard.press("Enter")
    expect(desktop).to_have_url(re.compile("#text$"))


@pytest.mark.parametrize("name", pages())
def test_page_suits_a_finger_the_narrowest_screen_and_twice_the_size(open_page, book_address, name):
    page = open_page(f"{book_address}/{name}.html", width=375, has_touch=True)
    page.evaluate(LAY_OUT)
    assert page.evaluate(TOO_SMALL) == []
    for width, height in [(320, 640), (640, 450)]:
        page.set_viewport_size({"width": width, "height": height})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(CUT) == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_keyboard_reaches_and_leaves_everything(open_page, specimen_address, width):
    page = open_page(f"{specimen_address}/{CHAPTER}", width=width)
    everywhere = {".skip", ".brand", "button.theme", ".tools a", ".headerlink", "article a.reference"}
    everywhere |= {".copy", "summary", "pre", ".math.display", ".neighbours a", "footer a", "footer button"}
    phone, desktop = {"button.menu", ".to-search"}, {"form input", "#contents a"}
    assert everywhere | (phone if width == PHONE else desktop) <= walk(page)


def test_keyboard_opens_contents_and_solutions_and_closes_them(phone):
    menu, contents = phone.locator("button.menu"), phone.locator("#contents")
    menu.press("Enter")
    expect(contents).to_be_visible()
    phone.keyboard.press("Tab")
    expect(contents.get_by_role("link").first).to_be_focused()
    phone.keyboard.press("Escape")
    expect(contents).to_be_hidden()
    expect(menu).to_be_focused()
    solution = phone.locator("details", has=phone.get_by_text("Solution", exact=True))
    for state in (True, False):
        solution.locator("summary").press("Enter")
        expect(solution).to_have_js_property("open", state)


def test_nothing_moves_for_a_reader_who_wants_it_still(open_page, specimen_address):
    page = open_page(f"{specimen_address}/{CHAPTER}", reduced_motion="reduce")
    page.locator("article a.equation").first.focus()
    expect(page.locator("#preview")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
    assert page.evaluate(MOVING) == 0


def test_no_line_begins_with_the_mark_after_a_formula(desktop):
    hold = desktop.locator(".hold").first
    where = set()
    for width in range(200, 640, 4):
        bottom, beside = hold.evaluate(MARK_AND_FORMULA, width)
        assert beside, f"in a column of {width} pixels the mark stands on a line of its own"
        where.add(bottom)
    assert len(where) > 1


def test_link_to_an_equation_shows_it_below_the_bar(desktop):
    desktop.locator("article a[href='#eq-7-2']").first.click()
    bar = desktop.get_by_role("banner").bounding_box()
    equation = desktop.locator("#eq-7-2")
    expect(equation).to_be_in_viewport()
    assert equation.bounding_box()["y"] >= bar["y"] + bar["height"]


# ---------- a phone ----------


def test_copy_can_be_seen_where_nothing_hovers(open_page, specimen_address):
    page = open_page(f"{specimen_address}/{CHAPTER}", width=375, has_touch=True, is_mobile=True)
    page.locator(".cell_input").first.scroll_into_view_if_needed()
    expect(page.locator(".copy").first).to_have_css("opacity", "1")


def test_contents_open_and_close_on_a_phone(phone):
    contents = phone.get_by_role("navigation", name="Contents")
    expect(contents).to_be_hidden()
    phone.get_by_role("button", name="Contents").tap()
    expect(contents).to_be_visible()
    phone.keyboard.press("Escape")
    expect(contents).to_be_hidden()
    phone.get_by_role("button", name="Contents").tap()
    contents.get_by_role("link", name="Welcome").tap()
    phone.wait_for_url("**/book/index.html")
    expect(phone.get_by_role("navigation", name="Contents")).to_be_hidden()


def test_sections_are_in_reach_on_a_phone(phone):
    phone.get_by_text("On this page").first.tap()
    phone.locator(".sections").get_by_role("link", name="Equations").tap()
    expect(phone.get_by_role("heading", name="Equations")).to_be_in_viewport()


def test_search_is_in_reach_on_a_phone(phone):
    phone.get_by_role("link", name="Search the book").tap()
    expect(phone.get_by_role("searchbox", name="Words to search for")).to_be_focused()


@pytest.mark.parametrize("width", [320, PHONE, DESKTOP])
def test_wide_formula_breaks_before_its_relations(open_page, specimen_address, width):
    page = open_page(f"{specimen_address}/{CHAPTER}", width=width)
    formula = page.locator("#eq-7-2")
    assert formula.evaluate("(block) => block.scrollWidth <= block.clientWidth")
    lines = formula.evaluate(LINES)
    assert len(lines) > 1 and all(line.startswith("=") for line in lines[1:])


def test_formula_in_one_piece_shows_its_number_and_scrolls_by_keyboard(phone):
    formula = phone.locator("#eq-7-3")
    formula.focus()
    tag, last = formula.locator(".katex-tag"), formula.locator(".katex-base").last
    expect(tag).to_be_in_viewport(ratio=1)
    phone.keyboard.press("ArrowRight")
    phone.wait_for_function("document.querySelector('#eq-7-3').scrollLeft > 0")
    formula.evaluate("(block) => block.scrollTo({left: 1e6, behavior: 'instant'})")
    assert last.evaluate("(formula) => formula.getBoundingClientRect().right") <= PHONE
    expect(phone.locator("#eq-7-1")).not_to_have_attribute("tabindex", "0")


def test_table_breaks_no_short_code_and_sets_no_heading_one_word_a_line(phone):
    table = phone.locator("table").nth(1)
    heading, code = table.locator("thead"), table.locator("code")
    assert code.evaluate("(code) => code.getClientRects().length") == 1
    assert heading.bounding_box()["height"] < 130
    assert table.locator("td").first.bounding_box()["height"] < 160


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("box", ["#eq-7-3", ".cell:last-of-type .cell_input pre"])
def test_shadow_shows_where_more_stands(open_page, specimen_address, theme, box):
    page = open_page(f"{specimen_address}/{CHAPTER}", width=PHONE, theme=theme)
    before, after = edges(page.locator(box))
    assert differ(before, after)
    page.locator(box).evaluate("(box) => box.scrollTo({left: 1e6, behavior: 'instant'})")
    assert not differ(before, edges(page.locator(box))[1])
    assert not differ(*edges(page.locator("#eq-7-1")))


@pytest.mark.parametrize("width", [320, 375, 700, 1280])
def test_no_number_of_an_equation_is_lost_or_lies_on_its_formula(open_page, book_address, width):
    page = open_page(f"{book_address}/book/06-gradient-descent.html", width=width)
    lost = page.evaluate(NUMBERS_LOST)
    assert lost == []


# ---------- the watch itself ----------


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("console.warn('odd')", "warning: odd"),
        ("setTimeout(() => { throw Error('broken') })", "error: broken"),
        ("fetch('https://example.org/').catch(() => {})", "asked another host: https://example.org/"),
        ("fetch('missing.js')", "404"),
    ],
)
def test_watch_notices(open_page, complaints, specimen_address, script, complaint):
    page = open_page(f"{specimen_address}/{CHAPTER}")
    assert complaints == []
    page.evaluate(f"() => {{ {script} }}")
    for _ in range(100):
        if any(complaint in noticed for noticed in complaints):
            break
        page.wait_for_timeout(50)
    else:
        pytest.fail(f"nobody noticed: {complaint}")
    page.close()  # one fault may be told twice
    complaints.clear()
