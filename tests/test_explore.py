"""Interactive figures: what Python makes of them, and their models against the package's numbers."""

import json
from html import escape
from html.parser import HTMLParser

import explorables
import keras
import notebooks
import numpy as np
import pytest
from py_mini_racer import MiniRacer
from scipy import ndimage

from twice import activations, losses, metrics
from twice.attention import attention
from twice.autograd import Value
from twice.checks import agree
from twice.convolution import Conv2D, MaxPooling2D, conv2d
from twice.data import CIFAR10_CLASSES, first_names, moby_dick
from twice.data.fetch import ASSETS, read_differences
from twice.embeddings import Embedding
from twice.explore import (
    FOLDER,
    Explorable,
    _as_text,
    _table,
    addressed,
    explore,
    names,
    places,
    script,
)
from twice.layers import Dense, Flatten
from twice.models import Network
from twice.ngrams import NGrams
from twice.optimizers import SGD, Adam, RMSprop
from twice.pretrained import moby_dick_decoder
from twice.recurrent import LSTM, SimpleRNN

BYTES = {
    "digits": 75_000,
    "label-budget": 135_000,
    "names": 170_000,
    "decoder": 355_000,
}  # networks, photographs
BYTES_OTHERS = 40_000
CASES = 50  # random states for each comparison


class Model:
    """The model of a figure in a JavaScript engine: ``model("neuron(state, x)", state=…, x=…)``."""

    def __init__(self, name):
        self.engine = MiniRacer()
        self.engine.eval(script(name, view=False))

    def __call__(self, expression, **values):
        given = ", ".join(json.dumps(value) for value in values.values())
        return json.loads(
            self.engine.eval(f"JSON.stringify((({', '.join(values)}) => {expression})({given}))")
        )


def random_state(declared, rng):
    """Draw every number and choice of a declared state at random; leave the rest as declared."""
    state = {key: declaration["value"] for key, declaration in declared.items()}
    for key, declaration in declared.items():
        if declaration["type"] == "number":
            state[key] = rng.uniform(declaration["min"], declaration["max"])
        if declaration["type"] == "integer":
            state[key] = int(rng.integers(declaration["min"], declaration["max"] + 1))
        if declaration["type"] == "choice":
            state[key] = str(rng.choice(declaration["options"]))
    return state


def attributes(html, wanted):
    """Return the attributes of the first element `wanted`, as a browser reads them."""
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attrs: found.append(dict(attrs)) if tag == wanted else None
    parser.feed(html)
    return found[0]


# Every figure


def test_the_figures():
    assert names() == [
        "attention",
        "backpropagation",
        "convolution",
        "decoder",
        "digits",
        "label-budget",
        "linear-regression",
        "logistic-regression",
        "names",
        "network",
        "neuron",
        "optimizers",
        "overfitting",
        "recurrence",
        "shapes",
    ]


@pytest.mark.parametrize("name", names())
def test_output_is_a_framed_page_and_a_text(name):
    figure = explore(name)
    html = figure._repr_html_()
    frame = attributes(html, "iframe")
    assert html.startswith("<div")  # IPython warns of HTML that starts with an iframe
    assert frame["srcdoc"] == figure.page
    assert frame["sandbox"] == "allow-scripts" and frame["loading"] == "lazy" and frame["title"]
    assert f'<p style="grid-area:1/1">{escape(repr(figure))}</p>' in html
    heading = f"<h1>{escape(figure.about['title'])}</h1>"
    assert f"<main>{heading}<p>{escape(repr(figure))}</p></main>" in figure.page  # until its script runs
    assert repr(figure).startswith("Interactive figure")


@pytest.mark.parametrize("name", names())
def test_page_is_light_whole_and_always_the_same(name):
    page = explore(name).page
    assert len(page.encode()) < BYTES.get(name, BYTES_OTHERS)
    assert page == explore(name).page
    assert not any(word in page for word in ("http:", "https:", "//cdn", "url(", "@import", " src="))
    assert page.count("</script>") == 2


@pytest.mark.parametrize("name", names())
def test_modules_join_into_one_script(name):
    engine = MiniRacer()
    engine.eval(
        f"new Function({json.dumps(script(name))})"
    )  # an import left over or a name used twice is an error


@pytest.mark.parametrize("name", names())
def test_python_reads_the_state_that_the_model_declares(name):
    model = Model(name)
    declared = model("defaults")
    values = {key: declaration["value"] for key, declaration in declared.items()}
    assert explore(name, **values).state == values
    assert model("admit(defaults, {}, values)", values=values) == values


def test_state_cannot_end_the_script():
    page = Explorable("neuron", {"data": "</script><script>"}).page
    assert page.count("</script>") == 2


def test_state_in_the_page_is_the_state_given():
    page = explore("neuron", w1=np.float64(1), b=-1.5, data="AND", turn=np.int64(2)).page
    stored = page.split('id="state">')[1].split("</script>")[0]
    assert json.loads(stored) == {"w1": 1.0, "b": -1.5, "data": "AND", "turn": 2}


@pytest.mark.parametrize(
    "name, state, message",
    [
        ("nevron", {}, "there is no figure 'nevron'; there are .*neuron"),
        ("neuron", {"w3": 1}, "there is no state 'w3'; there are w1, w2, b, "),
        ("neuron", {"w1": "1"}, "w1 must be a number from -4 to 4, and came as '1'"),
        ("neuron", {"w1": 5}, "w1 must be a number from -4 to 4, and came as 5"),
        ("neuron", {"w1": np.nan}, "w1 must be a number from -4 to 4, and came as nan"),
        ("neuron", {"w1": True}, "w1 must be a number from -4 to 4, and came as True"),
        ("neuron", {"turn": 0.5}, "turn must be an integer from 0 to 3, and came as 0.5"),
        ("neuron", {"turn": 4}, "turn must be an integer from 0 to 3, and came as 4"),
        (
            "neuron",
            {"data": "NAND"},
            r"data must be one of \['none', 'AND', 'OR', 'XOR'\], and came as 'NAND'",
        ),
        ("neuron", {"activation": ["tanh"]}, "activation must be one of .*, and came as .'tanh'."),
        ("linear-regression", {"standardise": 1}, "standardise must be True or False, and came as 1"),
        (
            "linear-regression",
            {"points": []},
            r"points must be 1 to 20 points from \[0, 0\] to \[6, 6\], and",
        ),
        ("linear-regression", {"points": [[1, 2], [3]]}, "points must be 1 to 20 points"),
        ("linear-regression", {"points": [1, 2]}, "points must be 1 to 20 points"),
        ("linear-regression", {"points": [[1, 7]]}, "points must be 1 to 20 points"),
        ("linear-regression", {"points": np.zeros((21, 2))}, "points must be 1 to 20 points"),
        ("names", {"beginning": "Ma"}, "at most 12 of the letters [a-z]+-, and came as 'Ma'"),
        ("names", {"beginning": "zoë"}, "at most 12 of the letters [a-z]+-, and came as 'zoë'"),
        ("names", {"beginning": 13 * "a"}, "beginning must be at most 12 of the letters"),
        ("names", {"beginning": None}, "beginning must be at most 12 of the letters"),
        ("convolution", {"kernel": 1}, "kernel must be 3 rows of 3 numbers from -9 to 9, and came as 1"),
        ("convolution", {"kernel": [1, 2, 3]}, "kernel must be 3 rows of 3 numbers"),
        ("convolution", {"kernel": np.zeros((2, 3))}, "kernel must be 3 rows of 3 numbers"),
        ("convolution", {"kernel": np.zeros((3, 4))}, "kernel must be 3 rows of 3 numbers"),
        ("convolution", {"kernel": 10 * np.eye(3)}, "kernel must be 3 rows of 3 numbers"),
        ("convolution", {"kernel": [["1"] * 3] * 3}, "kernel must be 3 rows of 3 numbers"),
    ],
)
def test_error_names_what_is_wrong(name, state, message):
    with pytest.raises(ValueError, match=message):
        explore(name, **state)


def test_an_address_leads_to_a_figure_in_its_state():
    place = "figure-convolution-2?kernel=%5B[0,0,0],[0,0,1],[0,0,0]]&padding=same&flip=true&stride=2"
    figure = addressed(place)
    kernel = [[0, 0, 0], [0, 0, 1], [0, 0, 0]]
    assert figure.name == "convolution"
    assert figure.state == {"kernel": kernel, "padding": "same", "flip": True, "stride": 2}
    assert addressed("figure-backpropagation?graph=two+layers").state == {"graph": "two layers"}
    assert addressed("figure-network?neuron=1.2").state == {"neuron": "1.2"}
    assert addressed("figure-label-budget").state == {}
    # text stands as it is, even where it could be read as something else
    assert addressed("figure-names?beginning=true&more=").state == {"beginning": "true", "more": ""}


@pytest.mark.parametrize(
    "place", ["eq-1-1", "figure-neurons", "figure-neuron?w3=1", "figure-neuron?w1=a", "figure-neuron?w1"]
)
def test_an_address_that_leads_nowhere_is_an_error(place):
    with pytest.raises(ValueError):
        addressed(place)


def test_figures_have_a_place_each():
    figures = ["neuron", "practice", "shapes", "neuron", "shapes", "practice", "neuron"]
    expected = ["figure-neuron", "figure-shapes", "figure-neuron-2", "figure-shapes-2", "figure-neuron-3"]
    assert places(figures) == expected


def test_points_may_be_an_array():
    points = np.array([[1, 2], [3, 4.5]])
    assert explore("linear-regression", points=points).state == {"points": [[1.0, 2.0], [3.0, 4.5]]}


def test_matrix_may_be_an_array():
    assert explore("convolution", kernel=np.eye(3)).state == {"kernel": np.eye(3).tolist()}


def test_page_admits_only_what_is_declared():
    model = Model("neuron")
    state = model("declared(defaults)")
    ill = {"w1": "1", "b": None, "data": "NAND", "turn": 0.5, "w3": 1, "toString": 1}
    assert model("admit(defaults, state, changes)", state=state, changes=ill) == state
    out = model("admit(defaults, state, changes)", state=state, changes={"w1": 9, "b": -9, "turn": 7})
    assert out == {**state, "w1": 4, "b": -4, "turn": 3}


def test_page_admits_only_text_of_its_letters():
    model = Model("names")
    admitted = "texts.map((beginning) => admit(defaults, {}, { beginning }).beginning ?? null)"
    ill = ["Ma", "zoë", "a b", 5, None, ["a"], {"a": "b"}]
    assert model(admitted, texts=ill) == [None] * len(ill)
    well = ["", "ma", "a-b", True, 20 * "a"]  # an address can't tell "true" from true
    assert model(admitted, texts=well) == ["", "ma", "a-b", "true", 12 * "a"]


def test_page_admits_only_whole_points():
    model = Model("linear-regression")
    admitted = "points.map((points) => admit(defaults, {}, { points }).points ?? null)"
    ill = [[], [[1]], [[1, None]], [1, 2], "12", [[1, 2]] * 21]
    assert model(admitted, points=ill) == [None] * len(ill)
    assert model(admitted, points=[[[1, 2], [-1, 9]]]) == [[[1, 2], [0, 6]]]


def test_page_admits_only_whole_matrices():
    model = Model("convolution")
    admitted = "kernels.map((kernel) => admit(defaults, {}, { kernel }).kernel ?? null)"
    row = [1, 2, 3]
    ill = [1, "123", row, [row, row], [row, row, row, row], [row, row, [1, 2]], [row, row, [1, 2, None]]]
    assert model(admitted, kernels=ill) == [None] * len(ill)
    assert model(admitted, kernels=[[row, row, [-99, 0.5, 99]]]) == [[row, row, [-9, 0.5, 9]]]


# What figures share


def test_arrays_come_out_of_the_page_as_they_went_in():
    rng = np.random.default_rng(40)
    engine = MiniRacer()
    engine.eval((FOLDER / "_shared" / "arrays.mjs").read_text(encoding="utf-8").replace("export ", ""))
    for size in (1, 2, 3, 4, 30, 31, 32):
        for array in (
            rng.integers(0, 256, size=size, dtype="uint8"),
            np.where(rng.random(size) < 0.2, rng.integers(0, 256, size=size), 0).astype("uint8"),
            rng.normal(size=(size, 2)).astype("float32"),
            (rng.normal(size=size) * 10.0 ** rng.integers(-7, 5, size=size)).astype("float16"),
            rng.integers(0, 2**16, size=size, dtype="uint16"),
        ):
            back = engine.eval(f"JSON.stringify(Array.from(decoded({json.dumps(_as_text(array))})))")
            assert np.array(json.loads(back), array.dtype).tolist() == array.ravel().tolist()


def test_only_pages_that_need_arrays_bring_them():
    assert script("digits").startswith("const embedded = {") and "decoded" in script("digits", view=False)
    assert {name for name in names() if "embedded" in script(name)} == {
        "decoder",
        "digits",
        "label-budget",
        "names",
    }


def test_table_brings_only_the_letters_wanted(tmp_path, monkeypatch):
    records = [{"word": "abcdef", "n": 1}, {"word": "uvwxyz", "n": 2}]
    (tmp_path / "made.json").write_text(json.dumps({"words": records, "others": ["x"]}), encoding="utf-8")
    monkeypatch.setattr("twice.explore.ASSETS", tmp_path)
    assert _table("made.json", "words") == records
    assert _table("made.json", "others") == ["x"]
    assert _table("made.json", "words", {"word": [5, 0, 3]}) == [
        {"word": "fad", "n": 1},
        {"word": "zux", "n": 2},
    ]


def test_contour_is_where_the_values_pass_the_level():
    engine = MiniRacer()
    engine.eval((FOLDER / "_shared" / "contour.mjs").read_text(encoding="utf-8").replace("export ", ""))
    j, i = np.mgrid[:20, :30]
    plane = 2.0 * i - 3.0 * j + 0.5
    segments = np.array(json.loads(engine.eval(f"JSON.stringify(contour({plane.tolist()}, 4))")))
    assert np.abs(2 * segments[..., 0] - 3 * segments[..., 1] + 0.5 - 4).max() < 1e-12
    begin, end = segments.min(axis=(0, 1)), segments.max(axis=(0, 1))
    assert [*begin, *end] == pytest.approx([1.75, 0, 29, 54.5 / 3])  # from edge to edge
    length = np.linalg.norm(segments[:, 1] - segments[:, 0], axis=1).sum()
    assert length == pytest.approx(np.linalg.norm(end - begin))  # whole, and each part once
    assert json.loads(engine.eval(f"JSON.stringify(contour({plane.tolist()}, 1000))")) == []


# The notebooks


def explore_cells():
    return [
        (path, cell)
        for path in notebooks.notebooks()
        for cell in notebooks.code_cells(notebooks.read(path))
        if "explore(" in cell.source
    ]


def test_explore_cells_are_one_call_each():
    assert [cell.source for _, cell in explore_cells() if not explorables.shows_figure(cell)] == []


def test_stored_figures_are_the_generated_ones():
    stale = {path.name for path, cell in explore_cells() if cell.outputs != [explorables.output(cell)]}
    assert not stale, f"run make explorables: {', '.join(sorted(stale))}"


def test_refresh_rewrites_only_what_is_stale(tmp_path):
    path = tmp_path / "notebook.ipynb"
    cells = [notebooks.nbformat.v4.new_code_cell(source) for source in ("1 + 1", 'explore("neuron", w1=-1)')]
    notebooks.nbformat.write(notebooks.nbformat.v4.new_notebook(cells=cells), path)
    assert explorables.refresh(path) and not explorables.refresh(path)
    other, shown = notebooks.read(path).cells
    assert other.outputs == [] and shown.outputs == [explorables.output(shown)]
    assert shown.outputs[0].data["text/html"] == explore("neuron", w1=-1)._repr_html_()


# The neuron


@pytest.fixture(scope="module")
def neuron():
    return Model("neuron")


@pytest.mark.parametrize("name", ["step", "sigmoid", "tanh", "relu"])
def test_neuron_activation(neuron, name):
    z = np.r_[np.random.default_rng(0).normal(scale=4, size=CASES), 0.0, -40.0, 40.0, 800.0, -800.0]
    ours = neuron("z.map((z) => activations[name].f(z))", z=z.tolist(), name=name)
    agree(name, np.array(ours), getattr(activations, name)(z), atol=1e-12)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
def test_neuron_slope(neuron, name):
    z = np.r_[np.random.default_rng(1).normal(scale=4, size=CASES), 0.0, -40.0, 40.0]
    ours = neuron("z.map((z) => activations[name].slope(z))", z=z.tolist(), name=name)
    agree(name, np.array(ours), getattr(activations, f"{name}_derivative")(z), atol=1e-12)


def test_neuron_step_has_no_slope_where_it_jumps(neuron):
    assert neuron("[-1, 0, 1].map((z) => activations.step.slope(z))") == [0, None, 0]


def test_neuron_response(neuron):
    rng = np.random.default_rng(2)
    for _ in range(CASES):
        state = random_state(neuron("defaults"), rng)
        x = rng.uniform(-2, 2, size=2)
        z = x @ [state["w1"], state["w2"]] + state["b"]
        f = getattr(activations, state["activation"], lambda z: z)  # linear is z itself
        ours = neuron("neuron(state, x)", state=state, x=x.tolist())
        agree("z, a", np.array([ours["z"], ours["a"]]), np.array([z, f(z)]), atol=1e-12)


X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
LOGIC = {"AND": X.all(axis=1), "OR": X.any(axis=1), "XOR": X.sum(axis=1) == 1}


def perceptron_step(x, y, w, b, turn):
    """Correct the first wrong row from `turn` on by Rosenblatt’s rule; return w, b and the next turn."""
    for i in (turn + np.arange(len(x))) % len(x):
        error = y[i] - activations.step(x[i] @ w + b)
        if error:
            return w + error * x[i], b + error, (i + 1) % len(x)
    return w, b, turn


@pytest.mark.parametrize("data", LOGIC)
def test_neuron_table_and_perceptron_step(neuron, data):
    rng = np.random.default_rng(3)
    for _ in range(CASES):
        state = {**random_state(neuron("defaults"), rng), "data": data}
        state |= {key: round(state[key]) for key in ("w1", "w2", "b")}  # so that z is often exactly 0
        w, b = np.array([state["w1"], state["w2"]]), state["b"]
        rows = neuron("table(state)", state=state)
        right = activations.step(X @ w + b) == LOGIC[data]
        assert [row["target"] for row in rows] == LOGIC[data].tolist()
        assert [row["right"] for row in rows] == right.tolist()
        w, b, turn = perceptron_step(X, LOGIC[data].astype(int), w, b, state["turn"])
        ours = {**state, **neuron("perceptronStep(state)", state=state)}
        agree("w, b", np.array([ours["w1"], ours["w2"], ours["b"]]), np.r_[w, b], atol=1e-12)
        assert ours["turn"] == turn


@pytest.mark.parametrize("data, solvable", [("AND", True), ("OR", True), ("XOR", False)])
def test_neuron_perceptron_rule_ends_where_a_line_exists(neuron, data, solvable):
    """Also with every step brought into the range of the controls, as the page does."""
    rng = np.random.default_rng(4)
    learn = "Array(100).fill(0).reduce((s) => admit(defaults, s, perceptronStep(s)), state)"
    for _ in range(CASES):
        state = {**random_state(neuron("defaults"), rng), "data": data}
        rows = neuron(f"table({learn})", state=state)
        assert all(row["right"] for row in rows) == solvable


def test_neuron_without_a_task_has_nothing_to_learn(neuron):
    state = neuron("declared(defaults)")
    assert neuron("[table(state), nextWrong(state), perceptronStep(state)]", state=state) == [[], -1, {}]


# Linear regression


@pytest.fixture(scope="module")
def line():
    return Model("linear-regression")


def clouds(line, rng):
    """Yield random states of the figure, with the feature u and the target y of their points."""
    for case in range(CASES):
        state = random_state(line("defaults"), rng)
        x, y = rng.uniform(0, 6, size=(2, rng.integers(2, 20)))
        state |= {"points": np.c_[x, y].tolist(), "standardise": case % 2 == 1}
        yield state, (x - x.mean()) / x.std() if state["standardise"] else x, y


def mse_gradient(u, y, w, b):
    """Return ∂L/∂w and ∂L/∂b of the mean squared error."""
    dy_hat = losses.mean_squared_error_gradient(y, w * u + b)
    return np.array([dy_hat @ u, dy_hat.sum()])


def test_line_loss_and_gradient(line):
    for state, u, y in clouds(line, np.random.default_rng(5)):
        w, b = state["w"], state["b"]
        ours = line("({ L: loss(pairs(state), state), d: gradient(pairs(state), state) })", state=state)
        agree("L", ours["L"], losses.mean_squared_error(y, w * u + b), atol=1e-12)
        agree("dw, db", np.array([ours["d"]["w"], ours["d"]["b"]]), mse_gradient(u, y, w, b), atol=1e-12)


def test_line_minimum_and_curvature(line):
    for state, u, y in clouds(line, np.random.default_rng(6)):
        design = np.c_[u, np.ones_like(u)]
        best, *_ = np.linalg.lstsq(design, y)
        low = line("minimum(pairs(state))", state=state)
        agree("w, b", np.array([low["w"], low["b"]]), best, atol=1e-11)  # two points may lie close together
        assert low["unique"]
        curved = line("curvature(pairs(state))", state=state)
        smallest, largest = np.linalg.eigvalsh(2 * design.T @ design / len(y))
        agree(
            "eigenvalues",
            np.array([curved["smallest"], curved["largest"]]),
            np.array([smallest, largest]),
            atol=1e-12,
        )
        if not state["standardise"]:  # standardised, both are 2 and every direction is as good
            axis = np.array([np.cos(curved["angle"]), np.sin(curved["angle"])])
            agree("axis", 2 * design.T @ (design @ axis) / len(y), largest * axis, atol=1e-12)


def test_line_without_a_spread_has_no_one_minimum(line):
    state = {**line("declared(defaults)"), "points": [[2, 1], [2, 3]]}
    low = line("minimum(pairs(state))", state=state)
    assert low == {"w": 0, "b": 2, "unique": False}
    assert line("loss(pairs(state), low)", state=state, low=low) == 1
    assert line("curvature(pairs(state))", state=state)["smallest"] == pytest.approx(0, abs=1e-12)
    assert line("pairs({ ...state, standardise: true })", state=state) == [[0, 1], [0, 3]]


def test_line_descends_as_numpy_does(line):
    """Also where the rate is too large and the path runs away; it ends once the loss has passed 1e12."""
    lost = 0
    for state, u, y in clouds(line, np.random.default_rng(7)):
        state["steps"] = 40
        state["rate"] = float(10 ** np.random.default_rng(len(u)).uniform(-3, 0.3))
        theta = np.array([state["w"], state["b"]])
        ours = line("descend(state)", state=state)
        for point in ours:
            loss = losses.mean_squared_error(y, theta[0] * u + theta[1])
            agree("w, b", np.array([point["w"], point["b"]]), theta, atol=1e-11)
            agree("L", point["loss"], loss, atol=1e-11)
            theta = theta - state["rate"] * mse_gradient(u, y, *theta)
        assert len(ours) == 41 or ours[-1]["loss"] > 1e12
        lost += len(ours) < 41
    assert 0 < lost < CASES


def test_line_converges_below_the_rate_that_curvature_gives_and_not_above(line):
    end = "descend({ ...state, steps: 200, rate: rate / curvature(pairs(state)).largest }).at(-1).loss"
    for state, _, _ in clouds(line, np.random.default_rng(8)):
        start = line("loss(pairs(state), state)", state=state)
        assert line(end, state=state, rate=1.98) < start < line(end, state=state, rate=2.2)


def test_line_stays_the_same_when_standardised(line):
    for state, _, _ in clouds(line, np.random.default_rng(9)):
        state["steps"] = 3
        state["rate"] = 0.01
        predict = "s => (({ w, b }) => pairs(s).map(([u]) => w * u + b))(descend(s).at(-1))"
        before, after = line(f"[state, {{ ...state, ...switched(state) }}].map({predict})", state=state)
        agree("ŷ", np.array(after), np.array(before), atol=1e-12)


# Logistic regression


@pytest.fixture(scope="module")
def classifier():
    return Model("logistic-regression")


def class_clouds(classifier, rng):
    """Yield random states of the figure, with the inputs and classes of the points that take part."""
    for _ in range(CASES):
        state = random_state(classifier("defaults"), rng)
        groups = [rng.uniform(-3, 3, size=(rng.integers(1, 21), 2)) for _ in range(3)]
        state |= {f"class{k}": points.tolist() for k, points in enumerate(groups)}
        groups[1] = groups[1][: state["kept"]]
        taking = groups if state["classes"] == "three" else groups[:2]
        yield state, np.concatenate(taking), np.repeat(np.arange(len(taking)), [len(g) for g in taking])


def one_hot(y, classes):
    return np.eye(classes)[y]


def cross_entropy(theta, x, y):
    """Return the loss and its gradient in the shape of `theta`, rows (w1, w2, b): one row for two classes."""
    inputs = np.c_[x, np.ones(len(x))]
    name, truth = ("binary", y[:, None]) if len(theta) == 1 else ("categorical", one_hot(y, 3))
    loss = getattr(losses, f"{name}_crossentropy")(truth, inputs @ theta.T, from_logits=True)
    dz = getattr(losses, f"{name}_crossentropy_gradient")(truth, inputs @ theta.T, from_logits=True)
    return loss, dz.T @ inputs


def random_theta(state, rng):
    return rng.normal(scale=2, size=(3 if state["classes"] == "three" else 1, 3))


@pytest.mark.parametrize("z", [[1.5], [-0.3], [40.0], [-800.0], [0.2, -1.0, 3.0], [1000.0, 999.0, -1000.0]])
def test_classifier_probabilities_and_surprise(classifier, z):
    logits = np.array([0.0, *z] if len(z) == 1 else z)
    agree("p", np.array(classifier("probabilities(z)", z=z)), activations.softmax(logits), atol=1e-12)
    surprise = (
        classifier("z.map((_, k) => surprise(z, k))", z=z)
        if len(z) > 1
        else [classifier("surprise(z, 1)", z=z)]
    )
    expected = -activations.log_softmax(logits)
    agree("−log p", np.array(surprise), expected if len(z) > 1 else expected[1:], atol=1e-12)


def test_classifier_loss_and_gradient(classifier):
    rng = np.random.default_rng(10)
    for state, x, y in class_clouds(classifier, rng):
        theta = random_theta(state, rng)
        ours = classifier(
            "[examples(state)].map((e) => ({ e, L: crossEntropy(theta, e), d: gradient(theta, e) }))[0]",
            state=state,
            theta=theta.tolist(),
        )
        loss, slope = cross_entropy(theta, x, y)
        assert ours["e"] == np.c_[x, y].tolist()
        agree("L", ours["L"], loss, atol=1e-12)
        agree("dθ", np.array(ours["d"]), slope, atol=1e-12)


def test_classifier_descends_as_numpy_does(classifier):
    for state, x, y in class_clouds(classifier, np.random.default_rng(11)):
        state |= {"steps": 25, "rate": min(state["rate"], 2.0)}
        ours = classifier("descend(state)", state=state)
        theta = np.zeros((3 if state["classes"] == "three" else 1, 3))
        for loss in ours["losses"]:
            expected, slope = cross_entropy(theta, x, y)
            agree("L", loss, expected, atol=1e-12)
            agree_at_end, theta = theta, theta - state["rate"] * slope
        agree("θ", np.array(ours["theta"]), agree_at_end, atol=1e-12)
        assert len(ours["losses"]) == 26


def test_classifier_counts_and_rates(classifier):
    rng = np.random.default_rng(12)
    for state, x, y in class_clouds(classifier, rng):
        theta = random_theta(state, rng)
        logits = np.c_[x, np.ones(len(x))] @ theta.T
        y_pred = logits.argmax(axis=1)
        if len(theta) == 1:
            y_pred = (activations.sigmoid(logits[:, 0]) > state["threshold"]).astype(int)
        counts = metrics.confusion_matrix(y, y_pred, max(len(theta), 2))
        ours = classifier(
            "confusion(theta, state.threshold, examples(state))", theta=theta.tolist(), state=state
        )
        assert ours == counts.tolist()
        rates = classifier("metrics(counts)", counts=ours)
        agree("accuracy", rates["accuracy"], metrics.accuracy(y, y_pred), atol=1e-12)
        for k, of_class in enumerate(rates["classes"]):
            expected = [f(y == k, y_pred == k) for f in (metrics.precision, metrics.recall, metrics.f1_score)]
            agree(
                f"rates of class {k}",
                np.array(list(of_class.values())),
                np.array(expected, float),
                atol=1e-12,
            )


def test_classifier_answers_ties_as_numpy_does(classifier):
    assert classifier("decide([[0, 0, 0]], 0.5, [1, 2])") == 0  # p > threshold, as Keras
    assert classifier("decide([[0, 0, 0], [0, 0, 0], [0, 0, 0]], 0.5, [1, 2])") == np.argmax([0, 0, 0])


# The network


@pytest.fixture(scope="module")
def network():
    return Model("network")


def mulberry32(seed):
    """Yield the numbers of the figure's generator."""
    state = seed
    while True:
        state = (state + 0x6D2B79F5) % 2**32
        t = (state ^ state >> 15) * (state | 1) % 2**32
        t ^= (t + (t ^ t >> 7) * (t | 61)) % 2**32
        yield (t ^ t >> 14) / 2**32


def random_networks(network, rng, cases=CASES):
    """Yield random states of the figure that learn without running away, and the inputs and classes."""
    for _ in range(cases):
        state = random_state(network("defaults"), rng)
        state |= {"scale": min(state["scale"], 2.0), "rate": rng.uniform(0.01, 0.5), "steps": 20}
        points = np.array(network("examples(data)", data=state["data"]))
        yield state, points[:, :2], points[:, 2:]


def built(network, state):
    """Return the package's network, with the weights the figure begins with."""
    *hidden, last = network("sizes(state)", state=state)[1:]
    rng = np.random.default_rng(0)
    layers = [Dense(units, state["activation"], rng=rng) for units in hidden]
    ours = Network([*layers, Dense(last, "sigmoid", rng=rng)])
    ours.build((None, 2))
    ours.set_weights(flat(network("initial(state)", state=state)))
    return ours


def flat(layers):
    """Return the arrays of a figure's layers in the order of `Network.params`."""
    return [np.array(layer[name], dtype=float) for layer in layers for name in ("W", "b")]


def test_network_random_numbers_are_mulberry32(network):
    ours = network("[uniform(3)].flatMap((random) => Array.from({ length: 5 }, random))")
    numbers = mulberry32(3)
    assert ours == [next(numbers) for _ in range(5)]


@pytest.mark.parametrize("data", ["moons", "circles", "XOR", "spiral"])
def test_network_data(network, data):
    points = np.array(network("examples(data)", data=data))
    assert points.shape == (80, 3) and np.abs(points[:, :2]).max() < 3  # all in the picture
    assert (points[:, 2] == np.arange(80) % 2).all()
    assert network("examples(data)", data=data) == points.tolist()
    design = np.c_[points[:, :2], np.ones(80)]
    best, *_ = np.linalg.lstsq(design, points[:, 2] - 0.5)
    assert ((design @ best > 0) == points[:, 2]).mean() <= 0.9  # no line tells the classes apart


def test_network_begins_within_glorot_s_limit(network):
    for state, _, _ in random_networks(network, np.random.default_rng(13)):
        numbers = mulberry32(state["seed"])
        for W, b in zip(*[iter(flat(network("initial(state)", state=state)))] * 2, strict=True):
            limit = state["scale"] * np.sqrt(6 / sum(W.shape))
            expected = np.array([limit * (2 * next(numbers) - 1) for _ in range(W.size)]).reshape(W.shape)
            agree("W", W, expected, atol=1e-12)
            assert not b.any() and len(b) == W.shape[1]


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
def test_network_activation_and_slope(network, name):
    z = np.r_[np.random.default_rng(14).normal(scale=4, size=CASES), 0.0, -40.0, 40.0]
    ours = np.array(
        network("z.map((z) => [activations[name].f(z), activations[name].slope(z)])", z=z.tolist(), name=name)
    )
    agree("f", ours[:, 0], getattr(activations, name)(z), atol=1e-12)
    agree("f′", ours[:, 1], getattr(activations, f"{name}_derivative")(z), atol=1e-12)


def test_network_answers_loss_and_gradient(network):
    for state, x, y in random_networks(network, np.random.default_rng(15)):
        theirs = built(network, state)
        p = theirs.forward(x, training=True)
        z = theirs.layers[-1].z
        theirs.backward(losses.binary_crossentropy_gradient(y, z, from_logits=True), from_logits=True)
        ours = network(
            """(() => {
                 const [layers, [x1, x2, y]] = [initial(state), columns(data)];
                 const values = forward(layers, state.activation, [x1, x2]);
                 return { z: values.map(({ z }) => z.map((column) => Array.from(column))),
                          p: Array.from(values.at(-1).a[0]), L: crossEntropy(values, y),
                          d: gradient(layers, state.activation, [x1, x2], values, y),
                          right: right(layers, state.activation, data) };
               })()""",
            state=state,
            data=np.c_[x, y].tolist(),
        )
        for z_of_layer, layer in zip(ours["z"], theirs.layers, strict=True):
            agree("z", np.transpose(z_of_layer), layer.z, atol=1e-12)
        agree("p", np.c_[ours["p"]], p, atol=1e-12)
        agree("L", ours["L"], losses.binary_crossentropy(y, z, from_logits=True), atol=1e-12)
        assert ours["right"] == ((z > 0) == y).sum()
        for d, expected in zip(flat(ours["d"]), theirs.grads, strict=True):
            agree("dθ", d, expected, atol=1e-12)


def test_network_trains_as_the_package_does(network):
    for state, x, y in random_networks(network, np.random.default_rng(16), cases=12):
        theirs, sgd = built(network, state), SGD(state["rate"])
        path = network("train(state)", state=state)
        assert len(path) == state["steps"] + 1
        for stop in path:
            theirs.forward(x, training=True)
            z = theirs.layers[-1].z
            agree("L", stop["loss"], losses.binary_crossentropy(y, z, from_logits=True), atol=1e-11)
            for ours, expected in zip(flat(stop["layers"]), theirs.params, strict=True):
                agree("θ", ours, expected, atol=1e-11)  # rounding grows from step to step
            theirs.backward(losses.binary_crossentropy_gradient(y, z, from_logits=True), from_logits=True)
            sgd.apply(theirs.grads, theirs.params)


def test_network_goes_on_where_it_stopped_and_back(network):
    state = network("declared(defaults)")
    fresh = Model("network")("train(state)", state={**state, "steps": 30})
    for steps in [10, 30, 5, 30]:
        assert network("train(state)", state={**state, "steps": steps}) == fresh[: steps + 1]
        looked_at = {**state, "steps": steps, "neuron": "1.2"}
        assert network("train(state)", state=looked_at) == fresh[: steps + 1]
    for change in [{"seed": 2}, {"rate": 1}, {"data": "XOR"}, {"hidden2": 0}, {"scale": 2}]:
        assert network("train(state)", state={**state, "steps": 5, **change}) != fresh[:6]


def test_network_trains_in_slices_to_the_same_end(network):
    """A slice ends when it is told to, and the next one goes on from there."""
    state = network("declared(defaults)") | {"hidden1": 6, "hidden2": 6, "steps": 40}
    whole = Model("network")("train(state)", state=state)
    lengths = []
    while not lengths or lengths[-1] < 41:
        path = network("[0].map((n) => train(state, () => ++n < 7))[0]", state=state)
        assert path == whole[: len(path)]
        assert network("arrived(path, 40)", path=path) == (len(path) == 41)
        lengths.append(len(path))
    assert lengths == [8, 15, 22, 29, 36, 41]


@pytest.mark.parametrize("data", ["moons", "circles", "XOR", "spiral"])
def test_network_learns_what_no_line_can_tell_apart(network, data):
    state = network("declared(defaults)") | {"data": data, "hidden1": 6, "hidden2": 6, "steps": 400}
    count = "right(train(state).at(-1).layers, state.activation, examples(state.data))"
    assert network(count, state=state) == 80
    assert network(count, state={**state, "activation": "linear"}) < 74


def test_network_of_linear_layers_is_one_layer(network):
    rng = np.random.default_rng(17)
    for state, x, _ in random_networks(network, rng):
        state["activation"] = "linear"
        one = network("collapsed(train(state).at(-1).layers)", state=state)
        z = network(
            "Array.from(forward(train(state).at(-1).layers, 'linear', x).at(-1).z[0])",
            x=x.T.tolist(),
            state=state,
        )
        assert np.shape(one["W"]) == (2, 1)
        agree("x(WV) + (bV + c)", x @ np.array(one["W"]) + one["b"], np.c_[z], atol=1e-12)


def test_network_of_equal_neurons_stays_so(network):
    """With all weights 0 at the start nothing tells the neurons of a layer apart."""
    state = network("declared(defaults)") | {"scale": 0, "activation": "sigmoid", "steps": 50, "rate": 1}
    W1, b1, W2, *_ = flat(network("train(state).at(-1).layers", state=state))
    for same in (W1.T, b1, W2):
        assert (same == same[0]).all()
    count = "right(initial(state), 'sigmoid', examples(state.data))"
    assert network(count, state=state) == 40  # p = ½ is class 0, as in Keras


def test_network_shows_the_output_where_there_is_no_such_neuron(network):
    state = network("declared(defaults)") | {"hidden1": 4, "hidden2": 0}
    shown = "neurons.map((neuron) => shown({ ...state, neuron }))"
    ask = {"neurons": ["1.1", "1.4", "1.5", "2.1", "output"], "state": state}
    assert network(shown, **ask) == [[0, 0], [0, 3], [1, 0], [1, 0], [1, 0]]
    ask["state"]["hidden2"] = 1
    assert network(shown, **ask) == [[0, 0], [0, 3], [2, 0], [1, 0], [2, 0]]


# Backpropagation


@pytest.fixture(scope="module")
def graph():
    return Model("backpropagation")


def engine_values(state):
    """Compute the chosen graph with the package's scalar engine; return its values by name."""
    v = {key: Value(state[key]) for key in ("x", "w1", "b1", "w2", "b2", "y")}
    f = getattr(Value, state["activation"])
    v["u1"] = v["w1"] * v["x"]
    if state["graph"] == "skip":
        v["a1"] = f(v["u1"])
        v["ŷ"] = v["x"] + v["a1"]
    else:
        v["z1"] = v["u1"] + v["b1"]
        v["a1" if state["graph"] == "two layers" else "ŷ"] = f(v["z1"])
    if state["graph"] == "two layers":
        v["u2"] = v["w2"] * v["a1"]
        v["ŷ"] = v["u2"] + v["b2"]
    v["e"] = v["ŷ"] - v["y"]
    v["L"] = v["e"] ** 2
    v["L"].backward()
    return v


def graph_states(graph, seed):
    """Yield random states of the figure with all steps done."""
    rng = np.random.default_rng(seed)
    for _ in range(CASES):
        yield random_state(graph("defaults"), rng) | {"stage": 20}


def test_graph_values_and_gradients_are_the_engine_s(graph):
    for state in graph_states(graph, 18):
        expected = engine_values(state)
        known = graph("known(state)", state=state)
        assert set(known["values"]) == set(known["gradients"])  # all that is in the graph
        for name, value in known["values"].items():
            agree(name, value, expected[name].data, atol=1e-12)
            agree(f"∂L/∂{name}", known["gradients"][name]["gradient"], expected[name].grad, atol=1e-12)


def test_graph_steps_are_chain_rule_and_sum(graph):
    """Values come after their operands, a gradient is whole before it goes on, a step back is a product."""
    for state in graph_states(graph, 19):
        values, gradients, complete = {key: state[key] for key in graph("INPUTS")}, {}, set()
        expected = engine_values(state)
        for step in graph("tape(state)", state=state):
            if step["kind"] == "forward":
                assert all(operand in values for operand in step["node"]["operands"])
                values[step["node"]["name"]] = step["value"]
                continue
            operand = step["operand"]
            if step["kind"] == "backward":
                name = step["node"]["name"]
                assert name in complete and step["received"] == gradients[name]
                slopes = [slope for parent, slope in expected[name].parents if parent is expected[operand]]
                agree("slope", step["slope"], slopes[0], atol=1e-12)
                assert step["product"] == step["received"] * step["slope"]
                assert step.get("before") == gradients.get(operand)
                assert step["gradient"] == gradients.get(operand, 0) + step["product"]
            gradients[operand] = step["gradient"]
            assert operand not in complete
            if step["complete"]:
                complete.add(operand)
        assert complete == set(gradients) and gradients["L"] == 1


@pytest.mark.parametrize("name, steps", [("neuron", 14), ("two layers", 20), ("skip", 14)])
def test_graph_knows_only_what_its_steps_have_shown(graph, name, steps):
    state = graph("declared(defaults)") | {"graph": name}
    tape = graph("tape(state)", state=state)
    assert len(tape) == steps
    begin = graph("known(state)", state=state | {"stage": 0})
    assert set(begin["values"]) == set(graph("used(state)", state=state)) and begin["gradients"] == {}
    for stage in range(1, steps + 1):
        known = graph("known(state)", state=state | {"stage": stage})
        assert known["step"] == tape[stage - 1]
        shown = len(known["values"]) - len(begin["values"]) + bool(known["gradients"]) + len(known["arrows"])
        assert shown == stage


def test_graph_that_uses_x_twice_sums_over_two_paths(graph):
    state = graph("declared(defaults)") | {"graph": "skip", "activation": "tanh"}
    to_x = [step for step in graph("tape(state)", state=state) if step.get("operand") == "x"]
    a1 = np.tanh(state["w1"] * state["x"])
    e = state["x"] + a1 - state["y"]
    direct, around = 2 * e, 2 * e * (1 - a1**2) * state["w1"]
    assert [step["product"] for step in to_x] == pytest.approx([direct, around], abs=1e-12)
    assert [step["complete"] for step in to_x] == [False, True]


def test_graph_nudged_is_the_gradient(graph):
    for state in graph_states(graph, 20):
        state["activation"] = "tanh" if state["activation"] == "relu" else state["activation"]  # no kink near
        expected = engine_values(state)
        for key in graph("used(state)", state=state):
            assert graph("nudged(state, key)", state=state, key=key) == pytest.approx(
                expected[key].grad, rel=1e-4, abs=1e-4
            )


# Optimizers


@pytest.fixture(scope="module")
def optimizers():
    return Model("optimizers")


def bowl_loss(w, state):
    angle = np.deg2rad(state["angle"])
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) @ w
    return 0.5 * (turned**2 @ [1, state["condition"]])


LANDSCAPES = {
    "bowl": bowl_loss,
    "valley": lambda w, _: (w[0] - 2) ** 2 / 10 + (w[1] + 1.5 - w[0] ** 2 / 2) ** 2,
    "saddle": lambda w, _: w[0] ** 2 / 2 + (w[1] ** 2 - 4) ** 2 / 16,
    "two minima": lambda w, _: (w[0] + 2) ** 2 * ((w[0] - 2) ** 2 + 1) / 16 + w[1] ** 2,
}
SURFACE = "[surface(state)].map(({ loss, gradient }) => [loss(w), gradient(w)])[0]"


def package_optimizer(name, state):
    """Return the package's optimizer with the rate and the momentum of a state."""
    rate = state[f"{name}_rate"]
    return {
        "sgd": lambda: SGD(rate),
        "momentum": lambda: SGD(rate, momentum=state["mu"]),
        "nesterov": lambda: SGD(rate, momentum=state["mu"], nesterov=True),
        "rmsprop": lambda: RMSprop(rate),
        "adam": lambda: Adam(rate),
    }[name]()


def test_surface_loss_and_gradient(optimizers):
    rng = np.random.default_rng(21)
    for _ in range(CASES):
        state = random_state(optimizers("defaults"), rng)
        w, h = rng.uniform(-3, 3, size=2), 1e-5
        value, slope = optimizers(SURFACE, state=state, w=w.tolist())
        landscape = LANDSCAPES[state["surface"]]
        agree("L", value, landscape(w, state), atol=1e-12)
        nudged = [(landscape(w + d, state) - landscape(w - d, state)) / (2 * h) for d in h * np.eye(2)]
        agree("∇L", np.array(slope), np.array(nudged), atol=1e-8)


@pytest.mark.parametrize("surface", LANDSCAPES)
def test_surface_is_0_where_it_is_lowest(optimizers, surface):
    state = optimizers("declared(defaults)") | {"surface": surface}
    for w in optimizers("surface(state).minima", state=state):
        assert optimizers(SURFACE, state=state, w=w) == [0, [0, 0]]
    grid = np.linspace(-3, 3, 41)
    assert all(LANDSCAPES[surface](np.array([x, y]), state) >= 0 for x in grid for y in grid)


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "rmsprop", "adam"])
def test_runner_moves_as_the_package_s_optimizer(optimizers, name):
    """From the figure's own gradients, so that differences in rounding cannot grow on the way."""
    rng = np.random.default_rng(22)
    for _ in range(CASES):
        state = random_state(optimizers("defaults"), rng)
        path = optimizers("descend(state, name)", state=state, name=name)
        theirs, w = package_optimizer(name, state), np.array([state["x"], state["y"]])
        assert len(path) == state["steps"] + 1 or path[-1]["loss"] >= 1e6
        gradients = optimizers("path.map(({ at }) => surface(state).gradient(at))", path=path, state=state)
        for stop, g in zip(path, gradients, strict=True):
            scale = max(1, np.abs(w).max())
            agree(name, np.array(stop["at"]) / scale, w / scale, atol=1e-11)
            theirs.apply([np.array(g)], [w])


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "rmsprop", "adam"])
def test_runner_takes_its_first_steps_to_the_last_digit(optimizers, name):
    rng = np.random.default_rng(23)
    for _ in range(CASES):
        state = random_state(optimizers("defaults"), rng) | {"steps": 3}
        state[f"{name}_rate"] = min(state[f"{name}_rate"], 0.05)
        path = optimizers("descend(state, name)", state=state, name=name)
        theirs, w = package_optimizer(name, state), np.array([state["x"], state["y"]])
        for stop in path:
            agree(name, np.array(stop["at"]), w, atol=1e-12)
            agree("L", stop["loss"], LANDSCAPES[state["surface"]](w, state), atol=1e-12)
            theirs.apply([np.array(optimizers(SURFACE, state=state, w=w.tolist())[1])], [w])


def test_race_is_of_those_who_take_part(optimizers):
    state = optimizers("declared(defaults)") | {"momentum": False, "adam": False}
    assert list(optimizers("race(state)", state=state)) == ["sgd", "nesterov", "rmsprop"]
    assert optimizers("arrival([3, 0.5, 2, 0.1].map((loss) => ({ loss })), 1)") == 1
    assert optimizers("arrival([{ loss: 3 }], 1)") == -1


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov"])
@pytest.mark.parametrize("angle", [0, 30])
def test_bowl_is_descended_below_the_limit_and_not_above(optimizers, name, angle):
    state = optimizers("declared(defaults)") | {"angle": angle, "steps": 300, "mu": 0.5, "condition": 8}
    end = "descend({ ...state, [`${name}_rate`]: share * limits(state)[name] }, name).at(-1).loss"
    assert optimizers(end, state=state, name=name, share=0.97) < 1e-3
    assert optimizers(end, state=state, name=name, share=1.03) > 1e3


def test_saddle_holds_who_starts_on_its_ridge(optimizers):
    state = optimizers("declared(defaults)") | {"surface": "saddle", "y": 0, "steps": 300}
    for path in optimizers("race(state)", state=state).values():
        assert path[-1]["at"][1] == 0 and path[-1]["loss"] > 0.99
    nearby = optimizers("race(state)", state=state | {"y": 0.1})
    assert all(path[-1]["loss"] < 0.01 for path in nearby.values())


# Overfitting


@pytest.fixture(scope="module")
def polynomial():
    return Model("overfitting")


def legendre(x, degree):
    """Return the Legendre polynomials at x, each of mean square 1: shape (n, degree + 1)."""
    return np.polynomial.legendre.legvander(np.asarray(x), degree) * np.sqrt(2 * np.arange(degree + 1) + 1)


def penalised(points, degree, strength):
    """Return the coefficients with the least mean squared error plus penalty, the constant going free."""
    x, y = np.transpose(points)
    free = np.arange(degree + 1) > 0
    rows = np.sqrt(10**strength * len(x)) * np.eye(degree + 1)[free]
    phi = np.vstack([legendre(x, degree), rows])
    return np.linalg.lstsq(phi, np.append(y, np.zeros(len(rows))), rcond=None)[0]


GRID = (np.arange(200) + 0.5) / 100 - 1


def polynomial_states(polynomial, seed, cases=CASES):
    """Yield random states of the figure."""
    rng = np.random.default_rng(seed)
    for _ in range(cases):
        yield random_state(polynomial("defaults"), rng)


def test_polynomial_fits_are_numpy_s(polynomial):
    for state in polynomial_states(polynomial, 21):
        points = polynomial("drawn(state, state.sample)", state=state)
        assert np.shape(points) == (state["examples"], 2)
        ours = polynomial("fit(drawn(state, state.sample), state.degree, state.strength)", state=state)
        c = penalised(points, state["degree"], state["strength"])
        x, y = np.transpose(points)
        agree("fit", legendre(x, state["degree"]) @ ours, legendre(x, state["degree"]) @ c, atol=1e-6)
        error = polynomial("byDegree(state)[state.degree]", state=state)
        miss = legendre(GRID, state["degree"]) @ ours - np.sin(4.5 * GRID)
        agree("training error", error["training"], ((legendre(x, state["degree"]) @ ours - y) ** 2).mean())
        agree("true error", error["true"], state["noise"] ** 2 + (miss**2).mean(), atol=1e-9)


def test_polynomial_error_is_noise_bias_and_variance(polynomial):
    for state in polynomial_states(polynomial, 22, cases=10):
        parts = polynomial("parts(state)", state=state)
        fits = np.array(polynomial("fits(state)", state=state))
        assert len(fits) == 21
        y = legendre(GRID, state["degree"]) @ fits.T  # (200, 21)
        error = state["noise"] ** 2 + ((y - np.sin(4.5 * GRID)[:, None]) ** 2).mean()
        agree("noise + bias² + variance", sum(parts.values()), error, atol=1e-9)
        agree("variance", parts["variance"], y.var(axis=1).mean(), atol=1e-9)


def test_polynomial_of_higher_degree_fits_its_sample_better(polynomial):
    state = polynomial("declared(defaults)")
    errors = polynomial("byDegree(state)", state=state)
    assert len(errors) == 13
    training = np.array([error["training"] for error in errors])
    true = np.array([error["true"] for error in errors])
    assert (np.diff(training) < 1e-6).all()
    assert 2 < true.argmin() < 9 and true[-1] > 2 * true.min() and true[0] > 2 * true.min()
    assert (true > training)[4:].all()


def test_polynomial_samples_differ_and_grow(polynomial):
    state = polynomial("declared(defaults)") | {"examples": 80, "noise": 1}
    samples = np.array(polynomial("[1, 2, 101].map((number) => drawn(state, number))", state=state))
    assert len(np.unique(samples[..., 0])) == 3 * 80
    noise = samples[..., 1] - np.sin(4.5 * samples[..., 0])
    assert abs(noise.mean()) < 0.2 and 0.8 < noise.std() < 1.2 and np.abs(samples[..., 0]).max() <= 1
    few = polynomial("drawn(state, 2)", state={**state, "examples": 10})
    assert few == samples[1, :10].tolist()


def test_polynomial_needs_more_examples_for_less_variance(polynomial):
    state = polynomial("declared(defaults)") | {"degree": 9}
    few, many, shrunk = (
        polynomial("parts(state)", state={**state, **change})
        for change in ({"examples": 15}, {"examples": 80}, {"examples": 15, "strength": -2})
    )
    assert many["variance"] < 0.1 * few["variance"]
    assert shrunk["variance"] < 0.5 * few["variance"] and shrunk["bias"] > many["bias"]


# Convolution


@pytest.fixture(scope="module")
def convolution():
    return Model("convolution")


def correlated(x, kernel, stride, dilation, before, after):
    """Return the sums of a kernel's products with every window of a picture, zeros around it."""
    reach = dilation * (len(kernel) - 1) + 1
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, (before, after)), (reach, reach))
    return np.einsum("rcij,ij->rc", windows[::stride, ::stride, ::dilation, ::dilation], kernel)


def kernel_states(convolution, seed):
    """Yield random states of the figure, each with a random kernel."""
    rng = np.random.default_rng(seed)
    for case in range(CASES):
        state = random_state(convolution("defaults"), rng)
        yield state | {"kernel": rng.uniform(-9, 9, size=(3, 3)).tolist(), "flip": case % 2 == 1}


def test_convolution_output_is_numpy_s(convolution):
    for state in kernel_states(convolution, 31):
        x = np.array(convolution("PICTURES[state.picture]", state=state), float)
        at = convolution("geometry(state)", state=state)
        kernel = np.array(state["kernel"])[:: -1 if state["flip"] else 1, :: -1 if state["flip"] else 1]
        y = correlated(x, kernel, state["stride"], state["dilation"], at["before"], at["after"])
        ours = np.array(convolution("output(state)", state=state))
        assert ours.shape == (at["places"], at["places"])
        agree("output", ours, y / state["divide"], atol=1e-12)


def test_convolution_terms_say_what_is_multiplied(convolution):
    for state in kernel_states(convolution, 32):
        row, column = place = convolution("place(state)", state=state)
        terms = convolution("terms(state, place)", state=state, place=place)
        x = np.array(convolution("PICTURES[state.picture]", state=state))
        inside = [t for t in sum(terms, []) if 0 <= t["row"] < 12 and 0 <= t["column"] < 12]
        assert [t["x"] for t in inside] == [x[t["row"], t["column"]] for t in inside]
        assert sum(t["x"] for t in sum(terms, [])) == sum(t["x"] for t in inside)  # zeros outside
        total = convolution("total(state, place)", state=state, place=place)
        agree("sum", total, sum(t["w"] * t["x"] for t in sum(terms, [])), atol=1e-12)
        y = convolution("output(state)", state=state)[row][column]
        agree("the place's output", y, total / state["divide"], atol=1e-12)
        assert max(row, column) < convolution("geometry(state).places", state=state)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride, dilation", [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)])
def test_convolution_is_keras_s(convolution, padding, stride, dilation):
    state = convolution("declared(defaults)") | {"padding": padding, "stride": stride, "dilation": dilation}
    state |= {"kernel": [[1, -2, 3], [0, 4, -5], [6, -7, 8]]}  # whole numbers: exact in float32 too
    for picture in ("digit", "dot", "square", "ramp"):
        x = np.array(convolution("PICTURES[picture]", picture=picture), "float32")[None, :, :, None]
        kernel = np.array(state["kernel"], "float32")[:, :, None, None]
        y = keras.ops.conv(x, kernel, strides=stride, padding=padding, dilation_rate=dilation)
        ours = convolution("output(state)", state=state | {"picture": picture})
        assert ours == np.asarray(y)[0, :, :, 0].tolist()


def test_convolution_pictures_and_kernels(convolution):
    pictures = convolution("PICTURES")
    assert list(pictures) == convolution("defaults.picture.options")
    assert all(np.shape(picture) == (12, 12) for picture in pictures.values())
    digit = np.load(ASSETS / "mnist.npz")["x_test"][1] / 255
    small = digit.reshape(14, 2, 14, 2).mean(axis=(1, 3))[1:-1, 1:-1]
    assert pictures["digit"] == np.round(9 * small).tolist()
    state = convolution("declared(defaults)") | {"padding": "same"}
    kernels = convolution("KERNELS")
    assert {key: state[key] for key in ("kernel", "divide")} == kernels["vertical edges"]
    outputs = {
        name: np.array(convolution("output(state)", state=state | {"picture": "ramp"} | preset))
        for name, preset in kernels.items()
    }
    assert (outputs["identity"] == pictures["ramp"]).all()
    inner = (slice(1, -1), slice(1, 9))  # where the ramp still rises
    agree("blur", outputs["blur"][inner], np.array(pictures["ramp"], float)[inner], atol=1e-12)
    assert (outputs["sharpen"][inner] == np.array(pictures["ramp"])[inner]).all()
    assert (outputs["vertical edges"][inner] == 8).all() and (outputs["horizontal edges"][inner] == 0).all()


def test_convolution_of_a_dot_is_the_kernel_turned(convolution):
    state = convolution("declared(defaults)") | {
        "picture": "dot",
        "kernel": np.arange(9).reshape(3, 3).tolist(),
    }
    around = "output(state).slice(3, 6).map((row) => row.slice(4, 7))"
    turned = convolution(around, state=state)
    assert turned == (9 * np.arange(9).reshape(3, 3)[::-1, ::-1]).tolist()
    assert convolution(around, state=state | {"flip": True}) == (9 * np.arange(9).reshape(3, 3)).tolist()


# Digits


@pytest.fixture(scope="module")
def digits():
    return Model("digits")


@pytest.fixture(scope="module")
def pictures():
    """Return the first 200 of MNIST's test digits and their classes."""
    shipped = np.load(ASSETS / "mnist.npz")
    return shipped["x_test"][:200], shipped["y_test"][:200]


def digit_layers(pictures):
    """Return what each layer of the shipped network makes of pictures, and the scores, in float64."""
    stored = np.load(ASSETS / "digits.npz")
    W1, b1, W2, b2, W3, b3 = (stored[key].astype(float) for key in ("W1", "b1", "W2", "b2", "W3", "b3"))
    conv1 = activations.relu(conv2d(np.asarray(pictures, float)[..., None] / 255, W1) + b1)
    pool1 = MaxPooling2D(2).forward(conv1)
    conv2 = activations.relu(conv2d(pool1, W2) + b2)
    pool2 = MaxPooling2D(2).forward(conv2)
    z = pool2.reshape(len(pool2), -1) @ W3 + b3
    return {"conv1": conv1, "pool1": pool1, "conv2": conv2, "pool2": pool2}, z


def test_digits_brings_the_shipped_weights_and_samples(digits, pictures):
    stored = np.load(ASSETS / "digits.npz")
    for key in ("W1", "b1", "W2", "b2", "W3", "b3"):
        assert digits(f"Array.from({key})") == stored[key].astype(float).ravel().tolist()
    assert digits("parameters") == sum(stored[key].size for key in stored) == 5258
    x, y = pictures
    chosen = digits("arrays.samples.rows")
    names = digits("defaults.sample.options")
    assert names[0] == "none" and digits("sample('none')") == [0] * 784
    assert [name[0] for name in names[1:]] == [str(digit) for digit in y[chosen]]
    assert digits("names.map(sample)", names=names[1:]) == x[chosen].reshape(20, -1).tolist()
    kernels = stored["W1"].reshape(9, 8).T.astype(float)
    assert digits("kernels") == kernels.tolist()


def test_digits_layers_are_numpy_s(digits, pictures):
    rng = np.random.default_rng(41)
    x = np.concatenate([pictures[0][:20], rng.integers(0, 256, size=(4, 28, 28)), np.zeros((1, 28, 28))])
    layers, z = digit_layers(x)
    for i, picture in enumerate(x):
        ours = digits("forward(picture)", picture=picture.ravel().tolist())
        for key, maps in layers.items():
            size, channels = maps.shape[1], maps.shape[3]
            assert (ours[key]["size"], ours[key]["channels"]) == (size, channels)
            values = np.reshape(ours[key]["values"], (size, size, channels))
            agree(key, values, maps[i], atol=1e-12)
        agree("scores", np.array(ours["z"]), z[i], atol=1e-12)
        agree("probabilities", np.array(ours["p"]), activations.softmax(z[i]), atol=1e-12)


def test_digits_of_mnist_are_normalised_already(digits, pictures):
    for picture in pictures[0]:
        flat = picture.ravel().tolist()
        assert digits("normalised(picture)", picture=flat) == flat


def test_digits_are_moved_and_turned_as_scipy_does(digits, pictures):
    rng = np.random.default_rng(42)
    for _ in range(20):
        state = random_state(digits("defaults"), rng)
        drawing = np.c_[rng.integers(0, 28, size=(30, 2)), rng.uniform(0, 255, size=30)]
        picture = np.reshape(digits("sample(name)", name=state["sample"]), (28, 28)).astype(float)
        for row, column, grey in drawing:
            picture[int(row), int(column)] = grey
        c, s = np.cos(np.radians(state["turn"])), np.sin(np.radians(state["turn"]))
        back = np.array([[c, -s], [s, c]])  # from the board to the picture
        shift = 13.5 - back @ (13.5 + np.array([state["down"], state["right"]]))
        expected = ndimage.affine_transform(picture, back, shift, order=1, mode="grid-constant")
        ours = digits("board(state)", state=state | {"drawing": drawing.tolist()})
        agree("board", np.reshape(ours, (28, 28)), expected, atol=1e-12)


def test_digits_turn_clockwise_and_move_right_and_down(digits):
    state = digits("declared(defaults)") | {"sample": "none", "drawing": [[2, 13.0, 255], [2, 14, 255]]}
    marks = "ink(board(state)).map(([row, column, grey]) => [row, column, Math.round(grey)])"
    assert digits(marks, state=state | {"right": 3, "down": 1}) == [[3, 16, 255], [3, 17, 255]]
    assert digits(marks, state=state | {"turn": 90}) == [[13, 25, 255], [14, 25, 255]]


def test_digits_are_normalised_as_scipy_does(digits, pictures):
    rng = np.random.default_rng(43)
    for picture in pictures[0][:20].astype(float):
        zoom = rng.uniform(0.4, 1.2)
        moved = ndimage.affine_transform(picture, np.eye(2) / zoom, rng.uniform(-4, 4, size=2), order=1)
        rows, columns = np.flatnonzero(moved.any(axis=1)), np.flatnonzero(moved.any(axis=0))
        scale = 20 / max(np.ptp(rows) + 1, np.ptp(columns) + 1)
        corner = np.array([rows[0], columns[0]]) + (0.5 - 4) / scale - 0.5
        scaled = ndimage.affine_transform(moved, np.eye(2) / scale, corner, order=1, mode="grid-constant")
        off = np.floor(np.array(ndimage.center_of_mass(scaled)) + 0.5) - 14
        expected = ndimage.shift(scaled, -off, order=0, mode="grid-constant")
        ours = np.reshape(digits("normalised(picture)", picture=moved.ravel().tolist()), (28, 28))
        agree("normalised", ours, expected, atol=1e-9)
        again = digits("extent(normalised(picture))", picture=moved.ravel().tolist())
        assert max(np.ptp(again["rows"]), np.ptp(again["columns"])) in (19, 20, 21)  # interpolation blurs


def test_digits_place_and_size_do_not_matter_where_normalised(digits):
    state = digits("declared(defaults)") | {"sample": "7a"}
    p = "forward(seen(state)).p"
    unmoved = digits(p, state=state)
    assert digits(p, state=state | {"right": 3, "down": -2}) == unmoved
    assert digits(p, state=state | {"right": 3, "down": -2, "normalise": False}) != unmoved
    assert digits("normalised(blank())") == [0] * 784


def test_digits_pen_covers_what_is_near_its_way(digits, pictures):
    rng = np.random.default_rng(44)
    row, column = np.mgrid[:28, :28]
    for pen, radius in [("draw", 1.3), ("erase", 2.2)]:
        for _ in range(10):
            old = pictures[0][rng.integers(200)].astype(float)
            start, end = rng.uniform(-2, 30, size=(2, 2))
            way = start + np.linspace(0, 1, 5001)[:, None] * (end - start)
            far = np.hypot(row[..., None] - way[:, 0], column[..., None] - way[:, 1]).min(axis=-1)
            cover = 255 * np.clip(radius + 0.5 - far, 0, 1)
            expected = np.maximum(old, cover) if pen == "draw" else np.minimum(old, 255 - cover)
            ours = digits(
                "stroked(picture, pen, start, end)",
                picture=old.ravel().tolist(),
                pen=pen,
                start=start.tolist(),
                end=end.tolist(),
            )
            assert np.abs(np.reshape(ours, (28, 28)) - expected).max() < 0.75  # greys are whole


def test_digits_drawing_is_the_picture_s_ink(digits, pictures):
    state = digits("declared(defaults)") | {"sample": "none"}
    picture = pictures[0][8].ravel().tolist()
    drawing = digits("ink(picture)", picture=picture)
    assert digits("board(state)", state=state | {"drawing": drawing}) == picture
    assert explore("digits", sample="none", drawing=drawing).state["drawing"] == drawing


# Label budget


@pytest.fixture(scope="module")
def measured():
    """Return the model of the figure with what has been measured."""
    return Model("label-budget")


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    """Return runs made up at random, not in order and some missing, and the model that has them."""
    rng = np.random.default_rng(50)
    kinds = [(way, n, seed) for way in ("nothing", "frozen") for n in (5000, 100, 700) for seed in range(3)]
    del kinds[4]
    runs = [
        {
            "way": way,
            "labels": labels,
            "seed": seed,
            "accuracy": rng.integers(100, 900) / 1000,
            "predictions": "".join(map(str, rng.integers(0, 3, size=1000))),  # few, so that votes are equal
        }
        for way, labels, seed in kinds
    ]
    folder = tmp_path_factory.mktemp("assets")
    (folder / "cifar-10.npz").write_bytes((ASSETS / "cifar-10.npz").read_bytes())
    stored = json.dumps({"classes": CIFAR10_CLASSES, "runs": runs})
    (folder / "label-budgets.json").write_text(stored, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("twice.explore.ASSETS", folder)
        return runs, Model("label-budget")


def random_curve(rng):
    """Return measured numbers of labels, in order, and accuracies that go up and down."""
    labels = np.unique(rng.integers(100, 5000, size=rng.integers(2, 8)))
    accuracy = rng.uniform(0.1, 0.9, size=len(labels))
    points = [{"labels": int(n), "accuracy": a} for n, a in zip(labels, accuracy, strict=True)]
    return points, labels, accuracy


def test_budget_brings_what_was_measured_and_the_pictures(measured):
    stored = json.loads((ASSETS / "label-budgets.json").read_text(encoding="utf-8"))
    rows = measured("arrays.pictures.rows")
    assert measured("[arrays.truths.rows, tables.runs.places.predictions]") == [rows, rows]
    short = [run | {"predictions": "".join(run["predictions"][i] for i in rows)} for run in stored["runs"]]
    assert measured("runs") == short
    assert measured("budgets") == sorted({run["labels"] for run in stored["runs"]})
    assert measured("budgets.at(-1) <= defaults.labels.max && budgets[0] >= defaults.labels.min")
    assert {run["way"] for run in short} == set(measured("ways"))
    assert {str(run["seed"]) for run in short} | {"mean"} == set(measured("draws"))
    assert max(rows) < 100  # as far the subset's pictures are those of the full set
    with (ASSETS / "cifar-10.npz").open("rb") as file:
        subset = read_differences(file)
    assert measured("truths") == subset["y_test"][rows].tolist() == np.repeat(range(10), 2).tolist()
    places = [[p, r, c] for p in (0, 7, 19) for r in (0, 1, 31) for c in (0, 17, 31)]
    colors = measured("places.map(([p, r, c]) => colorOf(p, r, c))", places=places)
    assert colors == [subset["x_test"][rows[p], r, c].tolist() for p, r, c in places]
    assert measured("truths.map(className)") == np.repeat(CIFAR10_CLASSES, 2).tolist()


def test_budget_curves_are_means_and_extremes(made_up):
    runs, model = made_up
    assert model("[ways, draws, budgets]") == [
        ["frozen", "nothing"],
        ["mean", "0", "1", "2"],
        [100, 700, 5000],
    ]
    assert model("curve('tuned', 'mean')") == []
    for way in ("frozen", "nothing"):
        for draw in ("mean", "0", "1", "2"):
            ours = [r for r in runs if r["way"] == way and draw in ("mean", str(r["seed"]))]
            points = model("curve(way, draw)", way=way, draw=draw)
            assert [p["labels"] for p in points] == sorted({r["labels"] for r in ours})
            for point in points:
                scores = [r["accuracy"] for r in ours if r["labels"] == point["labels"]]
                assert point["scores"] == scores
                assert point["accuracy"] == pytest.approx(np.mean(scores), abs=1e-12)
                assert (point["least"], point["most"]) == (min(scores), max(scores))


def test_budget_reads_between_the_measured_as_numpy_does(measured):
    rng = np.random.default_rng(51)
    for _ in range(CASES):
        points, labels, accuracy = random_curve(rng)
        between = rng.uniform(labels[0], labels[-1])
        ours = measured("accuracyAt(points, n)", points=points, n=between)
        assert ours == pytest.approx(np.interp(np.log(between), np.log(labels), accuracy), abs=1e-12)
        ends = measured("numbers.map((n) => accuracyAt(points, n))", numbers=labels.tolist(), points=points)
        assert ends == accuracy.tolist()
        outside = [int(labels[0]) - 1, int(labels[-1]) + 1]
        beyond = measured("numbers.map((n) => accuracyAt(points, n))", numbers=outside, points=points)
        assert beyond == [None, None]


def test_budget_needs_are_the_first_labels_that_suffice(measured):
    rng = np.random.default_rng(52)
    sides = set()
    for _ in range(CASES):
        points, labels, accuracy = random_curve(rng)
        goal = rng.uniform(0.1, 0.9)
        found = measured("needed(points, goal)", points=points, goal=goal)
        fine = np.geomspace(labels[0], labels[-1], 20_001)
        enough = np.interp(np.log(fine), np.log(labels), accuracy) >= goal
        sides.add(found["side"])
        if enough[0]:
            assert found == {"side": "fewer", "labels": labels[0]}
        elif accuracy.max() < goal:
            assert found == {"side": "more", "labels": labels[-1]}
        else:
            assert found["side"] == "at"
            reached = measured("accuracyAt(points, n)", points=points, n=found["labels"])
            assert reached == pytest.approx(goal, abs=1e-9)
            before = fine < found["labels"] * (1 - 1e-9)
            assert not enough[before].any()
    assert sides == {"fewer", "more", "at"}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_budget_needs_a_measured_number_exactly(measured, place):
    points = [{"labels": n, "accuracy": a} for n, a in [(100, 0.25), (300, 0.5), (900, 0.75)]]
    wanted = points[place]
    found = measured("needed(points, goal)", points=points, goal=wanted["accuracy"])
    assert found == {"side": "at", "labels": wanted["labels"]}


def test_budget_next_to_a_number_is_in_proportion(made_up):
    _, model = made_up  # 100, 700 and 5,000 were measured; 264.6 and 1870.8 lie half way
    asked = [100, 264, 265, 700, 1870, 1871, 5000]
    assert model("asked.map(nearest)", asked=asked) == [100, 100, 700, 700, 700, 5000, 5000]


def vote(predictions, truth):
    """Return the winning class and its votes; the true class must have more than every other."""
    votes = np.bincount(predictions, minlength=10)
    best = np.flatnonzero(votes == votes.max())
    others = best[best != truth]
    return int(others[0] if len(others) else truth), int(votes.max())


def test_budget_answers_are_votes(made_up):
    runs, model = made_up
    rows, truths = model("arrays.pictures.rows"), model("truths")
    for labels in (100, 700, 5000):
        for draw in ("mean", "1"):
            verdicts = []
            for way in ("frozen", "nothing"):
                ours = [r for r in runs if (r["way"], r["labels"]) == (way, labels)]
                ours = [r for r in ours if draw in ("mean", str(r["seed"]))]
                answers = model("answers(way, draw, labels)", way=way, draw=draw, labels=labels)
                for row, truth, answer in zip(rows, truths, answers, strict=True):
                    named, votes = (
                        vote([int(r["predictions"][row]) for r in ours], truth) if ours else (None, 0)
                    )
                    assert answer["of"] == len(ours) and answer["votes"] == votes
                    if ours:
                        assert (answer["answer"], answer["right"]) == (named, named == truth)
                if ours:
                    verdicts.append([answer["right"] for answer in answers])
            apart = np.flatnonzero(np.ptp(np.array(verdicts, int), axis=0))
            assert model("contested(draw, labels)", draw=draw, labels=labels) == apart.tolist()


# Recurrence


@pytest.fixture(scope="module")
def recurrence():
    return Model("recurrence")


def recurrent_unit(state, x):
    """Return the package's layer of one unit with the weights of a state, after a sequence of inputs."""
    layer = SimpleRNN(1, activation=state["activation"], return_sequences=True, rng=np.random.default_rng(0))
    layer.forward(x)
    layer.W[:], layer.U[:], layer.b[:] = state["w"], state["u"], state["b"]
    return layer, layer.forward(x)[0, :, 0]


@pytest.mark.parametrize("activation", ["linear", "tanh"])
def test_recurrence_is_the_package_s(recurrence, activation):
    rng = np.random.default_rng(60)
    for _ in range(CASES):
        state = random_state(recurrence("defaults"), rng) | {"activation": activation}
        T = state["steps"]
        x = np.array(recurrence("inputs(state)", state=state)).reshape(1, T, 1)
        layer, h = recurrent_unit(state, x)
        ours = recurrence("unrolled(state)", state=state)
        agree("h", np.array([step["h"] for step in ours]), h, atol=1e-12)
        # ∂h_T/∂hₜ: the gradient with respect to the state before the first of the steps after t
        expected = []
        for t in range(1, T):
            layer.forward(x[:, t:], initial_state=[h[t - 1].reshape(1, 1)])
            layer.backward(np.eye(T - t)[-1].reshape(1, -1, 1))
            expected.append(layer.dinitial_state[0].item())
        ours = np.array(recurrence("reaching(state)", state=state))
        agree("∂h_T/∂hₜ", ours, np.array([*expected, 1.0]), atol=1e-10)


def test_recurrence_without_saturation_is_a_power_of_u(recurrence):
    rng = np.random.default_rng(61)
    for _ in range(CASES):
        state = random_state(recurrence("defaults"), rng)
        slopes = np.abs(recurrence("reaching(state)", state=state))
        power = np.array(recurrence("power(state)", state=state))
        agree("|u|", power, np.abs(state["u"]) ** np.arange(state["steps"])[::-1], atol=1e-12)
        if state["activation"] == "linear":
            agree("linear", slopes, power, atol=1e-12)
        else:
            assert (slopes <= power + 1e-15).all()


def test_recurrence_has_one_pulse_among_other_inputs(recurrence):
    declared = recurrence("declared(defaults)")
    assert len(recurrence("NOISE")) == recurrence("defaults")["steps"]["max"]
    assert recurrence("inputs(state)", state=declared | {"steps": 4, "at": 3, "size": -2}) == [0, 0, -2, 0]
    mixed = recurrence("inputs(state)", state=declared | {"steps": 3, "at": 20, "others": 0.5})
    assert mixed == [0.5 * value for value in recurrence("NOISE")[:2]] + [1]  # a pulse too late is the last


# Names


@pytest.fixture(scope="module")
def writer():
    return Model("names")


@pytest.fixture(scope="module")
def names_network():
    """Return the function that gives the package's logits after every letter of names, in float64."""
    with np.load(ASSETS / "names-network.npz") as stored:
        E, W, U, b, V, c = (stored[key].astype("float64") for key in ("E", "W", "U", "b", "V", "c"))
    rng = np.random.default_rng(0)
    embedding, lstm = Embedding(*E.shape, rng=rng), LSTM(len(U), return_sequences=True, rng=rng)
    embedding.build()
    lstm.build((1, 1, E.shape[1]))
    embedding.W[:], lstm.W[:], lstm.U[:], lstm.b[:] = E, W, U, b

    def logits(ids):
        return lstm.forward(embedding.forward(np.array([ids])))[0] @ V + c

    return logits


def test_names_network_is_the_package_s(writer, names_network):
    symbols = writer("SYMBOLS")
    *_, test = first_names()
    for name in test.name[:200]:
        prefixes = [name[:n] for n in range(len(name) + 1)]
        ours = writer("prefixes.map((one) => probabilities('network', one))", prefixes=prefixes)
        expected = activations.softmax(names_network([symbols.index(letter) for letter in "\n" + name]))
        agree(name, np.array(ours), expected, atol=1e-10)


def test_names_pairs_are_counts_of_the_training_names(writer):
    symbols = writer("SYMBOLS")
    train, _, test = first_names()
    rival = NGrams(2, symbols).fit([f"{name}\n" for name in train.name])
    order = [rival.letters.index(symbol) for symbol in symbols]
    for name in test.name[:20]:
        for n in range(len(name) + 1):
            ours = writer("probabilities('pairs', letters)", letters=name[:n])
            agree("p", np.array(ours), rival.probabilities(name[:n])[order], atol=1e-12)


def test_names_temperature_is_in_the_exponent(writer):
    rng = np.random.default_rng(62)
    for by in ("network", "pairs"):
        for temperature in rng.uniform(0.1, 2, size=10):
            p = np.array(writer("probabilities(by, 'ro')", by=by))
            ours = writer("probabilities(by, 'ro', T)", by=by, T=temperature)
            agree("p", np.array(ours), p ** (1 / temperature) / (p ** (1 / temperature)).sum(), atol=1e-12)


def test_names_cost_their_bits(writer):
    state = writer("declared(defaults)") | {"beginning": "an", "more": "na", "ended": True}
    p = [writer("probabilities('network', letters)", letters="anna"[:n]) for n in range(5)]
    places = [writer("SYMBOLS.indexOf(symbol)", symbol=symbol) for symbol in "anna\n"]
    expected = [-np.log2(p[n][place]) for n, place in enumerate(places)]
    agree("bits", np.array(writer("bits('network', state)", state=state)), np.array(expected), atol=1e-12)
    assert len(writer("bits('network', state)", state=state | {"ended": False})) == 4


def test_names_are_drawn_as_often_as_they_are_probable(writer):
    p = np.array(writer("probabilities('pairs', 'a')"))
    grid = ((np.arange(20_000) + 0.5) / 20_000).tolist()
    drawn = writer("grid.map((number) => SYMBOLS.indexOf(pick(p, number)))", grid=grid, p=p.tolist())
    agree("frequency", np.bincount(drawn, minlength=len(p)) / len(grid), p, atol=1e-4)
    assert writer("pick([0.2, 0.5, 0.3], 1)") == "-"  # sums may fall short of 1 by a rounding
    kinds = [{"seed": seed, "k": k} for seed in range(1, 100) for k in range(8)]
    numbers = np.array(writer("kinds.map(({ seed, k }) => numbers(seed, k))", kinds=kinds))
    assert abs(numbers.mean() - 0.5) < 0.01 and abs(numbers.std() - 12**-0.5) < 0.01
    assert len(np.unique(numbers)) == numbers.size
    assert abs(np.corrcoef(numbers.T) - np.eye(16)).max() < 0.15


def test_names_are_the_same_for_the_same_seed(writer):
    state = writer("declared(defaults)")
    first = writer("drawnNames(state)", state=state)
    assert first == writer("drawnNames(state)", state=state) and len(first) == writer("DRAWN")
    assert first != writer("drawnNames(state)", state=state | {"seed": 2})
    assert all(name["letters"].startswith("ma") and len(name["letters"]) <= 15 for name in first)
    letters = "ma"  # letter by letter it is the first of them
    while (symbol := writer("drawSymbol(state, letters)", state=state, letters=letters)) != "\n":
        letters += symbol
        if len(letters) == 15:
            break
    assert letters == first[0]["letters"]


def test_names_letters_are_taken_where_they_are_shown(writer):
    state = writer("declared(defaults)") | {"beginning": "mar", "more": "ia", "ended": True}
    assert writer("[shownAt(state), symbolsOf(state)]", state=state) == [5, [*"maria", "\n"]]
    shown = {"letter": 16}
    for letter, symbol, expected in [
        (16, "n", {"beginning": "mar", "more": "ian", "ended": False}),
        (5, "e", {"beginning": "mar", "more": "ie", "ended": False}),
        (2, "o", {"beginning": "m", "more": "o", "ended": False}),
        (3, "\n", {"beginning": "ma", "more": "", "ended": True}),
    ]:
        ours = writer("taken(state, symbol)", state=state | {"letter": letter}, symbol=symbol)
        assert ours == expected | shown
    long = state | {"beginning": "sheila-kathr", "more": "yn-abcdefgh", "ended": False}
    assert writer("[lettersOf(state), isWhole(state), shownAt(state)]", state=long) == [
        "sheila-kathryn-",
        True,
        14,
    ]


# Shapes


def dense_shapes(numbers, way):
    """Return the shapes that a network of two dense layers has, as the package computes it."""
    rng = np.random.default_rng(0)
    first, second = Dense(numbers["m"], "relu", rng=rng), Dense(numbers["K"], rng=rng)
    z = second.forward(first.forward(np.ones((numbers["n"], numbers["d"]))))
    if way == "forward":
        return [first.W, first.b, second.x, second.W, second.b, z]
    da = second.backward_logits(np.ones_like(z))
    dz = first.f.backward(da)
    first.backward_logits(dz)
    return [z, second.dW, second.db, da, dz, first.dW, first.db]


def convolution_shapes(numbers, way):
    """Return the shapes that a small convolutional network has."""
    rng = np.random.default_rng(0)
    layers = [
        Conv2D(numbers["m2"], numbers["k"], strides=numbers["s"], rng=rng),
        MaxPooling2D(2),
        Flatten(),
        Dense(numbers["K"], rng=rng),
    ]
    arrays = [np.ones((numbers["n"], numbers["h"], numbers["h"], numbers["c"]))]
    for layer in layers:
        arrays.append(layer.forward(arrays[-1]))
    conv, _, _, dense = layers
    if way == "forward":
        return [conv.W, *arrays[1:4], dense.W, arrays[4]]
    slopes = [np.ones_like(arrays[-1])]
    for layer in reversed(layers):
        slopes.append(layer.backward(slopes[-1]))
    return [slopes[0], dense.dW, *slopes[1:4], conv.dW, slopes[4]]


@pytest.mark.parametrize("way", ["forward", "backward"])
@pytest.mark.parametrize("network", ["dense", "convolution"])
def test_shapes_are_the_package_s(network, way):
    model = Model("shapes")
    computed = {"dense": dense_shapes, "convolution": convolution_shapes}[network]
    seen = set()
    for seed in range(1, 13):
        state = {"network": network, "way": way, "seed": seed, "known": 0}
        numbers = model("sizes(state)", state=state)
        expected = [list(array.shape) for array in computed(numbers, way)]
        rows = model("rows(state)", state=state)
        assert [row["shape"] for row in rows] == expected
        seen.add(json.dumps(expected))
        for row in rows:
            right = model("written(shape)", shape=row["shape"])
            assert right == str(tuple(row["shape"]))
            assert model("fault(state, row, text)", state=state, row=row, text=right) is None
    assert len(seen) >= 10  # new numbers each time


def test_wrong_shapes_are_answered_in_words():
    model = Model("shapes")
    state = {"network": "dense", "way": "forward", "seed": 1, "known": 0}
    n, d, m = (model("sizes(state)", state=state)[key] for key in "ndm")
    kernel, bias, answer = model("rows(state)", state=state)[:3]
    cases = [
        (kernel, "what", "Write a shape"),
        (kernel, f"{m}x{d}", "The right numbers in another order. A kernel has as many rows"),
        (kernel, f"({n}, {m})", f"A parameter, like its gradient, does not know that there are {n} examples"),
        (bias, f"(1, {m})", "It has one axis. Each unit has one bias."),
        (answer, f"({m},)", f"The {n} examples are missing"),
        (answer, f"({n}, {m + 1})", "One row for each example"),
    ]
    for row, text, said in cases:
        assert model("fault(state, row, text)", state=state, row=row, text=text).startswith(said)


def test_numbers_of_shapes_are_all_different():
    model = Model("shapes")
    for seed in range(1, 200):
        numbers = model("sizes({ seed })", seed=seed)
        dense = [numbers[key] for key in ("n", "d", "m", "K")]
        assert len(set(dense)) == 4 and numbers["h"] > numbers["k"]


# Attention


@pytest.fixture(scope="module")
def looking():
    return Model("attention")


def random_look(declared, rng):
    """Return a state of the figure with keys, values and a query at random."""
    keys = rng.uniform(-1, 1, size=(rng.integers(2, 6), 3)) * [3, 3, 1]
    sharpness = 10 ** rng.uniform(-2, 1)
    flags = {key: bool(rng.integers(2)) for key in ("scaled", "masked")}
    query = rng.uniform(-3, 3, size=(1, 2)).tolist()
    return random_state(declared, rng) | flags | {
        "keys": keys.tolist(), "query": query, "sharpness": sharpness
    }  # fmt: skip


def test_attention_is_the_package_s(looking):
    rng = np.random.default_rng(70)
    for _ in range(CASES):
        state = random_look(looking("defaults"), rng)
        keys = np.array(state["keys"])
        q = np.array(state["query"]) * state["sharpness"] * (1 if state["scaled"] else np.sqrt(2))
        mask = np.arange(len(keys)) < (state["position"] if state["masked"] else len(keys))
        a, p = attention(q, keys[:, :2], keys[:, 2:], mask[None])
        ours = looking("attention(state)", state=state)
        agree("p", np.array(ours["weights"]), p[0], atol=1e-12)
        assert ours["mean"] == pytest.approx(a.item(), abs=1e-12)
        assert all((weight == 0) != seen for weight, seen in zip(ours["weights"], mask, strict=True))
        at = looking("meanAt(state)(...state.query[0])", state=state)
        assert at == pytest.approx(a.item(), abs=1e-12)
        entropy = -(p[p > 0] * np.log(p[p > 0])).sum()
        assert looking("evenly(p)", p=p[0].tolist()) == pytest.approx(np.exp(entropy))


def test_attention_goes_from_the_mean_to_the_maximum(looking):
    rng = np.random.default_rng(71)
    for _ in range(CASES):
        state = random_look(looking("defaults"), rng) | {"masked": False}
        keys = np.array(state["keys"])
        flat = looking("attention(state)", state=state | {"sharpness": 1e-9})
        assert flat["mean"] == pytest.approx(keys[:, 2].mean())
        sharp = looking("attention(state)", state=state | {"sharpness": 1e6})
        best = (keys[:, :2] @ np.array(state["query"][0])).argmax()
        assert sharp["mean"] == pytest.approx(keys[best, 2])


# The decoder


@pytest.fixture(scope="module")
def reader():
    """Return the model of the figure that reads and writes."""
    return Model("decoder")


@pytest.fixture(scope="module")
def decoder():
    """Return the package's decoder and its letters."""
    model, vocabulary = moby_dick_decoder("float64")
    return model, "".join(vocabulary.letters)


def tokens_of(letters, text):
    return np.array([[letters.index(letter) + 1 for letter in text]])


READ = "(() => { const page = write(state); return page.reading.logits.map((z) => Array.from(z)); })()"


def test_decoder_declares_what_its_file_holds(reader, decoder):
    model, letters = decoder
    assert reader("ALPHABET") == letters
    sizes, declared = reader("sizes"), reader("defaults")
    assert declared["text"]["most"] == sizes["positions"] == model.embedding.sequence_length
    assert (declared["block"]["max"], declared["head"]["max"]) == (sizes["blocks"], sizes["heads"])
    assert sizes["weights"] == model.count_params()
    assert declared["letter"]["max"] >= declared["text"]["most"] + declared["written"]["max"]
    assert reader("[0, 1, tokensOf('a')[0]].map(letterOf)") == ["", letters[0], "a"]


def test_decoder_reads_the_first_200_test_positions_as_numpy_does(reader, decoder):
    model, letters = decoder
    text = moby_dick()[2][:200]
    state = reader("declared(defaults)")
    for window in (text[:128], text[-128:]):
        ours = np.array(reader(READ, state=state | {"text": window}))
        agree("logits", ours, model.forward(tokens_of(letters, window))[0], atol=1e-6)
        for block, head in [(1, 1), (2, 3)]:
            looks = "upTo.map((place) => looks(state, write(state), place))"
            rows = reader(
                looks, state=state | {"text": window, "block": block, "head": head}, upTo=list(range(128))
            )
            p = model.blocks[block - 1].attention.p[0, head - 1]
            assert all(row == pytest.approx(p[t, : t + 1], abs=1e-7) for t, row in enumerate(rows))


def written_by_numpy(model, letters, text, state, u):
    """Return the text with a letter for each u, all read anew for each."""
    for one in u:
        z = model.forward(tokens_of(letters, text[-128:]))[0, -1]
        if state["temperature"] == 0:
            token = z.argmax()
        else:
            c = activations.softmax(z / state["temperature"]).cumsum()
            token = (c > one * c[-1]).argmax()
        text += letters[token - 1]
    return text


@pytest.mark.parametrize("temperature", [0, 0.5, 1.2])
def test_decoder_writes_with_its_memory_what_numpy_writes_without(reader, decoder, temperature):
    model, letters = decoder
    text = moby_dick()[2][1000:1100]
    state = reader("declared(defaults)") | {
        "text": text,
        "temperature": temperature,
        "seed": 7,
        "written": 60,
    }
    u = reader("(() => { const u = uniform(7); return Array.from({ length: 60 }, u); })()")
    ours = reader("write(state).tokens.map(letterOf).join('')", state=state)
    assert ours == written_by_numpy(model, letters, text, state, u)  # the last 32 with a window that slides
    logits = "Array.from(write(state).reading.logits.at(-1))"
    anew = Model("decoder")(logits, state=state | {"text": ours[-128:], "written": 0})
    assert reader(logits, state=state) == pytest.approx(anew, abs=1e-9)


def test_decoder_writes_the_same_in_slices_and_after_changes(reader):
    state = reader("declared(defaults)") | {"text": "Call me Ishmael. ", "written": 130}
    text = "write(state).tokens.map(letterOf).join('')"
    whole = reader(text, state=state)
    sliced = """(() => {
      write({ ...state, text: "Call me Ahab" });
      let page, times = 0;
      do {
        let steps = 7;
        page = write(state, () => steps-- > 0);
        times += 1;
      } while (!page.isWhole);
      return [page.tokens.map(letterOf).join(""), times];
    })()"""
    ours, times = reader(sliced, state=state)
    assert ours == whole and times > 10
    assert reader(text, state=state | {"written": 20}) == whole[:37]
    assert reader(text, state=state | {"seed": 2}) != whole


def test_decoder_typesets_what_is_typed(reader):
    typed = 'Ahab\'s "whale"--he said:\t"é€" é'
    ours = reader("typeset(text)", text=typed)
    assert ours == {"text": "Ahab’s “whale”—he said: “” ", "missing": ["é", "€"]}
    assert reader("[tokensOf(''), tokensOf('\\n')]") == [[1], [1]]


def test_decoder_counts_what_letters_cost(reader, decoder):
    model, letters = decoder
    text = "There she blows! There she blows!"
    state = reader("declared(defaults)") | {"text": text, "temperature": 0.5}
    p = activations.softmax(model.forward(tokens_of(letters, text))[0])
    costs = -np.log2([p[t, letters.index(letter) + 1] for t, letter in enumerate(text[1:])])
    ours = reader(
        "places.map((place) => bits(write(state), place) ?? null)", state=state, places=list(range(len(text)))
    )
    assert ours[0] is None and ours[1:] == pytest.approx(costs, abs=1e-6)
    sharper = activations.softmax(2 * model.forward(tokens_of(letters, text))[0, 9])
    first = reader("expected(state, write(state), 9)", state=state)
    assert [one["p"] for one in first] == pytest.approx(np.sort(sharper)[::-1], abs=1e-6)
    assert first[0]["token"] == sharper.argmax()
