"""Interactive figures in a real browser: operated by mouse, keyboard, finger and message; looked at by axe.

pytest tests/browser/test_explorables.py
"""

import json
import re
from itertools import combinations, product

import numpy as np
import pytest
from accessible import assert_accessible
from playwright.sync_api import expect

from twice.activations import relu, softmax
from twice.checks import agree
from twice.convolution import MaxPooling2D, conv2d
from twice.data import CIFAR10_CLASSES, mnist, moby_dick
from twice.data.fetch import ASSETS, read_differences
from twice.explore import explore, names
from twice.pretrained import moby_dick_decoder

WIDE, PAGE, PHONE = 900, 672, 320  # pixels; PAGE is the width of the book's text
ZOOMED = 600  # what is left of it where a screen of 1280 pixels is shown at 200 %

# A page as a reader's: something below the figure, and a script that keeps what the figure says.
HOST = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Host</title></head><body style="margin:0">
{figure}
<div style="height:4000px"></div>
<script>
  const said = [];
  addEventListener("message", ({{ data }}) => said.push(data));
  const of = (kind) => said.filter((message) => message.twice === kind);
  const tell = (message) => document.querySelector("iframe").contentWindow.postMessage(message, "*");
</script></body></html>"""


class Figure:
    """A figure in a host page, with what a reader and a host can do to it."""

    def __init__(self, page, path, name, **state):
        self.page, self.requests, self.complaints = page, [], []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        path.write_text(HOST.format(figure=explore(name, **state)._repr_html_()), encoding="utf-8")
        page.goto(path.as_uri())
        self.frame = page.frame_locator("iframe")
        self.hear("height")

    def tell(self, **message):
        self.page.evaluate("(message) => tell(message)", message)

    def hear(self, kind, after=0):
        """Wait for more than `after` messages of a kind, and return the last of them."""
        heard = self.page.wait_for_function(
            "([kind, n]) => of(kind).length > n && of(kind)", arg=[kind, after]
        )
        return heard.json_value()[-1]

    @property
    def state(self):
        before = self.page.evaluate("of('state').length")
        self.tell(twice="state?")
        return self.hear("state", after=before)["state"]

    def drawn(self):
        """Wait until the figure shows its state: in the next frame, after a long computation later."""
        _ = self.state  # the answer to this question says that what was told before has arrived
        self.frame.locator("main[data-drawn=true]").wait_for()

    def leave(self):
        """Scroll the figure off the screen, and wait until it knows."""
        self.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        self.frame.locator("main").evaluate(
            """(main) => new Promise((done) =>
                new IntersectionObserver((seen) => seen.at(-1).isIntersecting || done()).observe(main))"""
        )

    def role(self, role, name):
        return self.frame.get_by_role(role, name=name, exact=True)

    def centre(self, locator):
        box = locator.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, locator, dx, dy):
        x, y = self.centre(locator)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + dx / 2, y + dy / 2)
        self.page.mouse.move(x + dx, y + dy)
        self.page.mouse.up()

    def drag_with_finger(self, locator, dx, dy):
        x, y = self.centre(locator)
        touch = self.page.context.new_cdp_session(self.page)
        for kind, place in [
            ("Start", (x, y)),
            ("Move", (x + dx / 2, y + dy / 2)),
            ("Move", (x + dx, y + dy)),
        ]:
            points = [{"x": place[0], "y": place[1]}]
            touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.fixture
def show(chromium, tmp_path):
    """Open a figure; afterwards see that it asked for nothing and complained of nothing."""
    figures = []

    def show(name, width=WIDE, setting=None, **state):
        page = chromium.new_page(viewport={"width": width, "height": 1000}, **(setting or {}))
        page.set_default_timeout(10_000)
        figures.append(Figure(page, tmp_path / f"{len(figures)}.html", name, **state))
        figures[-1].drawn()
        return figures[-1]

    yield show
    for figure in figures:
        assert len(figure.requests) == 1  # the host page itself
        assert figure.complaints == []
        figure.page.close()


# Every figure


@pytest.mark.parametrize("name", names())
def test_says_that_it_is_ready_and_how_high_it_is(show, name):
    figure = show(name)
    assert figure.hear("ready") == {"twice": "ready"}
    wide = figure.hear("height")["height"]
    assert figure.frame.locator("main").bounding_box()["height"] == pytest.approx(wide, abs=1)
    figure.page.set_viewport_size({"width": PHONE, "height": 1000})
    # higher now: the columns stand one below the other
    figure.page.wait_for_function("(wide) => of('height').at(-1).height > wide", arg=wide)


@pytest.mark.parametrize("name", names())
def test_fits_a_phone_a_page_and_its_own_height(show, name):
    for width, state in product([PHONE, ZOOMED, PAGE], [{}, OTHER[name]]):
        figure = show(name, width, **state)
        assert figure.frame.locator("html").evaluate("html => html.scrollWidth") == width
    wide = show(name, WIDE)
    given = wide.page.locator("iframe").bounding_box()["height"]
    assert given - 60 <= wide.hear("height")["height"] <= given  # where no page listens


@pytest.mark.parametrize("name", names())
def test_state_goes_in_and_comes_out(show, name):
    first = show(name).state
    figure = show(name, **first)
    assert figure.state == first
    changed = {**first, **OTHER[name]}
    figure.tell(twice="state", state=OTHER[name])
    assert figure.state == changed
    figure.role("button", "Reset").click()
    assert figure.state == first
    assert show(name, **changed).state == changed


@pytest.mark.parametrize("name", names())
def test_theme_is_the_page_s_or_else_the_system_s(show, name):
    dark = show(name, setting={"color_scheme": "dark"})
    paper = dark.frame.locator("body")
    expect(paper).to_have_css("background-color", "rgb(20, 23, 27)")
    dark.page.emulate_media(color_scheme="light")
    expect(paper).to_have_css("background-color", "rgb(255, 255, 255)")
    dark.tell(twice="theme", theme="dark")
    expect(paper).to_have_css("background-color", "rgb(20, 23, 27)")
    dark.tell(twice="theme", theme="light")
    expect(paper).to_have_css("background-color", "rgb(255, 255, 255)")


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_axe_finds_nothing(show, name, theme, width):
    figure = show(name, width)
    for state in [{}, OTHER[name]]:
        figure.tell(twice="theme", theme=theme)
        figure.tell(twice="state", state=state)
        figure.drawn()
        assert_accessible(figure.page.frames[1])


# What a finger has to hit, in pixels: where a box stands in its label, that.
SMALL = """() =>
  [...document.querySelectorAll(
    "a, button, input, select, summary, textarea, [role=slider], [tabindex='0']:not(p)")]
    .map((one) => (/^(checkbox|radio)$/.test(one.type) && one.closest("label")) || one)
    .filter((one) => one.checkVisibility())
    .filter((one) => Math.min(one.getBoundingClientRect().width, one.getBoundingClientRect().height) < 24)
    .map((one) => one.outerHTML)"""


@pytest.mark.parametrize("name", names())
def test_targets_are_large_enough_for_a_finger(show, name):
    figure = show(name, 375, {"has_touch": True})
    for state in [{}, OTHER[name]]:
        figure.tell(twice="state", state=state)
        figure.drawn()
        assert figure.page.frames[1].evaluate(SMALL) == []
    boxes = figure.frame.locator("input[type=checkbox]:visible")
    assert all(box.bounding_box()["width"] >= 20 for box in boxes.all())


# Chromium itself gives no frames to what is off screen: whether a figure asks for one is what counts.
COUNT_FRAMES = """() => {
  const request = requestAnimationFrame;
  globalThis.asked = 0;
  globalThis.requestAnimationFrame = (draw) => { asked += 1; return request(draw); };
}"""


@pytest.mark.parametrize("name", names())
def test_draws_nothing_while_off_screen(show, name):
    figure = show(name)
    first, numbers = figure.state, figure.frame.locator(".formula").first
    before = numbers.inner_text()
    figure.leave()
    frame = figure.page.frames[1]
    frame.evaluate(COUNT_FRAMES)
    figure.tell(twice="state", state=OTHER[name])
    assert figure.state != first  # it has the state, and only does not draw it
    assert frame.evaluate("asked") == 0
    assert numbers.inner_text() == before
    figure.page.evaluate("scrollTo(0, 0)")
    expect(numbers).not_to_have_text(before, use_inner_text=True)


@pytest.mark.parametrize("name", names())
def test_every_slider_by_keyboard_and_every_number_field(show, name):
    figure = show(name)
    ranges = figure.frame.locator("input[type=range]:visible")
    for i in range(ranges.count()):
        slider = ranges.nth(i)
        number = slider.locator("xpath=following-sibling::input")
        before, shown = figure.state, number.input_value()
        slider.focus()
        figure.page.keyboard.press(
            "ArrowRight" if slider.input_value() != slider.get_attribute("max") else "ArrowLeft"
        )
        assert figure.state != before, slider.get_attribute("id")
        number.fill(shown)
        assert figure.state == before
        number.fill("")
        number.blur()
        expect(number).to_have_value(shown)


# What the Tab key leads to: of radio buttons the chosen one.
STOPS = """() =>
  [...document.querySelectorAll("button, input, summary, textarea, [tabindex='0']")]
    .filter((one) => one.checkVisibility() && !one.disabled && (one.type !== "radio" || one.checked))"""
OUTLINED = """() => {
  const one = document.activeElement;
  const parts = [[one], [one, "::before"], [one.nextElementSibling ?? one]];
  return parts.some((part) => parseFloat(getComputedStyle(...part).outlineWidth) > 0 &&
    getComputedStyle(...part).outlineStyle !== "none");
}"""


@pytest.mark.parametrize("name", names())
def test_every_control_is_reached_and_seen_by_keyboard_alone(show, name):
    figure = show(name)
    frame = figure.page.frames[1]
    for stop in range(frame.evaluate(f"({STOPS})().length")):
        figure.page.keyboard.press("Tab")  # the frame may hear of it later than the page
        frame.wait_for_function(f"(stop) => ({STOPS})().indexOf(document.activeElement) === stop", arg=stop)
        assert frame.evaluate(OUTLINED)
    figure.page.keyboard.press("Tab")
    figure.page.wait_for_function("document.activeElement.tagName !== 'IFRAME'")


@pytest.mark.parametrize("name", names())
def test_a_screen_reader_hears_the_outcome(show, name):
    figure = show(name)
    status = figure.frame.get_by_role("status")
    expect(status).to_be_empty()
    figure.tell(twice="state", state=OTHER[name])
    expect(status).not_to_be_empty()
    picture = figure.frame.get_by_role("img").first
    described = picture.evaluate(
        "svg => document.getElementById(svg.getAttribute('aria-describedby')).textContent"
    )
    assert described == status.text_content()


OTHER = {
    "attention": {
        "query": [[-1, 2]],
        "keys": [[1, 1, 0.5], [-2, 0.5, -0.5], [0, -1, 1]],
        "sharpness": 3,
        "scaled": False,
        "masked": True,
        "position": 2,
    },
    "decoder": {
        "text": "Call me Ishmael.",
        "letter": 9,
        "block": 2,
        "head": 3,
        "written": 12,
        "temperature": 1.2,
        "seed": 4,
    },
    "backpropagation": {"graph": "two layers", "activation": "sigmoid", "stage": 17, "w2": 2.5},
    "convolution": {
        "picture": "ramp",
        "kernel": [[1, 2, 1], [2, 4, 2], [1, 2, 0.5]],
        "divide": 16,
        "stride": 2,
        "padding": "same",
        "row": 5,
        "column": 0,
        "filled": 20,
    },
    "digits": {
        "sample": "none",
        "drawing": [[row, 13, 255] for row in range(5, 20)],
        "pen": "erase",
        "right": 6,
        "down": -2,
        "turn": 30,
        "normalise": False,
    },
    "label-budget": {"labels": 1300, "way": "nothing", "draw": "0"},
    "neuron": {"w1": -1.5, "x2": 0.7, "activation": "tanh", "data": "XOR", "turn": 2},
    "linear-regression": {"points": [[1, 5], [4, 2]], "standardise": True, "rate": 0.3, "w": 2, "steps": 9},
    "logistic-regression": {
        "classes": "three",
        "class0": [[-2, 1], [0, 0]],
        "kept": 5,
        "rate": 1,
        "steps": 50,
    },
    "names": {"beginning": "jo", "more": "han", "letter": 3, "by": "pairs", "temperature": 0.7, "seed": 5},
    "recurrence": {
        "activation": "tanh",
        "u": -1.5,
        "w": 2,
        "b": 0.3,
        "steps": 20,
        "at": 4,
        "size": -1.5,
        "others": 0.6,
    },
    "network": {
        "data": "XOR",
        "hidden1": 6,
        "hidden2": 0,
        "activation": "relu",
        "steps": 60,
        "neuron": "1.2",
    },
    "optimizers": {"surface": "valley", "x": -1, "y": 2, "steps": 90, "adam": False, "sgd_rate": 0.02},
    "shapes": {"network": "convolution", "way": "backward", "seed": 5, "known": 2},
    "overfitting": {"examples": 40, "noise": 0.5, "degree": 9, "strength": -2, "sample": 5, "others": True},
}


# The neuron


def test_neuron_tip_of_w_is_dragged(show):
    figure = show("neuron", w1=2, w2=1)
    tip = figure.role("slider", "Tip of the weight vector w")
    unit = figure.frame.locator(".plot").first.bounding_box()["width"] / 4.4
    figure.drag(
        tip, -2 * unit, -0.5 * unit
    )  # the arrow is drawn at half its length, and pixels grow downwards
    assert (figure.state["w1"], figure.state["w2"]) == (pytest.approx(-2, abs=0.1), pytest.approx(2, abs=0.1))


def test_neuron_input_is_dragged_by_finger(show):
    figure = show("neuron", PHONE, {"has_touch": True}, x1=0, x2=0)
    unit = figure.frame.locator(".plot").first.bounding_box()["width"] / 4.4
    figure.drag_with_finger(figure.role("slider", "Input x"), unit, -unit)
    assert (figure.state["x1"], figure.state["x2"]) == (pytest.approx(1, abs=0.1), pytest.approx(1, abs=0.1))


def test_neuron_input_is_moved_by_arrow_keys_and_a_click(show):
    figure = show("neuron", x1=0, x2=0)
    figure.role("slider", "Input x").focus()
    for key in ["ArrowRight", "ArrowUp", "ArrowUp", "Shift+ArrowLeft"]:
        figure.page.keyboard.press(key)
    assert (figure.state["x1"], figure.state["x2"]) == (-0.9, 0.2)
    expect(figure.role("slider", "Input x")).to_have_attribute("aria-valuetext", "x₁ −0.90, x₂ 0.20")
    plane = figure.frame.locator(".plot").first
    plane.click(position={"x": plane.bounding_box()["width"] / 2 - 1, "y": 10})
    assert (figure.state["x1"], figure.state["x2"]) == (0, 2)


def test_neuron_formula_follows_the_state(show):
    figure = show("neuron", w1=1, w2=-2, b=0.5, x1=1.5, x2=-1, activation="relu")
    formula = figure.frame.locator(".formula")
    expect(formula).to_contain_text("= 1.00 · 1.50 − 2.00 · (−1.00) + 0.50 = 4.00", use_inner_text=True)
    expect(formula).to_contain_text("relu(4.00) = 4.000, with slope f′(z) = 1.000", use_inner_text=True)
    figure.role("radio", "step").check()
    figure.tell(twice="state", state={"b": -3.5})
    expect(formula).to_contain_text("step(0.00) = 1.000, with slope f′(z) = none", use_inner_text=True)


@pytest.mark.parametrize("data, solved", [("AND", True), ("OR", True), ("XOR", False)])
def test_neuron_learns_what_a_line_can_tell_apart(show, data, solved):
    figure = show("neuron", w1=-1, w2=0.5, b=0)
    figure.role("radio", data).check()
    step = figure.role("button", "One step of the perceptron rule")
    expect(step).to_be_enabled()  # it is not, before there is a task
    for _ in range(40):
        if step.is_disabled():
            break
        step.click()
        figure.drawn()
    expect(step).to_be_disabled() if solved else expect(step).to_be_enabled()
    count = expect(figure.frame.locator(".truth"))
    count.to_contain_text("4 of 4 points are right.") if solved else count.not_to_contain_text("4 of 4")


# Convolution


def square(figure, plot, row, column, size):
    """Return where a square of a picture is, in pixels within the picture."""
    side = figure.frame.locator(".plot").nth(plot).bounding_box()["width"] / size
    return {"x": (column + 0.5) * side, "y": (row + 0.5) * side}


def test_convolution_formula_follows_the_state(show):
    figure = show("convolution", picture="dot", kernel=[[1, 2, 3], [4, -5, 6], [7, 8, 9]], row=4, column=5)
    formula = figure.frame.locator(".formula")
    expect(formula).to_contain_text("y[4, 5] = 1·0 + 2·0 + 3·0 + 4·0 + (−5)·9 + 6·0", use_inner_text=True)
    expect(formula).to_contain_text("= −45", use_inner_text=True)
    expect(formula).to_contain_text("⌊(12 − 3)/1⌋ + 1 = 10", use_inner_text=True)
    figure.role("slider", "divided by").press("ArrowRight")
    expect(formula).to_contain_text("/ 2 = −45/2 = −22.5", use_inner_text=True)
    figure.role("radio", "same").check()
    figure.role("slider", "stride").press("ArrowRight")
    expect(formula).to_contain_text("⌈12/2⌉ = 6, with zeros around the picture: 0 before it, 1 after it")


def test_convolution_kernel_is_edited_and_chosen(show):
    figure = show("convolution")
    vertical, blur = figure.role("button", "vertical edges"), figure.role("button", "blur")
    expect(vertical).to_have_attribute("aria-pressed", "true")
    figure.role("spinbutton", "kernel, row 1, column 2").fill("-2.5")
    expect(vertical).to_have_attribute("aria-pressed", "false")
    assert figure.state["kernel"] == [[-1, 0, 1], [-2, 0, -2.5], [-1, 0, 1]]
    figure.role("spinbutton", "kernel, row 1, column 2").fill("99")
    assert figure.state["kernel"][1][2] == -2.5
    blur.click()
    expect(blur).to_have_attribute("aria-pressed", "true")
    assert (figure.state["kernel"], figure.state["divide"]) == ([[1, 1, 1]] * 3, 9)
    expect(figure.role("spinbutton", "kernel, row 1, column 2")).to_have_value("1")


def test_convolution_place_by_mouse(show):
    figure = show("convolution", row=0, column=0)
    formula, plots = figure.frame.locator(".formula"), figure.frame.locator(".plot")
    plots.nth(1).hover(position=square(figure, 1, 7, 2, 10))
    expect(formula).to_contain_text("y[7, 2]", use_inner_text=True)
    plots.nth(0).hover(position=square(figure, 0, 5, 9, 12))  # the middle of the window
    expect(formula).to_contain_text("y[4, 8]", use_inner_text=True)
    figure.page.mouse.move(5, 5)
    expect(formula).to_contain_text("y[0, 0]", use_inner_text=True)
    plots.nth(0).click(position=square(figure, 0, 0, 0, 12))  # where no window has its middle
    expect(formula).to_contain_text("y[0, 0]", use_inner_text=True)
    plots.nth(1).click(position=square(figure, 1, 9, 9, 10))
    figure.page.mouse.move(5, 5)
    expect(formula).to_contain_text("y[9, 9]", use_inner_text=True)
    assert (figure.state["row"], figure.state["column"]) == (9, 9)


def test_convolution_place_by_keyboard(show):
    figure = show("convolution", row=0, column=0)
    handle = figure.role("slider", "Place in the output")
    handle.focus()
    for key in [
        "ArrowDown",
        "ArrowDown",
        "ArrowUp",
        "ArrowRight",
        "ArrowLeft",
        "ArrowLeft",
        "Shift+ArrowRight",
    ]:
        figure.page.keyboard.press(key)
    expect(handle).to_have_attribute("aria-valuetext", "row 1, column 9: 0")
    assert (figure.state["row"], figure.state["column"]) == (1, 9)


def test_convolution_place_by_finger(show):
    figure = show("convolution", PHONE, {"has_touch": True}, row=2, column=2)
    formula = figure.frame.locator(".formula")
    side = figure.frame.locator(".plot").nth(1).bounding_box()["width"] / 10
    figure.drag_with_finger(figure.role("slider", "Place in the output"), 3 * side, side)
    expect(formula).to_contain_text("y[3, 5]", use_inner_text=True)


def test_convolution_place_by_a_tap(show):
    figure = show("convolution", PHONE, {"has_touch": True})
    figure.frame.locator(".plot").first.tap(position=square(figure, 0, 8, 8, 12))
    expect(figure.frame.locator(".formula")).to_contain_text("y[7, 7]", use_inner_text=True)


def test_convolution_output_fills_in(show):
    figure = show("convolution", row=0, column=8, filled=9)
    pending = figure.frame.locator(".pending")
    expect(pending).to_have_count(91)
    for _ in range(2):
        figure.role("button", "Step").click()
    expect(pending).to_have_count(89)
    assert (figure.state["row"], figure.state["column"], figure.state["filled"]) == (1, 0, 11)
    figure.role("button", "Show all").click()
    expect(pending).to_have_count(0)
    figure.role("button", "Step").click()
    expect(figure.frame.locator(".formula")).to_contain_text("y[1, 1]", use_inner_text=True)
    expect(pending).to_have_count(0)


def test_convolution_plays_anew_and_to_the_end(show):
    figure = show("convolution", stride=3, row=0, column=0)
    figure.role("button", "Play").click()
    expect(figure.frame.locator(".formula")).to_contain_text("y[3, 3]", use_inner_text=True)
    expect(figure.role("button", "Play")).to_be_visible()
    expect(figure.frame.locator(".pending")).to_have_count(0)
    assert figure.state["filled"] == 16


def test_convolution_plays_in_one_leap_where_motion_is_reduced(show):
    figure = show("convolution", setting={"reduced_motion": "reduce"}, filled=3)
    figure.role("button", "Play").click()
    expect(figure.frame.locator(".pending")).to_have_count(0)


# Digits


def drawing(picture):
    """Return the pixels of a picture that have ink, as the figure's state has them."""
    return np.c_[np.argwhere(picture), picture[picture > 0]].tolist()


def scores(pictures):
    """Return the scores of the shipped network for pictures, shape (n, 10), in float64."""
    stored = np.load(ASSETS / "digits.npz")
    W1, b1, W2, b2, W3, b3 = (stored[key].astype(float) for key in ("W1", "b1", "W2", "b2", "W3", "b3"))
    maps = MaxPooling2D(2).forward(relu(conv2d(pictures[..., None] / 255, W1) + b1))
    maps = MaxPooling2D(2).forward(relu(conv2d(maps, W2) + b2))
    return maps.reshape(len(maps), -1) @ W3 + b3


# The figure's frame answers each state with the probabilities that it shows once that state is drawn.
RECORD = """() => {
  const read = () => [...document.querySelectorAll(".bars data")].map(({ value }) => Number(value));
  const answer = () => parent.postMessage({ twice: "read", p: read() }, "*");
  addEventListener("message", ({ data }) => {
    if (data.twice === "state") requestAnimationFrame(() => requestAnimationFrame(answer));
  });
}"""
PUT = """async (states) => {
  for (const [i, state] of states.entries()) {
    tell({ twice: "state", state });
    while (of("read").length === i) await new Promise(requestAnimationFrame);
  }
  return of("read").map(({ p }) => p);
}"""


def readings(figure, states):
    """Put one state after the other into a figure; return the probabilities it shows for each, (n, 10)."""
    figure.page.frames[1].evaluate(RECORD)
    return np.array(figure.page.evaluate(PUT, states))


def best(figure):
    """Return the row of the digit with the highest probability."""
    return figure.frame.locator(".bars .best th")


def test_digits_of_mnist_are_read_as_numpy_reads_them(show):
    (_, _), (x, _) = mnist()
    p = softmax(scores(x[:200]))
    figure = show("digits", sample="none")
    ours = readings(figure, [{"drawing": drawing(picture)} for picture in x[:200]])
    assert (ours.argmax(axis=1) == p.argmax(axis=1)).all()
    agree("probabilities", ours, p, atol=1e-12)


def test_digits_are_drawn_by_mouse(show):
    figure = show("digits", sample="none")
    expect(figure.frame.locator(".hint")).to_be_visible()
    box = figure.frame.locator(".board").bounding_box()
    places = [(box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in SEVEN]
    figure.page.mouse.move(*places[0])
    figure.page.mouse.down()
    for place in places[1:]:
        figure.page.mouse.move(*place, steps=5)
    figure.page.mouse.up()
    expect(figure.frame.locator(".hint")).to_have_count(0)
    expect(best(figure)).to_have_text("7")
    expect(figure.frame.locator(".formula")).to_contain_text("The network reads a 7")
    before = figure.state
    figure.page.mouse.move(*places[0])  # the pen is up
    assert figure.state == before
    figure.role("button", "Clear").click()
    expect(figure.frame.locator(".hint")).to_be_visible()
    assert figure.state["drawing"] == []


SEVEN = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]


def test_digits_are_drawn_by_finger(show):
    figure = show("digits", PHONE, {"has_touch": True}, sample="none")
    board = figure.frame.locator(".board")
    figure.drag_with_finger(board, 0.05 * board.bounding_box()["width"], 100)
    expect(figure.frame.locator(".formula")).to_contain_text("The network reads a 1")
    rows = [row for row, _, grey in figure.state["drawing"] if grey == 255]
    assert min(rows) in (12, 13, 14) and max(rows) > 20
    assert figure.page.evaluate("scrollY") == 0  # the finger drew and did not scroll


def test_digits_are_chosen_by_keyboard(show):
    figure = show("digits", sample="3a")
    expect(best(figure)).to_have_text("3")
    figure.role("radio", "3, first sample").focus()
    for name, digit in [("3b", "3"), ("4a", "4"), ("4b", "4"), ("5a", "5")]:
        figure.page.keyboard.press("ArrowRight")
        expect(best(figure)).to_have_text(digit)
        assert figure.state["sample"] == name
    expect(figure.role("radio", "5, first sample")).to_be_checked()
    figure.role("slider", "right").press("ArrowRight")
    assert figure.state["right"] == 1
    figure.role("radio", "5, first sample").press("ArrowRight")
    assert (figure.state["sample"], figure.state["right"]) == ("5b", 0)
    figure.role("button", "Clear").press("Enter")
    expect(figure.frame.locator(".formula")).to_contain_text("Nothing is drawn yet")


def test_digits_of_mnist_show_what_every_layer_makes_of_them(show):
    figure = show("digits")
    maps = figure.frame.locator(".maps")
    assert [row.locator("span canvas:last-child").count() for row in maps.all()] == [8, 8, 16, 16]
    sizes = maps.locator("span canvas:last-child").evaluate_all("(maps) => maps.map(({ width }) => width)")
    assert sizes == [26] * 8 + [13] * 8 + [11] * 16 + [5] * 16
    before = maps.locator("canvas").evaluate_all("(maps) => maps.map((map) => map.toDataURL())")
    figure.role("radio", "8, first sample").click()
    expect(best(figure)).to_have_text("8")
    after = maps.locator("canvas").evaluate_all("(maps) => maps.map((map) => map.toDataURL())")
    changed = [old != new for old, new in zip(before, after, strict=True)]
    assert changed[:16] == [False, True] * 8  # a kernel, its map
    assert sum(changed) >= 36


def test_digits_may_be_anywhere_once_normalised(show):
    figure = show("digits", sample="4a")
    moved = {"right": 6, "down": -3}
    states = [{"right": 0}, moved, moved | {"normalise": False}]
    unmoved, normalised, as_it_is = readings(figure, states)
    assert (normalised == unmoved).all()
    assert np.abs(as_it_is - unmoved).max() > 0.01
    figure.role("checkbox", "scaled and centred as in MNIST").check()
    expect(figure.frame.locator(".board .frame")).to_be_visible()
    figure.role("checkbox", "scaled and centred as in MNIST").uncheck()
    expect(figure.frame.locator(".board .frame")).to_have_count(0)
    assert not figure.state["normalise"]


def test_digits_are_erased_and_drawn_upon_where_they_are_seen(show):
    figure = show("digits", sample="7a", right=5)
    figure.role("radio", "erase").check()
    board = figure.frame.locator(".board")
    side = board.bounding_box()["width"] / 28
    board.click(position={"x": 20 * side, "y": 8 * side})
    expect(figure.role("radio", "7, first sample")).not_to_be_checked()
    state = figure.state
    assert (state["sample"], state["right"]) == ("none", 0)
    (_, _), (x, _) = mnist()
    moved = np.roll(x[0], 5, axis=1)
    kept = np.zeros((28, 28))
    for row, column, grey in state["drawing"]:
        kept[int(row), int(column)] = grey
    lost = np.argwhere(kept != moved)
    assert len(lost) > 0 and np.abs(lost - [7.5, 19.5]).max() < 3
    assert (kept <= moved).all() and kept[7, 19] == 0


# Linear regression


def test_line_points_are_dragged_added_and_removed(show):
    figure = show("linear-regression", points=[[1, 1], [4, 2]])
    scatter = figure.frame.locator(".plot").first
    unit = scatter.bounding_box()["width"] / 7
    figure.drag(figure.role("slider", "Point 2"), unit, -2 * unit)
    assert figure.state["points"] == [[1, 1], [pytest.approx(5, abs=0.1), pytest.approx(4, abs=0.1)]]
    scatter.click(position={"x": 2.6 * unit, "y": 1.4 * unit})
    assert figure.state["points"][2] == [pytest.approx(2, abs=0.1), pytest.approx(5, abs=0.1)]
    figure.role("button", "Add a point").click()
    assert len(figure.state["points"]) == 4
    for _ in range(3):
        figure.role("button", "Remove a point").click()
    expect(figure.role("button", "Remove a point")).to_be_disabled()
    assert figure.state["points"] == [[1, 1]]


def test_line_points_by_keyboard(show):
    figure = show("linear-regression", points=[[1, 1], [4, 2], [5, 3]])
    figure.role("slider", "Point 1").focus()
    for key in ["ArrowUp", "PageDown", "ArrowLeft", "PageUp", "PageUp", "Delete"]:
        figure.page.keyboard.press(key)
    assert figure.state["points"] == [[1, 1.1], [3.9, 2]]
    expect(figure.frame.locator(".datum[tabindex='0']")).to_have_count(1)


def test_line_points_by_finger(show):
    figure = show("linear-regression", PHONE, {"has_touch": True}, points=[[1, 1], [4, 2]])
    unit = figure.frame.locator(".plot").first.bounding_box()["width"] / 7
    figure.drag_with_finger(figure.role("slider", "Point 1"), unit, -unit)
    assert figure.state["points"][0] == [pytest.approx(2, abs=0.1), pytest.approx(2, abs=0.1)]


def test_line_moves_on_the_map_and_begins_anew(show):
    figure = show("linear-regression", w=0, b=1)
    unit = figure.frame.locator(".plot").nth(1).bounding_box()["width"] / 6.8
    figure.drag(figure.role("slider", "The line, as a point of the map"), unit, -2 * unit)
    assert (figure.state["w"], figure.state["b"]) == (pytest.approx(1, abs=0.1), pytest.approx(3, abs=0.1))
    figure.role("button", "Step").click()
    assert figure.state["steps"] == 1
    figure.role("slider", "slope w").press("ArrowRight")
    assert figure.state["steps"] == 0


def test_line_steps_follow_the_gradient_to_the_least_squares(show):
    figure = show("linear-regression", points=[[1, 1], [2, 3], [3, 2]], standardise=True, rate=0.25, w=0, b=0)
    formula = figure.frame.locator(".formula")
    expect(formula).to_contain_text("= 4.667")  # (1 + 9 + 4) / 3
    expect(formula).to_contain_text("∂L/∂w = −0.816, ∂L/∂b = −4.000")
    figure.role("button", "Step").click()
    expect(formula).to_contain_text("ŷ = 0.20 u + 1.00", use_inner_text=True)
    figure.role("button", "Run").click()
    expect(figure.frame.locator(".terrain")).to_contain_text("this is the lowest point")
    expect(figure.role("button", "Run")).to_be_visible()  # no longer "Pause"
    expect(formula).to_contain_text("ŷ = 0.41 u + 2.00", use_inner_text=True)
    figure.role("button", "Back to the start").click()
    expect(formula).to_contain_text("ŷ = 0.00 u + 0.00", use_inner_text=True)


def test_line_says_when_the_rate_is_too_large(show):
    figure = show("linear-regression", rate=0.2)
    figure.role("button", "Run").click()
    expect(figure.frame.locator(".terrain")).to_contain_text("every step overshoots")
    expect(figure.role("button", "Run")).to_be_visible()
    assert figure.state["steps"] < 200
    figure.tell(twice="state", state={"rate": 2, "steps": 200})
    expect(figure.frame.locator(".formula")).to_contain_text(
        "e"
    )  # a loss of 1e12 and more, still written and drawn


def test_line_run_is_one_leap_where_motion_is_reduced(show):
    figure = show("linear-regression", setting={"reduced_motion": "reduce"})
    figure.role("button", "Run").click()
    assert figure.state["steps"] == 200


def test_line_run_pauses_off_screen_and_on_demand(show):
    figure = show("linear-regression", rate=0.001)
    figure.role("button", "Run").click()
    expect(figure.frame.get_by_label("steps, exact value")).not_to_have_value("0")
    figure.role("button", "Pause").click()
    steps = figure.state["steps"]
    figure.page.wait_for_timeout(300)
    assert figure.state["steps"] == steps
    figure.role("button", "Run").click()
    figure.leave()
    steps = figure.state["steps"]
    figure.page.wait_for_timeout(300)
    assert figure.state["steps"] == steps < 200


def test_line_stays_when_standardised(show):
    figure = show("linear-regression", w=1, b=1)
    figure.role("checkbox", "standardise x").check()
    state = figure.state
    x = [x for x, _ in state["points"]]
    mean = sum(x) / len(x)
    assert state["standardise"] and state["b"] == pytest.approx(1 + mean)  # the line's height at the mean
    figure.role("checkbox", "standardise x").uncheck()
    assert (figure.state["w"], figure.state["b"]) == (pytest.approx(1), pytest.approx(1))


# Logistic regression

SQUARE = {"class0": [[-2, -1], [-1, 1]], "class1": [[1, -1], [2, 1]]}  # x₁ alone tells them apart


def test_classifier_learns_and_reports(show):
    figure = show("logistic-regression", steps=0, rate=1, **SQUARE)
    formula, report = figure.frame.locator(".formula"), figure.frame.locator(".report")
    expect(formula).to_contain_text("= 0.693")  # log 2: nothing is known yet
    expect(report).to_contain_text("true 0 2 0 0.50 1.00 0.67", use_inner_text=True)  # ½ is not above ½
    figure.role("button", "Step").click()
    expect(formula).to_contain_text("z = 0.75 x₁ + 0.00 x₂ + 0.00", use_inner_text=True)
    expect(report).to_contain_text("true 1 0 2 1.00 1.00 1.00", use_inner_text=True)
    expect(report).to_contain_text("Accuracy 1.000", use_inner_text=True)
    figure.role("button", "Run").click()
    expect(figure.role("button", "Pause")).to_be_visible()
    expect(figure.frame.get_by_label("steps, exact value")).not_to_have_value("1")


def test_classifier_run_is_one_leap_where_motion_is_reduced(show):
    figure = show("logistic-regression", setting={"reduced_motion": "reduce"})
    figure.role("button", "Run").click()
    assert figure.state["steps"] == 200


def test_classifier_threshold_trades_precision_for_recall(show):
    figure = show("logistic-regression", steps=50)
    report = figure.frame.locator(".report")

    def rates():
        cells = report.locator("tbody tr").nth(1).locator("td").all_inner_texts()
        return float(cells[-3]), float(cells[-2])

    precision, recall = rates()
    figure.tell(twice="state", state={"threshold": 0.05})
    expect(report).not_to_contain_text(f"{recall:.2f}")
    low_precision, high_recall = rates()
    assert low_precision < precision and high_recall > recall
    field = figure.frame.get_by_label("threshold, exact value")
    field.fill("0.95")
    figure.drawn()
    high_precision, low_recall = rates()
    assert high_precision > precision and low_recall < recall


def test_classifier_points_that_take_no_part_are_rings(show):
    figure = show("logistic-regression")
    squares, rings = figure.frame.locator(".handle.class1:visible"), figure.frame.locator(".aside")
    expect(squares).to_have_count(20)
    expect(rings).to_have_count(0)
    figure.role("slider", "points of class 1 that take part").press("Home")
    expect(squares).to_have_count(1)
    expect(rings).to_have_count(19)
    counts = figure.frame.locator(".report tbody tr").nth(1).locator("td").all_inner_texts()[:2]
    assert sorted(counts) == ["0", "1"]


def test_classifier_point_is_dragged_and_marked_when_wrong(show):
    figure = show("logistic-regression", steps=50, rate=1, **SQUARE)
    expect(figure.frame.locator(".wrong")).to_have_count(0)
    plane = figure.frame.locator(".plot").first
    unit = plane.bounding_box()["width"] / 6.4
    figure.drag(
        figure.role("slider", "Class 1, point 1"), -2.5 * unit, -unit
    )  # halfway between class 0's points
    assert figure.state["class1"][0] == pytest.approx([-1.5, 0], abs=0.1)
    expect(figure.frame.locator(".wrong")).not_to_have_count(0)
    figure.page.keyboard.press("PageDown")
    figure.role("slider", "Class 0, point 2").press("Shift+ArrowRight")
    assert figure.state["class0"][1] == [0, 1]


def test_classifier_has_three_classes_too(show):
    figure = show("logistic-regression")
    curve = figure.frame.get_by_role("img", name="The probability of class 1")
    expect(curve).to_be_visible()
    expect(figure.frame.locator(".plot .edge")).to_have_count(2)  # the boundary, and the cut of the curve
    figure.role("radio", "three classes").check()
    expect(curve).to_be_hidden()
    expect(figure.role("slider", "threshold")).to_be_hidden()
    expect(figure.frame.locator(".formula")).to_contain_text("p = softmax(z)", use_inner_text=True)
    expect(figure.frame.locator(".handle.class2:visible")).to_have_count(20)
    expect(figure.frame.locator(".plot .edge:visible")).to_have_count(3)
    expect(figure.frame.locator(".report tbody tr")).to_have_count(3)


# The network


def test_network_neuron_is_shown_in_passing_and_by_click(show):
    figure = show("network", hidden1=3, hidden2=2)
    key, formula = figure.frame.locator(".key"), figure.frame.locator(".formula")
    expect(key).to_contain_text("response of the output")
    unit = figure.role("radio", "neuron 2 of layer 1")
    unit.hover()
    expect(key).to_contain_text("response of neuron 2 of layer 1")
    expect(formula).to_contain_text("x₂", use_inner_text=True)
    assert figure.state["neuron"] == "1.2"
    figure.page.mouse.move(5, 5)
    expect(key).to_contain_text("response of the output")
    unit.click()
    figure.page.mouse.move(5, 5)
    expect(key).to_contain_text("response of neuron 2 of layer 1")
    assert figure.state["neuron"] == "1.2"


def test_network_neurons_by_keyboard(show):
    figure = show("network", hidden1=2, hidden2=2, neuron="1.1")
    figure.role("radio", "neuron 1 of layer 1").focus()
    for name in ["1.2", "2.1", "2.2", "output"]:
        figure.page.keyboard.press("ArrowDown")
        assert figure.state["neuron"] == name
    expect(figure.role("radio", "the output")).to_be_checked()


def test_network_neuron_by_finger(show):
    figure = show("network", PHONE, {"has_touch": True}, hidden1=6, hidden2=6)
    for unit in figure.frame.locator(".unit:visible").all():
        assert unit.bounding_box()["width"] >= 36
    figure.role("radio", "neuron 6 of layer 2").tap()
    assert figure.state["neuron"] == "2.6"


def test_network_is_drawn_as_it_is_shaped(show):
    figure = show("network", hidden1=4, hidden2=3)
    units, weights = figure.frame.locator(".unit:visible"), figure.frame.locator("path.weight")
    count = figure.frame.locator(".count")
    expect(units).to_have_count(8)
    expect(weights).to_have_count(2 * 4 + 4 * 3 + 3)
    expect(count).to_contain_text("2 · 4 + 4 = 12, 4 · 3 + 3 = 15, 3 · 1 + 1 = 4. Together 31 parameters.")
    figure.frame.get_by_label("layer 2, exact value").fill("0")
    expect(units).to_have_count(5)
    expect(weights).to_have_count(2 * 4 + 4)
    expect(count).to_contain_text("2 · 4 + 4 = 12, 4 · 1 + 1 = 5. Together 17 parameters.")


def test_network_trains(show):
    figure = show("network", steps=0)
    formula, progress = figure.frame.locator(".formula"), figure.frame.locator(".progress")
    expect(progress).to_have_text("Nothing is learnt yet: press Step or Train.")
    expect(figure.frame.locator(".wrong")).not_to_have_count(0)
    figure.role("button", "Step").click()
    assert figure.state["steps"] == 1
    figure.role("button", "Train").click()
    expect(formula).to_contain_text("80 of 80 points right", use_inner_text=True, timeout=60_000)
    expect(figure.frame.locator(".wrong")).to_have_count(0)
    figure.frame.get_by_role("button").evaluate_all(  # which may have run to its end by now
        "all => all.find(({ textContent }) => textContent === 'Pause')?.click()"
    )
    figure.role("button", "Back to the start").click()
    assert figure.state["steps"] == 0


def test_network_answers_an_input_in_the_middle_of_a_training(show):
    """What is drawn at last is the state's own picture, whatever was being computed when it came."""
    deep = {"hidden1": 6, "hidden2": 6, "steps": 500}
    last = {**deep, "rate": 0.2, "neuron": "2.3"}
    expected = show("network", **last).frame.get_by_role("img", name="The network")
    expect(expected).to_contain_text("After 500 steps", timeout=60_000)
    words = expected.text_content()
    figure = show("network", **deep)
    for state in [{"data": "spiral"}, {"hidden2": 5}, {"hidden1": 3, "rate": 9}, {"data": "moons", **last}]:
        figure.tell(twice="state", state=state)
    picture = figure.frame.get_by_role("img", name="The network")
    expect(picture).to_have_text(words, timeout=60_000)
    status = figure.frame.get_by_role("status")
    expect(status).to_contain_text("After 500 steps", timeout=60_000)
    assert status.text_content() == picture.locator("desc").text_content()


def test_network_trains_in_one_leap_where_motion_is_reduced(show):
    figure = show("network", setting={"reduced_motion": "reduce"}, steps=0, hidden2=0)
    figure.role("button", "Train").click()
    assert figure.state["steps"] == 500


def test_network_of_linear_layers_draws_one_line(show):
    figure = show("network", hidden1=6, hidden2=6, steps=200)
    edge = figure.frame.locator(".plot .edge")

    def strays():
        """Return how far the edge strays from the line through its outermost points, in pixels."""
        numbers = re.findall(r"[\d.]+,[\d.]+", edge.get_attribute("d"))
        x, y = np.array([pair.split(",") for pair in numbers], float).T
        a, b = (x - y).argmin(), (x - y).argmax()
        if np.ptp(x + y) > np.ptp(x - y):
            a, b = (x + y).argmin(), (x + y).argmax()
        normal = np.array([y[a] - y[b], x[b] - x[a]])
        return np.abs(normal @ [x - x[a], y - y[a]]).max() / np.linalg.norm(normal)

    assert strays() > 20
    figure.role("radio", "linear").check()
    expect(figure.frame.locator(".formula")).to_contain_text("the whole network is one neuron")
    assert strays() < 0.5


def test_network_says_when_the_rate_is_too_large(show):
    figure = show("network", activation="linear", rate=10, scale=5, steps=500)
    expect(figure.frame.locator(".progress")).to_have_text("The loss has grown: the rate is too large.")


# Backpropagation

RECTANGLES = """(elements) => elements.map((element) => {
    const { left, top, right, bottom } = element.getBoundingClientRect();
    return [left, top, right, bottom];
})"""


def inside(part, whole):
    """Tell whether a rectangle, (left, top, right, bottom), lies in another."""
    return whole[0] <= part[0] and whole[1] <= part[1] and part[2] <= whole[2] and part[3] <= whole[3]


def overlap(one, other):
    """Tell whether two rectangles have more than an edge in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


HAND = {"x": 2, "w1": 0.5, "b1": 1, "y": 1, "activation": "relu"}  # u = 1, z = 2, ŷ = 2, e = 1, L = 1


def test_graph_is_stepped_forward_and_back(show):
    figure = show("backpropagation", **HAND)
    formula, back = figure.frame.locator(".formula"), figure.role("button", "Step back")
    forward = figure.role("button", "Step")
    expect(formula).to_contain_text("The inputs have their values.")
    expect(back).to_be_disabled()
    texts = [
        "u₁ = w₁ · x = 0.500 · 2.000 = 1.000",
        "z₁ = u₁ + b₁ = 1.000 + 1.000 = 2.000",
        "ŷ = relu z₁ = relu 2.000 = 2.000",
        "e = ŷ − y = 2.000 − 1.000 = 1.000",
        "L = e² = 1.000² = 1.000",
        "Backward now. It begins at the end: ∂L/∂L = 1.",
        "L = e² has the slope ∂L/∂e = 2e = 2.000",
        "∂L/∂ŷ = ∂L/∂e · ∂e/∂ŷ = 2.000 · 1.000 = 2.000",
        "∂L/∂y = ∂L/∂e · ∂e/∂y = 2.000 · (−1.000) = −2.000",
        "∂ŷ/∂z₁, 1 where z₁ > 0 and else 0, = 1.000",
        "∂L/∂u₁ = ∂L/∂z₁ · ∂z₁/∂u₁ = 2.000 · 1.000 = 2.000",
        "∂L/∂b₁ = ∂L/∂z₁ · ∂z₁/∂b₁ = 2.000 · 1.000 = 2.000",
        "u₁ = w₁ · x has the slope ∂u₁/∂w₁ = x = 2.000",
        "∂L/∂x = ∂L/∂u₁ · ∂u₁/∂x = 2.000 · 0.500 = 1.000",
    ]
    for text in texts:
        forward.click()
        expect(formula).to_contain_text(text, use_inner_text=True)
    expect(forward).to_be_disabled()
    expect(formula).to_contain_text("Every gradient is known")
    rows = figure.frame.locator(".check tbody tr")
    assert rows.all_inner_texts() == [
        f"{key}\t{value}\t{value}"
        for key, value in [("x", "1.0000"), ("w₁", "4.0000"), ("b₁", "2.0000"), ("y", "−2.0000")]
    ]
    for text in texts[-2::-1]:
        back.click()
        expect(formula).to_contain_text(text, use_inner_text=True)
    figure.role("button", "Back to the start").click()
    assert figure.state["stage"] == 0


def test_graph_boxes_and_arrows_fill_as_the_steps_go(show):
    figure = show("backpropagation", stage=5)
    gradients, slopes = figure.frame.locator("rect.gradient"), figure.frame.locator(".slope")
    expect(figure.frame.locator("rect.value")).to_have_count(9)
    expect(gradients).to_have_count(0)
    figure.tell(twice="state", state={"stage": 8})
    expect(gradients).to_have_count(3)  # L, e and ŷ
    expect(slopes).to_have_count(2)
    expect(figure.frame.locator(".box.current .title")).to_have_text("ŷ = tanh z₁")


def test_graph_numbers_follow_the_inputs_at_every_step(show):
    figure = show("backpropagation", stage=14, **HAND)
    formula = figure.frame.locator(".formula")
    expect(formula).to_contain_text("= 2.000 · 0.500 = 1.000", use_inner_text=True)
    figure.role("slider", "b₁").press("ArrowLeft")
    assert figure.state["b1"] == 0.9 and figure.state["stage"] == 14
    expect(formula).to_contain_text("= 1.800 · 0.500 = 0.900", use_inner_text=True)
    figure.frame.get_by_label("b₁, exact value").fill("-2")  # z = −1: a ReLU that does not answer
    expect(formula).to_contain_text("= 0.000 · 0.500 = 0.000", use_inner_text=True)


def test_graph_sums_over_two_paths(show):
    figure = show("backpropagation", graph="skip", activation="relu", x=2, w1=0.5, y=1)  # e = 2 + 1 − 1
    formula, x = figure.frame.locator(".formula"), figure.frame.locator(".box").first
    figure.tell(twice="state", state={"stage": 10})
    expect(x).to_contain_text("4.000 + …")
    expect(formula).to_contain_text("Another path from x to L is still to come.", use_inner_text=True)
    figure.tell(twice="state", state={"stage": 14})
    expect(formula).to_contain_text("∂L/∂x = 4.000 + ∂L/∂u₁ · ∂u₁/∂x", use_inner_text=True)
    expect(formula).to_contain_text("= 4.000 + 4.000 · 0.500 = 6.000.", use_inner_text=True)
    expect(x).not_to_contain_text("…")


def test_graph_has_as_many_steps_and_inputs_as_it_needs(show):
    figure = show("backpropagation", stage=20)
    slider = figure.role("slider", "step")
    expect(slider).to_have_attribute("max", "14")
    expect(slider).to_have_value("14")
    expect(figure.role("slider", "w₂")).to_be_hidden()
    figure.role("radio", "two layers").check()
    expect(slider).to_have_attribute("max", "20")
    expect(slider).to_have_value("20")
    expect(figure.role("slider", "w₂")).to_be_visible()
    figure.role("radio", "x used twice").check()
    expect(figure.role("slider", "b₁")).to_be_hidden()
    figure.role("button", "Step back").click()
    assert figure.state["stage"] == 13


def test_graph_stands_upright_on_a_phone(show):
    for width, upright in [(WIDE, False), (PHONE, True)]:
        box = show("backpropagation", width, graph="two layers").frame.locator(".plot").bounding_box()
        assert (box["height"] > box["width"]) == upright


@pytest.mark.parametrize("width", [PHONE, 375, PAGE, WIDE])
@pytest.mark.parametrize("graph", ["neuron", "two layers", "skip"])
def test_graph_has_room_for_titles_slopes_and_arrows(show, graph, width):
    figure = show("backpropagation", width, graph=graph, activation="sigmoid", stage=20, w2=-2.8)
    boxes = figure.frame.locator(".box .frame").evaluate_all(RECTANGLES)
    titles = figure.frame.locator(".box .title").evaluate_all(RECTANGLES)
    slopes = figure.frame.locator(".slope").evaluate_all(RECTANGLES)
    arrows = figure.frame.locator(".arrow").evaluate_all(
        "(all) => all.map((arrow) => arrow.getTotalLength())"
    )
    plot = figure.frame.locator(".plot").evaluate_all(RECTANGLES)[0]
    assert len(boxes) == len(titles) and len(arrows) == 2 * len(slopes)
    assert all(inside(title, box) for title, box in zip(titles, boxes, strict=True))
    assert all(inside(part, plot) for part in boxes + slopes)
    assert not any(overlap(slope, box) for slope in slopes for box in boxes)
    assert not any(overlap(*pair) for group in (boxes, slopes) for pair in combinations(group, 2))
    assert min(arrows) > 20  # pixels: to be seen as an arrow


# Optimizers


def test_race_starts_where_the_handle_is_put(show):
    figure = show("optimizers", x=0, y=0)
    start, plane = figure.role("slider", "The start"), figure.frame.locator(".plot").first
    unit = plane.bounding_box()["width"] / 6.6
    figure.drag(start, -2 * unit, -unit)
    assert (figure.state["x"], figure.state["y"]) == (pytest.approx(-2, abs=0.1), pytest.approx(1, abs=0.1))
    start.focus()
    before = figure.state
    for key in ["ArrowRight", "ArrowUp", "ArrowUp", "Shift+ArrowLeft"]:
        figure.page.keyboard.press(key)
    after = figure.state
    assert after["x"] == pytest.approx(before["x"] - 0.9) and after["y"] == pytest.approx(before["y"] + 0.2)
    plane.click(position={"x": 4.3 * unit, "y": 1.3 * unit})
    assert (figure.state["x"], figure.state["y"]) == (pytest.approx(1, abs=0.1), pytest.approx(2, abs=0.1))


def test_race_starts_where_a_finger_puts_it(show):
    figure = show("optimizers", PHONE, {"has_touch": True}, x=0, y=0)
    unit = figure.frame.locator(".plot").first.bounding_box()["width"] / 6.6
    figure.drag_with_finger(figure.role("slider", "The start"), unit, -unit)
    assert (figure.state["x"], figure.state["y"]) == (pytest.approx(1, abs=0.1), pytest.approx(1, abs=0.1))


def test_race_is_of_those_who_are_checked(show):
    figure = show("optimizers")
    rows, map_traces = figure.frame.locator(".standings tbody tr"), figure.frame.locator(".plot .stops")
    expect(rows).to_have_count(5)
    expect(map_traces).to_have_count(5)
    figure.role("checkbox", "Momentum").uncheck()
    figure.role("checkbox", "Adam").uncheck()
    expect(rows).to_have_count(3)
    expect(map_traces).to_have_count(3)
    expect(figure.role("slider", "Adam, rate η")).to_be_disabled()
    for name in ["SGD", "Nesterov", "RMSprop"]:
        figure.role("checkbox", name).uncheck()
    expect(rows).to_have_count(0)
    expect(figure.frame.get_by_role("status")).to_contain_text("Nobody takes part.")


def test_race_says_who_arrives_and_who_is_lost(show):
    figure = show("optimizers", condition=10, x=1, y=0, steps=30, sgd_rate=0.5, momentum_rate=0.5, mu=0)
    row = figure.frame.locator(".standings tbody tr")
    expect(figure.frame.locator(".formula")).to_contain_text("below 2/λ = 0.2", use_inner_text=True)
    expect(row.nth(0)).to_contain_text("3 steps")  # on the axis x the curvature is 1: ½ · ½^2n < 0.01
    expect(row.nth(1)).to_contain_text("3 steps")
    figure.tell(twice="state", state={"y": 0.1})
    expect(row.nth(0)).to_contain_text("diverges")


def test_race_runs_and_starts_again(show):
    figure = show("optimizers", steps=0)
    figure.role("button", "Step").click()
    assert figure.state["steps"] == 1
    figure.role("button", "Run").click()
    expect(figure.frame.locator(".standings .first")).to_be_visible()
    figure.role("button", "Pause").click()
    steps = figure.state["steps"]
    figure.page.wait_for_timeout(200)
    assert figure.state["steps"] == steps
    figure.role("button", "Back to the start").click()
    assert figure.state["steps"] == 0


def test_race_is_one_leap_where_motion_is_reduced(show):
    figure = show("optimizers", setting={"reduced_motion": "reduce"})
    figure.role("button", "Run").click()
    assert figure.state["steps"] == 300


def test_race_stops_off_screen(show):
    figure = show("optimizers", steps=0)
    figure.role("button", "Run").click()
    figure.leave()
    steps = figure.state["steps"]
    figure.page.wait_for_timeout(300)
    assert figure.state["steps"] == steps < 300


def test_race_has_a_shape_only_for_the_bowl(show):
    figure = show("optimizers")
    contour = figure.frame.locator(".contour").nth(5)
    flat = contour.get_attribute("d")
    figure.frame.get_by_label("turned by, exact value").fill("45")
    expect(contour).not_to_have_attribute("d", flat)
    for name in ["valley", "saddle", "two minima"]:
        figure.role("radio", name).check()
        expect(figure.role("slider", "condition")).to_be_hidden()
    figure.role("radio", "bowl").check()
    expect(figure.role("slider", "condition")).to_be_visible()


# Overfitting


def test_polynomial_shows_its_errors(show):
    figure = show("overfitting", noise=0, degree=12, examples=80)
    formula, verdict = figure.frame.locator(".formula"), figure.frame.locator(".verdict")
    expect(formula).to_contain_text(
        "training error 0.000, true error 0.000, λ = 0.000001", use_inner_text=True
    )
    figure.frame.get_by_label("degree, exact value").fill("0")
    expect(verdict).to_contain_text("Underfitting")
    figure.tell(twice="state", state={"noise": 0.3, "degree": 12, "examples": 15})
    expect(verdict).to_contain_text("Overfitting")
    figure.tell(twice="state", state={"noise": 1, "degree": 4, "examples": 80})
    expect(verdict).to_contain_text("Most of the error is noise.")


def test_polynomial_of_another_sample_is_another(show):
    figure = show("overfitting", sample=98)
    fit, others = figure.frame.locator(".fit"), figure.frame.locator(".other")
    before = fit.get_attribute("d")
    another = figure.role("button", "Another sample")
    another.click()
    expect(fit).not_to_have_attribute("d", before)
    expect(others).to_have_count(0)
    another.click()
    assert figure.state["sample"] == 1
    figure.role("checkbox", "show the fits to twenty other samples").check()
    expect(others).to_have_count(20)
    expect(figure.frame.locator(".datum")).to_have_count(20)
    figure.frame.get_by_label("examples, exact value").fill("33")
    expect(figure.frame.locator(".datum")).to_have_count(33)


def test_polynomial_degree_is_chosen_in_the_chart(show):
    figure = show("overfitting", degree=3)
    chart = figure.frame.locator(".plot").nth(1)
    box = chart.bounding_box()
    for degree in (0, 7, 12):
        chart.click(position={"x": box["width"] * (degree + 2.2) / 15, "y": box["height"] / 2})
        assert figure.state["degree"] == degree
    chart.click(position={"x": 3, "y": box["height"] / 2})
    assert figure.state["degree"] == 0


# Label budget


@pytest.fixture
def budgets(tmp_path, monkeypatch):
    """Put made-up runs in the place of the measured ones: two ways, two draws, round numbers."""
    means = {
        "frozen": {100: 0.4, 1000: 0.6, 5000: 0.8},
        "nothing": {100: 0.2, 1000: 0.4, 5000: 0.7},
    }
    runs = [
        {
            "way": way,
            "labels": labels,
            "seed": seed,
            "accuracy": round(mean + (0.05 if seed else -0.05), 3),
            "predictions": ("3" if way == "frozen" else str(seed)) * 1000,
        }
        for way, scores in means.items()
        for labels, mean in scores.items()
        for seed in (0, 1)
    ]
    (tmp_path / "cifar-10.npz").write_bytes((ASSETS / "cifar-10.npz").read_bytes())
    stored = json.dumps({"classes": CIFAR10_CLASSES, "runs": runs})
    (tmp_path / "label-budgets.json").write_text(stored, encoding="utf-8")
    monkeypatch.setattr("twice.explore.ASSETS", tmp_path)


def test_budget_answers_how_many_labels(show, budgets):
    figure = show("label-budget", labels=1000)
    table = figure.frame.locator(".formula")
    verdict = figure.frame.locator(".verdict")
    expect(table).to_contain_text("labels for 0.600")
    expect(table.get_by_role("row").nth(1)).to_have_text(re.compile(r"features kept\s+0.600\s*1,000"))
    # 0.6 is two thirds of the way from 0.4 to 0.7, and 1000 · 5^(2/3) = 2924
    expect(table.get_by_role("row").nth(2)).to_have_text(re.compile(r"from scratch\s+0.400\s*≈ 2,900"))
    figure.frame.get_by_label("labels, exact value").fill("5000")
    expect(verdict).to_contain_text("“from scratch” needs more than 5,000 labels (its best is 0.700)")
    figure.role("radio", "from scratch").check()
    expect(verdict).to_contain_text("“from scratch” has 0.700 of the test pictures right.")
    figure.tell(twice="state", state={"labels": 100})
    expect(verdict).to_contain_text("“features kept” needs fewer than 100 labels")
    figure.role("radio", "second").check()
    expect(table).to_contain_text("labels for 0.250")
    figure.tell(twice="state", state={"way": "tuned"})
    expect(verdict).to_contain_text("“fine-tuned” has not been measured with 100 labels")


def test_budget_offers_what_was_measured(show, budgets):
    figure = show("label-budget")
    for name, shown in {
        "features kept": True,
        "fine-tuned": False,
        "mean of all": True,
        "second": True,
        "third": False,
    }.items():
        expect(figure.role("radio", name)).to_have_count(int(shown))


def test_budget_chart_has_a_mark_for_each_run_and_a_line_where_it_is_reached(show, budgets):
    figure = show("label-budget", labels=1000)
    chart = figure.frame.locator(".chart")
    expect(chart.locator("g.frozen > circle:not(.meet)")).to_have_count(6)
    expect(chart.locator("g.nothing > polygon")).to_have_count(6)
    expect(chart.locator(".band")).to_have_count(2)
    expect(chart.locator("g.nothing > .meet")).to_have_count(1)
    expect(chart.locator(".answer")).to_have_text("2,900")
    meet = figure.centre(chart.locator(".meet"))
    handle = figure.centre(figure.role("slider", "Number of labels"))
    assert meet[1] == pytest.approx(handle[1], abs=2) and meet[0] > handle[0]
    figure.role("radio", "first").check()
    expect(chart.locator("g.nothing > polygon")).to_have_count(3)
    expect(chart.locator(".band")).to_have_count(2)
    figure.tell(twice="state", state={"labels": 5000})
    expect(chart.locator(".meet")).to_have_count(0)


def test_budget_moves_by_click_drag_and_arrow_keys(show, budgets):
    figure = show("label-budget", labels=100)
    chart, handle = figure.frame.locator(".chart"), figure.role("slider", "Number of labels")
    box = chart.bounding_box()
    unit = box["width"] / 2.06  # pixels of one tenfold
    chart.click(position={"x": unit * (3 - 1.78), "y": 30})
    assert figure.state["labels"] == 1000
    expect(handle).to_have_attribute("aria-valuetext", "1,000 labels")
    figure.drag(handle, -unit, 5)
    assert figure.state["labels"] == 100
    handle.focus()
    for key in ["Shift+ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight"]:
        figure.page.keyboard.press(key)
    assert figure.state["labels"] == 350
    for _ in range(3):
        figure.page.keyboard.press("ArrowRight")
    assert figure.state["labels"] == 500
    chart.click(position={"x": 3, "y": 30})
    assert figure.state["labels"] == 100


def test_budget_moves_by_finger(show, budgets):
    figure = show("label-budget", PHONE, {"has_touch": True}, labels=1000)
    unit = figure.frame.locator(".chart").bounding_box()["width"] / 2.06
    figure.drag_with_finger(figure.role("slider", "Number of labels"), -unit, 0)
    assert figure.state["labels"] == 100


def test_budget_pictures_are_answered_and_framed(show, budgets):
    figure = show("label-budget", labels=2000)  # next to it is 1,000
    pictures = figure.frame.get_by_role("listitem")
    expect(pictures).to_have_count(20)
    expect(figure.frame.locator(".heading")).to_contain_text("with 1,000 labels")
    expect(figure.frame.locator(".heading")).to_contain_text("The measured number next to yours.")
    # features kept always says cat; from scratch says airplane in one draw and automobile in the other
    apart = figure.frame.locator("li.apart")
    expect(apart).to_have_count(2)
    expect(apart.first).to_contain_text(re.compile(r"cat\s*features kept, right: ✓\s*cat"))
    expect(apart.first).to_contain_text(re.compile(r"from scratch, wrong: ✗\s*airplane 1/2"))
    figure.role("radio", "second").check()
    expect(apart).to_have_count(4)
    expect(pictures.nth(2)).to_contain_text(re.compile(r"from scratch, right: ✓\s*automobile\s*$"))
    figure.tell(twice="state", state={"labels": 1000})
    expect(figure.frame.locator(".heading")).not_to_contain_text("next to yours")


def test_budget_pictures_are_those_of_the_subset(show):
    figure = show("label-budget")
    with (ASSETS / "cifar-10.npz").open("rb") as file:
        x_test = read_differences(file)["x_test"]
    for place, row in [(0, 3), (9, 26), (19, 14)]:
        drawn = figure.frame.get_by_role("listitem").nth(place).locator("canvas")
        pixels = drawn.evaluate(
            "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 32, 32).data)"
        )
        assert np.reshape(pixels, (32, 32, 4))[..., :3].tolist() == x_test[row].tolist()


# Shapes


def test_shapes_are_asked_one_after_the_other(show):
    figure = show("shapes")
    field, reply = figure.role("textbox", "The shape"), figure.frame.locator(".reply")
    formula = figure.frame.locator(".formula")
    expect(formula).to_contain_text("What is the shape of W₁?")
    field.fill("(1, 1, 1)")
    figure.role("button", "Check").click()
    expect(reply).to_contain_text("It has 2 axes.")
    assert figure.state["known"] == 0
    figure.role("button", "Show it").click()
    expect(formula).to_contain_text("What is the shape of b₁?")
    units = re.search(r"W₁ is \(\d+, (\d+)\)", reply.text_content())[1]
    field.fill(units)
    field.press("Enter")
    expect(reply).to_have_text(f"✓ b₁ is ({units},).")
    assert figure.state["known"] == 2
    for _ in range(4):
        figure.role("button", "Show it").click()
    expect(formula).to_have_text("All 6 shapes are right.")
    expect(field).to_be_disabled()


def test_shapes_begin_anew_with_new_numbers_and_ways(show):
    figure = show("shapes", known=3)
    figure.role("radio", "backward").check()
    expect(figure.frame.locator(".formula")).to_contain_text("What is the shape of dz₂?")
    assert figure.state["known"] == 0
    figure.tell(twice="state", state={"known": 2})
    figure.role("button", "New numbers").click()
    state = figure.state
    assert (state["seed"], state["known"], state["way"]) == (2, 0, "backward")


# Attention


def test_attention_query_is_dragged_and_clicked(show):
    figure = show("attention", query=[[0, 1]])
    plane = figure.frame.locator(".plot").first
    unit = plane.bounding_box()["width"] / 6.6
    figure.drag(figure.role("slider", "Query"), 2 * unit, unit)
    assert figure.state["query"] == [pytest.approx([2, 0], abs=0.1)]
    plane.click(position={"x": 0.8 * unit, "y": 0.8 * unit})
    assert figure.state["query"] == [pytest.approx([-2.5, 2.5], abs=0.1)]


def test_attention_key_is_dragged_by_finger_and_keeps_its_value(show):
    figure = show("attention", PHONE, {"has_touch": True}, keys=[[1, 1, 0.5], [-1, 1, -0.5]])
    unit = figure.frame.locator(".plot").first.bounding_box()["width"] / 6.6
    figure.drag_with_finger(figure.role("slider", "Key 1"), unit, -unit)
    assert figure.state["keys"] == [pytest.approx([2, 2, 0.5], abs=0.1), [-1, 1, -0.5]]
    figure.role("slider", "Value 2").scroll_into_view_if_needed()
    figure.drag_with_finger(figure.role("slider", "Value 2"), 30, 60)  # along the beam only
    changed = figure.state["keys"][1]
    assert changed[:2] == [-1, 1] and -0.4 < changed[2] < 0


def test_attention_by_keyboard(show):
    figure = show("attention", query=[[0, 0]], keys=[[1, 1, 0.5], [-1, 1, -0.5]])
    for name, keys in [
        ("Query", ["ArrowRight", "Shift+ArrowUp"]),
        ("Key 2", ["ArrowDown", "ArrowLeft"]),
        ("Value 1", ["ArrowRight", "ArrowRight", "ArrowUp"]),
    ]:
        figure.role("slider", name).focus()
        for key in keys:
            figure.page.keyboard.press(key)
    assert figure.state["query"] == [[0.1, 1]]
    assert figure.state["keys"] == [[1, 1, 0.6], [-1.1, 0.9, -0.5]]
    expect(figure.role("slider", "Key 2")).to_have_attribute("aria-valuetext", "−1.1, 0.9")


def test_attention_formula_follows_the_state(show):
    figure = show("attention", query=[[2, 0]], keys=[[1, 1, 0.5], [-1, 1, -0.5]])
    formula = figure.frame.locator(".formula")
    expect(formula).to_contain_text("z₁ = q · k₁ / √2 = 2.00 / 1.41 = 1.41,", use_inner_text=True)
    expect(formula).to_contain_text("= 0.944", use_inner_text=True)  # 1 / (1 + exp(−4/√2))
    expect(formula).to_contain_text("a = Σ pivi = 0.94 · 0.50 + 0.06 · (−0.50) = 0.44", use_inner_text=True)
    figure.role("checkbox", "divided by √d, with d = 2").uncheck()
    expect(formula).to_contain_text("z₁ = q · k₁ = 2.00 = 2.00,", use_inner_text=True)
    figure.role("checkbox", "causal mask: keys after the query’s position are hidden").check()
    figure.tell(twice="state", state={"position": 1})
    expect(formula).to_contain_text("= 1.00 · 0.50 + 0.00 · (−0.50) = 0.50", use_inner_text=True)
    expect(figure.frame.locator(".unseen")).to_contain_text("−∞")


def test_attention_keys_come_and_go(show):
    figure = show("attention")
    add, remove = figure.role("button", "Add a key"), figure.role("button", "Remove the last")
    add.click()
    expect(add).to_be_disabled()
    expect(figure.role("slider", "Value 5")).to_be_visible()
    for _ in range(3):
        remove.click()
    expect(remove).to_be_disabled()
    expect(figure.role("slider", "Key 3")).to_be_hidden()
    assert len(figure.state["keys"]) == 2


# The decoder


@pytest.fixture(scope="module")
def decoder():
    """Return the package's decoder and its letters."""
    model, vocabulary = moby_dick_decoder("float64")
    return model, "".join(vocabulary.letters)


def probabilities(decoder, text):
    """Return what the decoder expects after each letter of a text, (letters, tokens)."""
    model, letters = decoder
    return softmax(model.forward(np.array([[letters.index(letter) + 1 for letter in text]]))[0])


def shown_bars(figure):
    """Return the probabilities of the likeliest letters as the figure shows them."""
    figure.drawn()
    return figure.frame.locator(".bars data").evaluate_all("all => all.map(({ value }) => Number(value))")


def test_decoder_reads_the_first_200_test_positions_as_numpy_does(show, decoder):
    text = moby_dick()[2][:200]
    figure = show("decoder", temperature=1)
    for window, first in [(text[:128], 1), (text[-128:], 57)]:  # of the second, what the first did not have
        p = np.sort(probabilities(decoder, window), axis=-1)[:, :-9:-1]
        for letter in range(first, 129):
            figure.tell(twice="state", state={"text": window, "letter": letter})
            agree(f"letter {letter}", np.array(shown_bars(figure)), p[letter - 1], atol=1e-4)


def chosen(figure):
    return figure.frame.locator(".letters .chosen")


def test_decoder_letter_is_chosen_by_mouse_and_on_the_map(show):
    figure = show("decoder", text="Call me Ishmael.")
    expect(figure.frame.locator(".formula")).to_contain_text("Letter 16, “.”, looks most at")
    figure.frame.locator(".letters span").nth(8).click()
    expect(chosen(figure)).to_have_text("I")
    assert figure.state["letter"] == 9
    plot = figure.frame.locator(".map")
    side = plot.bounding_box()["width"] / 17
    plot.click(position={"x": 2, "y": 4.5 * side})
    expect(chosen(figure)).to_have_text(" ")
    assert figure.state["letter"] == 5


def test_decoder_letter_is_chosen_by_finger(show):
    figure = show("decoder", PHONE, {"has_touch": True}, text="Call me Ishmael.")
    figure.frame.locator(".letters span").nth(5).tap()
    expect(chosen(figure)).to_have_text("m")
    assert figure.state["letter"] == 6


def test_decoder_letter_and_head_by_keyboard(show):
    figure = show("decoder", text="Call me Ishmael.")
    strip = figure.role("slider", "The letter that looks")
    strip.focus()
    for key in ["ArrowLeft", "ArrowLeft", "ArrowUp", "ArrowRight"]:
        figure.page.keyboard.press(key)
    assert figure.state["letter"] == 5
    figure.page.keyboard.press("End")
    assert figure.state["letter"] == 0  # the last, whichever it will be
    figure.page.keyboard.press("Home")
    expect(strip).to_have_attribute("aria-valuetext", "Letter 1, “C”, looks most at itself 1.00")
    figure.role("radio", "block 1, head 1").focus()
    for _ in range(5):
        figure.page.keyboard.press("ArrowRight")
    assert (figure.state["block"], figure.state["head"]) == (2, 2)


def test_decoder_shades_are_the_weights(show, decoder):
    text = "There she blows! there she bl"
    probabilities(decoder, text)
    weights = decoder[0].blocks[1].attention.p[0, 2]
    figure = show("decoder", text=text, block=2, head=3, letter=20)
    shades = figure.frame.locator(".letters span").evaluate_all(
        "all => all.map(({ style }) => Number((/([\\d.]+)%/.exec(style.background) ?? [0, 0])[1]))"
    )
    assert np.abs(np.array(shades) - 55 * weights[19] / weights[19].max()).max() <= 1
    expect(figure.frame.locator(".letters")).to_have_attribute("aria-valuenow", "20")


def test_decoder_reads_what_is_typed(show):
    figure = show("decoder")
    area = figure.role("textbox", "Your text")
    area.fill("")
    expect(chosen(figure)).to_have_text("↵")  # a text without letters begins a line
    area.press_sequentially('Ahab\'s "zoë"')
    assert figure.state["text"] == "Ahab’s “zo”"
    complaint = figure.frame.get_by_role("alert")
    expect(complaint).to_have_text("Left out, as Moby-Dick has no such letter: “ë”")
    area.press_sequentially("ñ")
    expect(complaint).to_have_text("Left out, as Moby-Dick has no such letter: “ë” “ñ”")
    expect(area).to_have_value("Ahab’s “zo”")
    area.press("Home")
    area.press_sequentially("If ñot ")
    expect(area).to_have_value("If ot Ahab’s “zo”")
    expect(figure.frame.locator(".letters")).to_have_text("If ot Ahab’s “zo”")
    area.fill("")
    expect(complaint).to_be_empty()


def written(figure):
    figure.drawn()
    return figure.frame.locator(".letters").inner_text().replace("↵\n", "\n")


def test_decoder_writes_on_and_takes_back(show, decoder):
    figure = show("decoder", text="Call me Ish", temperature=0)
    figure.role("button", "Write a letter").click()
    first = decoder[1][probabilities(decoder, "Call me Ish")[-1].argmax() - 1]
    assert written(figure) == "Call me Ish" + first
    expect(figure.frame.locator(".letters .own")).to_have_count(1)
    figure.role("button", "Write 100").click()
    text = written(figure)
    expect(figure.frame.locator(".letters .own")).to_have_count(101)
    for t in (20, 60, 110):
        assert decoder[1][probabilities(decoder, text[:t])[-1].argmax() - 1] == text[t]
    figure.role("button", "Take back").click()
    assert written(figure) == "Call me Ish"
    assert figure.state["written"] == 0


def test_decoder_writes_the_same_with_the_same_seed(show):
    texts = [written(show("decoder", written=40, seed=seed, temperature=1)) for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]


def test_decoder_greys_what_has_gone_out_of_sight(show):
    figure = show("decoder", text=moby_dick()[2][:128], written=2)
    expect(figure.frame.locator(".letters .out")).to_have_count(2)
    figure.role("slider", "The letter that looks").press("Home")
    assert figure.state["letter"] == 3


# Recurrence


def step_of(figure):
    """Return how many pixels of the unrolled chain are one of its steps."""
    width = figure.frame.locator(".chain").bounding_box()["width"] - 2  # its border
    return (width - 46 - 12) / figure.state["steps"]


def test_recurrence_pulse_is_dragged(show):
    figure = show("recurrence", at=2, size=1)
    pulse = figure.role("slider", "The pulse")
    unit = figure.frame.locator(".chain").bounding_box()["height"] / 10 * 0.65  # pixels of a pulse of 1
    figure.drag(pulse, 3 * step_of(figure), -unit)
    assert (figure.state["at"], figure.state["size"]) == (5, pytest.approx(2, abs=0.1))
    figure.drawn()
    figure.drag(pulse, 8 * step_of(figure), 6 * unit)
    assert (figure.state["at"], figure.state["size"]) == (12, -2)


def test_recurrence_pulse_is_moved_by_finger(show):
    figure = show("recurrence", PHONE, {"has_touch": True}, at=2, size=1)
    figure.drag_with_finger(figure.role("slider", "The pulse"), 3 * step_of(figure), 0)
    assert (figure.state["at"], figure.state["size"]) == (5, 1)


def test_recurrence_pulse_is_moved_by_arrow_keys_and_a_click(show):
    figure = show("recurrence", at=2, size=0.5)
    pulse = figure.role("slider", "The pulse")
    pulse.focus()
    for key in ["ArrowRight", "ArrowRight", "ArrowUp", "ArrowLeft", "Shift+ArrowDown"]:
        figure.page.keyboard.press(key)
    assert (figure.state["at"], figure.state["size"]) == (3, -0.4)
    expect(pulse).to_have_attribute("aria-valuetext", "step 3, size −0.4")
    for plot, step in [(".chain", 7), (".flow", 12)]:
        place = {"x": 1 + 46 + (step - 0.5) * step_of(figure), "y": 40}
        figure.frame.locator(plot).click(position=place)
        assert (figure.state["at"], figure.state["size"]) == (step, -0.4)


def test_recurrence_formula_follows_the_state(show):
    figure = show("recurrence", u=-0.5, w=2, b=0.25, steps=5, at=2, size=-1.5, activation="linear")
    formula = figure.frame.locator(".formula")
    expect(formula).to_contain_text("2.00 · (−1.50) − 0.50 · 0.25 + 0.25 = −2.875", use_inner_text=True)
    expect(formula).to_contain_text("= (−0.50) · (−0.50) · (−0.50) = −0.125", use_inner_text=True)
    figure.role("radio", "tanh").check()
    expect(formula).to_contain_text("= tanh(−2.87) = −0.994", use_inner_text=True)
    figure.tell(twice="state", state={"at": 9})
    expect(formula).to_contain_text("= 1: this is the last step", use_inner_text=True)


@pytest.mark.parametrize(
    "example, said, negative",
    [
        ("vanishes", "It vanishes: halved at every step. Of the gradient at step 12, 4.9·10⁻⁴ reaches", 0),
        ("stays", "It stays: all of the gradient reaches step 1.", 0),
        ("explodes", "It explodes: doubled every 1.7 steps. Of the gradient at step 12, 86.5 reaches", 0),
        ("flips", "It stays, and changes its sign at each step.", 6),
        ("saturates", "|u| is larger than 1, but tanh is flat where the states are", 0),
    ],
)
def test_recurrence_says_what_happens_to_the_gradient(show, example, said, negative):
    figure = show("recurrence", u=0, b=0.5)
    outcome, bars = figure.frame.locator(".outcome"), figure.frame.locator(".flow polygon.slope")
    expect(outcome).to_contain_text("With u = 0 every step forgets all that was before it.")
    element = figure.role("button", example)
    expect(element).to_have_attribute("aria-pressed", "false")
    element.click()
    expect(element).to_have_attribute("aria-pressed", "true")
    expect(outcome).to_contain_text(said)
    expect(bars).to_have_count(12)
    expect(figure.frame.locator(".flow polygon.negative")).to_have_count(negative)


# Names


def test_names_begin_as_they_are_typed(show):
    figure = show("names")
    field, complaint = figure.frame.get_by_label("The beginning"), figure.frame.get_by_role("alert")
    field.fill("Anna-")
    assert figure.state["beginning"] == "anna-"
    expect(complaint).to_be_empty()
    field.fill("Zoë 1")
    assert figure.state["beginning"] == "zo"
    expect(complaint).to_contain_text("only the letters a to z and the hyphen: “ë”, “ ”, “1” is left out")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.blur()
    expect(field).to_have_value("zo")
    expect(complaint).to_be_empty()
    field.fill("bartholomeusz")
    assert figure.state["beginning"] == "bartholomeus"
    expect(complaint).to_contain_text("At most 12 letters")
    field.fill("")
    assert figure.state["beginning"] == ""
    expect(figure.frame.locator(".heading")).to_have_text("The next letter, the first")


def test_names_are_drawn_by_letter_and_whole(show):
    figure = show("names")
    letter, whole = figure.role("button", "Draw a letter"), figure.role("button", "Draw a name")
    first = figure.frame.locator(".drawn button").first.inner_text()
    letter.click()
    state = figure.state
    assert first.startswith("ma" + state["more"]) and len(state["more"]) + state["ended"] == 1
    whole.click()
    assert "ma" + figure.state["more"] == first.rstrip("…") and figure.state["ended"] == (first[-1] != "…")
    expect(letter).to_be_disabled()
    whole.click()  # and another one
    assert figure.state["seed"] == 2
    expect(figure.frame.locator(".drawn button").first).not_to_have_text(first)
    assert figure.frame.locator(".drawn button").first.inner_text().rstrip("…") == "ma" + figure.state["more"]
    figure.role("button", "Back to the beginning").click()
    assert (figure.state["more"], figure.state["ended"], figure.state["seed"]) == ("", False, 2)
    third = figure.frame.locator(".drawn button").nth(2)
    name = third.inner_text()
    third.click()
    assert "ma" + figure.state["more"] == name.rstrip("…")


def test_names_letters_are_taken_by_click_and_by_keyboard(show):
    figure = show("names")
    letters = figure.frame.get_by_role("listbox", name="Take a letter")
    letters.get_by_role("option").nth(17).click()
    assert figure.state["more"] == "r"
    letters.focus()
    for key in ["i", "ArrowUp", "ArrowDown", "Enter", "o", "ArrowLeft", "Space"]:
        figure.page.keyboard.press(key)
    assert figure.state["more"] == "ria"  # the column of o stands beside that of a
    active = letters.get_attribute("aria-activedescendant")
    assert figure.frame.locator(f"#{active}").inner_text().startswith("a")
    letters.get_by_role("option").last.click()
    assert figure.state["ended"] is True
    expect(figure.frame.locator(".heading")).to_have_text("The end, after “maria”")
    expect(letters.get_by_role("option", selected=True)).to_contain_text("end")


def test_names_letters_are_taken_by_finger(show):
    figure = show("names", PHONE, {"has_touch": True})
    figure.frame.get_by_role("option").first.tap()
    assert figure.state["more"] == "a"
    figure.frame.get_by_role("radio", name=re.compile("letter 2, a, .* bits")).tap()
    assert figure.state["letter"] == 2


def test_names_places_are_shown_large(show):
    figure = show("names", more="ria", ended=True)
    radios = figure.frame.get_by_role("radiogroup", name="The place shown large").get_by_role("radio")
    expect(figure.frame.locator(".stop:visible")).to_have_count(6)
    expect(figure.frame.locator(".heading")).to_have_text("The end, after “maria”")
    radios.nth(5).focus()
    figure.page.keyboard.press("ArrowLeft")
    assert figure.state["letter"] == 5
    expect(figure.frame.locator(".heading")).to_have_text("Letter 5, a, after “mari”")
    figure.frame.locator(".stop").first.click()
    expect(figure.frame.locator(".heading")).to_have_text("Letter 1, m, the first")
    figure.frame.get_by_role("option").nth(9).click()  # a j in the place of the m: what stood behind goes
    assert (figure.state["beginning"], figure.state["more"], figure.state["ended"]) == ("", "j", False)


@pytest.mark.parametrize("predictor", ["the network", "pairs of letters"])
def test_names_bars_are_probabilities(show, predictor):
    figure = show("names")
    figure.role("radio", predictor).check()
    shares = [float(text[:-2]) for text in figure.frame.locator(".percent").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=1)
    wide = [bar.bounding_box()["width"] for bar in figure.frame.locator(".track .bar").all()]
    assert np.argmax(wide) == np.argmax(shares)
    bars = figure.frame.locator(".roll .share")
    expect(bars).to_have_count(3 * 28)
    expect(figure.frame.locator(".roll .chosen")).to_have_count(2)


def test_names_costs_are_added(show):
    figure = show("names", beginning="", more="")
    costs = figure.frame.locator(".costs")
    expect(costs).to_contain_text("28 equal symbols")
    figure.tell(twice="state", state={"beginning": "ann", "more": "a", "ended": True})
    expect(costs.get_by_role("row").nth(0)).to_contain_text("bits for “anna”, end")
    expect(costs.get_by_role("row").nth(3)).to_have_text(re.compile(r"28 equal symbols\s*24.0\s*4.81"))
    figure.frame.get_by_label("temperature, exact value").fill("0.5")
    expect(figure.frame.locator(".formula")).to_contain_text("(at temperature 1)")
