"""Interactive figures: what Python makes of them, and their models against the package's numbers."""

import json
from html import escape
from html.parser import HTMLParser

import explorables
import notebooks
import numpy as np
import pytest
from py_mini_racer import MiniRacer

from twice import activations, losses, metrics
from twice.checks import agree
from twice.explore import Explorable, explore, names, script

BYTES = 40_000  # of one figure
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
    assert names() == ["linear-regression", "logistic-regression", "neuron"]


@pytest.mark.parametrize("name", names())
def test_output_is_a_framed_page_and_a_text(name):
    figure = explore(name)
    html = figure._repr_html_()
    frame = attributes(html, "iframe")
    assert html.startswith("<div")  # IPython warns of HTML that starts with an iframe
    assert frame["srcdoc"] == figure.page
    assert frame["sandbox"] == "allow-scripts" and frame["loading"] == "lazy" and frame["title"]
    assert f'<p style="grid-area:1/1">{escape(repr(figure))}</p>' in html
    assert f"<main><p>{escape(repr(figure))}</p></main>" in figure.page  # until its script runs
    assert repr(figure).startswith("Interactive figure")


@pytest.mark.parametrize("name", names())
def test_page_is_light_whole_and_always_the_same(name):
    page = explore(name).page
    assert len(page.encode()) < BYTES
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
    ],
)
def test_error_names_what_is_wrong(name, state, message):
    with pytest.raises(ValueError, match=message):
        explore(name, **state)


def test_points_may_be_an_array():
    points = np.array([[1, 2], [3, 4.5]])
    assert explore("linear-regression", points=points).state == {"points": [[1.0, 2.0], [3.0, 4.5]]}


def test_page_admits_only_what_is_declared():
    model = Model("neuron")
    state = model("declared(defaults)")
    ill = {"w1": "1", "b": None, "data": "NAND", "turn": 0.5, "w3": 1, "toString": 1}
    assert model("admit(defaults, state, changes)", state=state, changes=ill) == state
    out = model("admit(defaults, state, changes)", state=state, changes={"w1": 9, "b": -9, "turn": 7})
    assert out == {**state, "w1": 4, "b": -4, "turn": 3}


def test_page_admits_only_whole_points():
    model = Model("linear-regression")
    admitted = "points.map((points) => admit(defaults, {}, { points }).points ?? null)"
    ill = [[], [[1]], [[1, None]], [1, 2], "12", [[1, 2]] * 21]
    assert model(admitted, points=ill) == [None] * len(ill)
    assert model(admitted, points=[[[1, 2], [-1, 9]]]) == [[[1, 2], [0, 6]]]


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
