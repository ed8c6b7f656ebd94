"""The practice questions in a browser: by mouse, keyboard and finger; kept by the page; looked at by axe.

pytest tests/browser/test_practice.py
"""

import json
import re

import pytest
from accessible import assert_accessible
from notebooks import ROOT
from playwright.sync_api import expect
from practice import sections
from test_explorables import HOST, PHONE, SMALL, WIDE, Figure

from twice.practice import Practice, chapters, questions, shuffled

SCRIPT = (ROOT / "book" / "_theme" / "practice.js").read_text(encoding="utf-8")
EACH = [(chapter, section) for chapter in chapters() for section in sections(chapter)]


@pytest.fixture
def show(chromium, tmp_path):
    """Open questions in a host page; afterwards see that they asked for nothing and complained of nothing."""
    figures = []

    def show(width=WIDE, setting=None, **state):
        page = chromium.new_page(viewport={"width": width, "height": 1400}, **(setting or {}))
        page.set_default_timeout(10_000)
        figures.append(Figure(page, tmp_path / f"{len(figures)}.html", "practice", **state))
        return figures[-1]

    yield show
    for figure in figures:
        assert len(figure.requests) == 1 and figure.complaints == []
        figure.page.close()


def place(question, chapter):
    """Return the number of a question among its chapter's, and the question."""
    names = [q["name"] for q in questions(chapter)]
    return names.index(question), questions(chapter)[names.index(question)]


def of_kind(kind):
    return next((chapter, q) for chapter in chapters() for q in questions(chapter) if q["kind"] == kind)


def box(figure, question):
    return figure.frame.locator(f"#{question['name']}")


def letters(question):
    """Return the letter of each step, the right ones first."""
    order = shuffled(question["name"], len(question["steps"]) + len(question["wrong"]))
    return ["ABCDEFGHIJKL"[order.index(step)] for step in range(len(order))]


def plain(html):
    """Return the beginning of a text as it reads before its first formula."""
    return re.split(r"[$`*]", html)[0].strip()


@pytest.mark.parametrize("chapter, section", EACH)
def test_fits_a_phone_and_nearly_its_own_height(show, chapter, section):
    figure = show(PHONE, chapter=chapter, section=section)
    assert figure.frame.locator("html").evaluate("html => html.scrollWidth") == PHONE
    wide = show(WIDE, chapter=chapter, section=section)
    given = wide.page.locator("iframe").bounding_box()["height"]
    assert given - 90 <= wide.hear("height")["height"] <= given + 30  # where no page listens


@pytest.mark.parametrize("chapter", chapters())
def test_axe_finds_nothing(show, chapter):
    width, theme = [(WIDE, "dark"), (PHONE, "light")][chapter % 2]  # each look on every second chapter
    figure = show(width, chapter=chapter)
    figure.tell(twice="theme", theme=theme)
    for answers in [{}, wrong_answers(chapter)]:
        figure.tell(twice="state", state={"answers": answers}, kept=True)
        figure.frame.locator("details").evaluate_all("all => all.forEach(one => (one.open = true))")
        assert_accessible(figure.page.frames[1])


def wrong_answers(chapter):
    wrong = {"number": "123456", "shape": "(9, 9)", "order": [1, 0], "choice": 0}
    return {q["name"]: wrong[q["kind"]] for q in questions(chapter)}


@pytest.mark.parametrize("chapter", chapters())
def test_every_wrong_answer_gets_its_reply(show, chapter):
    figure = show(chapter=chapter)
    for question in questions(chapter):
        steps, wrong = len(question.get("steps", [])), question.get("wrong", [])
        cases = [(k if steps == 0 else [steps + k], w["reply"]) for k, w in enumerate(wrong)]
        if question["kind"] in ("number", "shape"):
            cases = [(str(w["given"]), w["reply"]) for w in wrong] + [("98765", question["hint"])]
        if question["kind"] == "choice":
            options = enumerate(question["options"])
            cases = [(k, option["reply"]) for k, option in options if not option.get("right")]
        for given, said in cases:
            figure.tell(twice="state", state={"answers": {question["name"]: given}})
            reply = box(figure, question).locator(".reply")
            expect(reply).to_have_class("reply wrong")
            expect(reply).to_contain_text(plain(said))
            expect(reply).to_contain_text("Not yet")


@pytest.mark.parametrize("kind", ["number", "shape"])
def test_an_answer_is_typed_and_checked(show, kind):
    chapter, question = of_kind(kind)
    figure = show(chapter=chapter)
    field, reply = box(figure, question).get_by_role("textbox"), box(figure, question).locator(".reply")
    field.fill("what?")
    box(figure, question).get_by_role("button", name="Check").click()
    expect(reply).to_contain_text("Not read")
    field.fill(str(question["answer"]))
    expect(reply).to_be_empty()  # an answer that has changed is not judged yet
    field.press("Enter")
    expect(reply).to_contain_text("✓ Right")
    assert figure.state == {"answers": {question["name"]: str(question["answer"])}}


def test_a_choice_is_made_by_mouse_and_by_keyboard(show):
    chapter, question = of_kind("choice")
    figure = show(chapter=chapter)
    right = [option.get("right", False) for option in question["options"]].index(True)
    radios, reply = box(figure, question).get_by_role("radio"), box(figure, question).locator(".reply")
    box(figure, question).locator("label").nth(right).click()
    expect(reply).to_contain_text("✓ Right")
    radios.nth(right).press("ArrowDown")
    expect(reply).to_contain_text("Not yet")
    figure.page.keyboard.press("ArrowUp")
    expect(reply).to_contain_text("✓ Right")


def test_steps_are_put_in_order_by_keyboard(show):
    chapter, question = of_kind("order")
    figure = show(chapter=chapter)
    frame, right = box(figure, question), letters(question)[: len(question["steps"])]
    expect(frame.locator(".own li")).to_have_count(0)
    for letter in [right[1], right[0], *right[2:]]:
        frame.get_by_role("button", name=f"Add step {letter}").press("Enter")
        assert figure.page.evaluate("document.activeElement.tagName") == "IFRAME"
        assert frame.locator("button:focus").count() == 1  # the keyboard has not lost its place
    expect(frame.locator(".spoken")).to_have_text(f"Step {right[-1]} is number {len(right)} of your order.")
    check = frame.get_by_role("button", name="Check")
    check.press("Enter")
    expect(frame.locator(".reply")).to_contain_text(
        f"Step {right[1]}, number 1 of your order, is not the beginning"
    )
    frame.get_by_role("button", name=f"Move up step {right[0]}").press("Space")
    check.press("Enter")
    expect(frame.locator(".reply")).to_contain_text("✓ Right")
    frame.get_by_role("button", name=f"Move down step {right[0]}").press("Enter")
    frame.get_by_role("button", name=f"Take out step {right[-1]}").press("Enter")
    expect(frame.locator(".own li")).to_have_count(len(right) - 1)


@pytest.mark.parametrize("drag", ["drag", "drag_with_finger"])
def test_steps_are_dragged(show, drag):
    chapter, question = of_kind("order")
    figure = show(PHONE, {"has_touch": True}, chapter=chapter, section=question["section"])
    figure.page.locator("iframe").evaluate("(frame) => (frame.style.height = '3000px')")
    figure.page.set_viewport_size({"width": PHONE, "height": 3000})
    frame, right = box(figure, question), letters(question)[: len(question["steps"])]
    own = frame.locator(".own")
    for letter in right:
        grip = frame.locator(".pool .grip", has_text=letter)
        (_, y), area = figure.centre(grip), own.bounding_box()
        getattr(figure, drag)(grip, 60, area["y"] + area["height"] - 8 - y)
    expect(frame.locator(".own .grip")).to_have_text(right)
    first = frame.locator(".own .grip").first
    step = frame.locator(".own li").first.bounding_box()["height"]
    getattr(figure, drag)(first, 0, 1.6 * step)
    expect(frame.locator(".own .grip")).to_have_text([right[1], right[0], *right[2:]])


@pytest.mark.parametrize("chapter", chapters())
def test_targets_are_large_enough_for_a_finger(show, chapter):
    figure = show(375, chapter=chapter)
    for answers in [{}, wrong_answers(chapter)]:
        figure.tell(twice="state", state={"answers": answers}, kept=True)
        expect(figure.frame.locator(".kept")).to_be_visible()
        assert figure.page.frames[1].evaluate(SMALL) == []


def test_without_scripts_questions_and_answers_are_there(chromium):
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.set_content(Practice(1).page)
    for question in questions(1):
        expect(page.locator(f"#{question['name']} > p").first).to_be_visible()
        page.locator(f"#{question['name']} summary").click()
        expect(page.locator(f"#{question['name']} .right")).to_be_visible()
    page.context.close()


def test_theme_is_the_page_s_or_else_the_system_s(show):
    figure = show(setting={"color_scheme": "dark"}, chapter=1)
    paper = figure.frame.locator("body")
    expect(paper).to_have_css("background-color", "rgb(20, 23, 27)")
    figure.tell(twice="theme", theme="light")
    expect(paper).to_have_css("background-color", "rgb(255, 255, 255)")


def test_answers_of_a_wrong_form_are_left_out(show):
    figure = show(chapter=1)
    figure.tell(twice="state", state={"answers": {"weighted-sum": 5, "longer-weights": "1", "nothing": 1}})
    assert figure.state == {"answers": {}}


# Kept by the page


@pytest.fixture
def visit(chromium, tmp_path):
    """Open a page like the book's, with two sections' questions, in a browser that remembers."""
    context = chromium.new_context(accept_downloads=True)
    frames = [Practice(1, section)._repr_html_() for section in ("The idea by hand", "Derivation")]
    file = tmp_path / "page.html"
    file.write_text(
        HOST.format(figure="".join(frames)).replace("<body", f"<script>{SCRIPT}</script><body", 1), "utf-8"
    )

    def visit():
        page = context.new_page()
        page.goto(file.as_uri())
        for frame in page.locator("iframe").all():
            frame.scroll_into_view_if_needed()
            expect(frame.content_frame.locator(".kept")).to_be_visible()
        return page

    yield visit
    context.close()


def test_answers_are_kept_saved_and_cleared(visit):
    page = visit()
    first, second = page.frame_locator("iframe >> nth=0"), page.frame_locator("iframe >> nth=1")
    first.locator("#weighted-sum input").fill("-1/2")
    first.locator("#weighted-sum input").press("Enter")
    second.locator("#longer-weights label").nth(0).click()
    expect(first.locator(".kept")).to_contain_text("1 of 2 right here")
    page.wait_for_function("localStorage['twice-practice']?.includes('longer-weights')")

    again = visit()  # the next day
    first, second = again.frame_locator("iframe >> nth=0"), again.frame_locator("iframe >> nth=1")
    expect(first.locator("#weighted-sum .reply")).to_contain_text("✓ Right")
    expect(first.locator("#weighted-sum input")).to_have_value("-1/2")
    expect(second.locator("#longer-weights .reply")).to_contain_text("Not yet")

    with again.expect_download() as download:
        first.get_by_role("button", name="Save your answers to chapter 1 as a file").click()
    saved = json.loads(download.value.path().read_text("utf-8"))
    assert download.value.suggested_filename == "practice-chapter-1.json"
    assert saved == {"chapter": 1, "answers": {"weighted-sum": "-1/2", "longer-weights": 0}}

    first.get_by_role("button", name="Clear your answers to chapter 1").click()
    expect(first.locator("#weighted-sum .reply")).to_be_empty()
    expect(second.locator("#longer-weights .reply")).to_be_empty()
    assert json.loads(again.evaluate("localStorage['twice-practice']")) == {"1": {}}


def test_where_no_page_keeps_answers_nothing_offers_to(show):
    figure = show(chapter=1)
    expect(figure.frame.locator(".kept")).to_be_hidden()


def test_other_windows_can_not_write_answers(visit):
    page = visit()
    page.evaluate(
        "postMessage({twice: 'state', practice: '1', state: {answers: {'weighted-sum': '1'}}}, '*')"
    )
    page.wait_for_timeout(100)
    assert page.evaluate("localStorage['twice-practice']") is None
