"""The two engines against measured slopes, against TensorFlow's tape, against each other and the layers."""

import importlib.util
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from twice import autograd
from twice.autograd import Array, Value, as_array, draw, layout, topological_order, unbroadcast
from twice.checks import Disagreement, agree, check_gradient
from twice.layers import Dense
from twice.losses import mean_squared_error, mean_squared_error_gradient


def in_both(name, theirs):
    """A function that works on values of both engines."""
    return lambda v: getattr(v, name)() if isinstance(v, Value) else theirs(v)


exp, log, tanh = in_both("exp", tf.exp), in_both("log", tf.math.log), in_both("tanh", tf.tanh)
relu, sigmoid = in_both("relu", tf.nn.relu), in_both("sigmoid", tf.sigmoid)

EXPRESSIONS = {
    "a + b": lambda a, b, c: a + b,
    "a − b": lambda a, b, c: a - b,
    "ab": lambda a, b, c: a * b,
    "a / b": lambda a, b, c: a / b,
    "−a": lambda a, b, c: -a,
    "a²": lambda a, b, c: a**2,
    "a⁻¹·⁵": lambda a, b, c: (a * a) ** -1.5,
    "a⁰ + b": lambda a, b, c: a**0 + b,
    "a to the b": lambda a, b, c: (a * a) ** b + 2**c,
    "numbers left": lambda a, b, c: 2 + 3 * a - (1 - b) + 2 / c,
    "numbers right": lambda a, b, c: (a + 2) * 3 - 1 + (b - 1) / 2,
    "exp": lambda a, b, c: exp(a * b),
    "log": lambda a, b, c: log(a * a + c * c),
    "tanh": lambda a, b, c: tanh(a - c),
    "relu": lambda a, b, c: relu(a) + relu(-a) + relu(b * c),
    "sigmoid": lambda a, b, c: sigmoid(a * c),
    "the same value twice": lambda a, b, c: a * a + a,
    "a path that forks and joins": lambda a, b, c: (d := a * b) * exp(d) + d / (d - c),
    "a neuron": lambda a, b, c: (sigmoid(a * b + c) - 1) ** 2,
    "a long one": lambda a, b, c: (
        relu(tanh(a / b) * 2 + exp(-c)) ** 1.5 + log(1 + sigmoid(a - b) ** 2) / (2 - c)
    ),
}
POINTS = [(1.3, -0.7, 0.4), (-2.1, 1.6, -0.9)]


def ours(f, point):
    values = [Value(x) for x in point]
    result = f(*values)
    result.backward()
    return result.data, [v.grad for v in values]


@pytest.mark.parametrize("point", POINTS, ids=str)
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_same_expression_in_two_engines(name, point):
    f = EXPRESSIONS[name]
    data, grads = ours(f, point)
    variables = [tf.Variable(x, dtype="float64") for x in point]
    with tf.GradientTape() as tape:
        result = f(*variables)
    slopes = tape.gradient(result, variables, unconnected_gradients="zero")
    agree(name, data, result, atol=1e-14)
    agree(f"{name}′", grads, [float(slope) for slope in slopes], atol=1e-13)


@pytest.mark.parametrize("point", POINTS, ids=str)
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_gradients_are_the_measured_slopes(name, point):
    f = EXPRESSIONS[name]
    check_gradient(name, lambda x: ours(f, x)[0], np.array(point), ours(f, point)[1])


# ---------------------------------------------------------------------------- any expression

UNARY = {
    "exp": np.exp,
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}
BINARY = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / (b * b + 1),  # a denominator that is never 0
}
inputs = st.lists(st.floats(-2, 2), min_size=3, max_size=3)
programs = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(sorted(UNARY)), st.integers(0, 100)),
        st.tuples(st.sampled_from(sorted(BINARY)), st.integers(0, 100), st.integers(0, 100)),
    ),
    min_size=1,
    max_size=12,
)


def run(program, values):
    """Each instruction adds one value, computed from earlier ones; with numbers or with `Value`."""
    values = list(values)
    for name, *places in program:
        arguments = [values[place % len(values)] for place in places]
        if name in BINARY:
            values.append(BINARY[name](*arguments))
        else:
            (x,) = arguments
            values.append(getattr(x, name)() if isinstance(x, Value) else UNARY[name](x))
        last = values[-1].data if isinstance(values[-1], Value) else values[-1]
        if abs(last) > 1e3:  # keeps exp of exp within what floats can tell apart
            values[-1] = values[-1] / (values[-1] * values[-1])
    return values[-1]


@given(programs, inputs)
def test_values_compute_what_floats_compute(program, x):
    result = run(program, [Value(v) for v in x])
    assert result.data == pytest.approx(run(program, x), rel=1e-9, abs=1e-12)


@given(programs, inputs)
def test_the_linear_estimate_is_right(program, x):
    """Along a random direction, f(x + hv) − f(x − hv) is 2h ⟨grad, v⟩; away from the kinks of relu."""
    values = [Value(v) for v in x]
    result = run(program, values)
    result.backward()
    order = topological_order(result)
    kinks = [p.data for v in order if v.name == "relu" for p, _ in v.parents]
    if any(abs(k) < 1e-2 for k in kinks) or max(abs(v.grad) for v in order) > 1e3:
        return
    h, direction = 1e-5, np.array([0.6, -0.48, 0.64])
    ahead, behind = (run(program, np.array(x) + s * h * direction) for s in (1, -1))
    slope = sum(v.grad * d for v, d in zip(values, direction, strict=True))
    assert (ahead - behind) / (2 * h) == pytest.approx(slope, rel=1e-4, abs=1e-4)


@given(programs, inputs)
def test_parents_come_first_and_once(program, x):
    result = run(program, [Value(v) for v in x])
    order = topological_order(result)
    assert order[-1] is result and len(set(order)) == len(order)
    places = {v: i for i, v in enumerate(order)}
    assert all(places[parent] < places[v] for v in order for parent, _ in v.parents)


@given(programs, inputs)
def test_boxes_do_not_overlap_and_arrows_point_right(program, x):
    result = run(program, [Value(v) for v in x])
    places = layout(result)
    assert places[result][0] == 0
    for v, (column, row) in places.items():
        assert all(places[parent][0] < column for parent, _ in v.parents)
        for other, (column2, row2) in places.items():
            assert v is other or column != column2 or abs(row - row2) >= 1


# ---------------------------------------------------------------------------- behaviour


@pytest.mark.parametrize("dtype", [float, np.float64])
def test_a_layer_written_out_in_scalars(dtype):
    """Two examples through Dense(3, "tanh") and Dense(1), every weight a Value: the layers' gradients."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 2)), rng.normal(size=(2, 1))
    hidden, out = Dense(3, "tanh", rng=rng), Dense(1, rng=rng)
    y_hat = out.forward(hidden.forward(x))
    hidden.backward(out.backward(mean_squared_error_gradient(y, y_hat)))

    W1, b1, W2, b2 = (
        np.vectorize(lambda w: Value(dtype(w)), otypes=[object])(w) for w in hidden.params + out.params
    )
    a = np.vectorize(Value.tanh, otypes=[object])(x @ W1 + b1)
    loss = (((a @ W2 + b2) - y) ** 2).mean()
    loss.backward()
    agree("loss", loss.data, mean_squared_error(y, y_hat), atol=1e-14)
    for name, w, dw in zip(["W1", "b1", "W2", "b2"], (W1, b1, W2, b2), hidden.grads + out.grads, strict=True):
        agree(name, np.vectorize(lambda v: v.grad, otypes=[float])(w), dw, atol=1e-14)


def test_calling_backward_twice_gives_the_same():
    a = Value(3.0)
    result = a * a + a
    for _ in range(2):
        result.backward()
        assert a.grad == 7


def test_a_deep_graph():
    a = Value(1.0)
    result = a
    for _ in range(20_000):
        result = result + a
    result.backward()
    assert a.grad == 20_001


def test_extreme_inputs_are_finite():
    for x in (-1000.0, 1000.0):
        assert Value(x).sigmoid().data == (x > 0)
        assert Value(x).tanh().data == math.copysign(1, x)


def test_relu_at_0_is_keras():
    a = Value(0.0)
    a.relu().backward()
    assert a.grad == 0


def test_numpy_numbers_mix_with_values():
    a = Value(3.0)
    for result in (np.float64(2) * a + np.float64(1), a * np.float64(2) + np.float64(1)):
        result.backward()
        assert (type(result), result.data, a.grad) == (Value, 7, 2)


# What NumPy and Keras return outside the reals, not Python's complex numbers and errors.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("power", [2.0, 2.5, 0.5, 1 / 3, -1.0, 3])
@pytest.mark.parametrize("base", [-8.0, -2.0, 0.0, 2.0, np.nan])
def test_powers_are_those_of_keras(base, power):
    u, theirs = Value(base), tf.Variable(base, dtype="float64")
    result = u**power
    result.backward()
    with tf.GradientTape() as tape:
        y = theirs ** tf.constant(float(power), "float64")
    np.testing.assert_allclose(result.data, y, rtol=1e-14)
    np.testing.assert_allclose(u.grad, tape.gradient(y, theirs), rtol=1e-14)


def test_a_value_as_exponent():
    for base, power in [(2.0, 3.0), (0.5, -1.5), (0.0, 2.0)]:
        u, n = Value(base), Value(power)
        (u**n).backward()
        variables = [tf.Variable(x, dtype="float64") for x in (base, power)]
        with tf.GradientTape() as tape:
            y = tf.pow(*variables)
        agree(f"{base}^{power}", [u.grad, n.grad], [float(g) for g in tape.gradient(y, variables)])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nan_and_infinity_are_kept():
    for f in (Value.relu, Value.exp, Value.log, Value.tanh, Value.sigmoid):
        assert np.isnan(f(Value(np.nan)).data), f.__name__
    assert np.isnan(Value(-1.0).log().data) and np.isnan((Value(-2.0) ** Value(2.5)).data)
    assert Value(1000.0).exp().data == (Value(1.0) / 0.0).data == np.inf


@pytest.mark.parametrize("data", [1j, [1.0, 2.0], None])
def test_a_value_is_one_real_number(data):
    with pytest.raises(TypeError):
        Value(data)


def test_values_of_two_copies_of_the_engine_mix():
    """A chapter defines the class that the package has: answers to exercises may use either."""
    spec = importlib.util.spec_from_file_location("copy_of_autograd", autograd.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    for softplus in (
        lambda v: (copy.Value(1.0) + v.exp()).log(),
        lambda v: (v.exp() + copy.Value(1.0)).log(),
    ):
        v = Value(0.7)
        softplus(v).backward()
        agree("softplus′", v.grad, 1 / (1 + np.exp(-0.7)))


def test_repr():
    assert repr(Value(0.5)) == "Value(0.5, grad=0)"


def test_drawing_shows_every_number():
    w, x, b = Value(2.0, name="w"), Value(-1.5, name="x"), Value(0.25, name="b")
    result = (w * x + b) ** 2 + w
    result.backward()
    figure, ax = plt.subplots()
    draw(result, ax)
    texts = [text.get_text() for text in ax.texts]
    for v in topological_order(result):
        assert {v.name, f"{v.data:.4g}", f"{v.grad:.4g}"} <= set(texts)
        assert {f"{slope:.3g}" for _, slope in v.parents} <= set(texts)
    assert len(ax.patches) == len(topological_order(result)) == 7
    figure.canvas.draw()
    plt.close(figure)


# ---------------------------------------------------------------------------- arrays

ARRAYS = {
    "u + v": lambda u, v: u + v,
    "u − v": lambda u, v: u - v,
    "uv": lambda u, v: u * v,
    "numbers": lambda u, v: 2.0 * u + 1.0 - v * 3.0,
    "exp": lambda u, v: (u * v).exp(),
    "log": lambda u, v: (u * u + v * v).log(),
    "relu": lambda u, v: (u - v).relu() * v,
    "all": lambda u, v: (u * v).sum() * u,
    "along an axis": lambda u, v: (u * v).sum(axis=-1) * v + u,
}
SHAPES = [((3, 4), (3, 4)), ((3, 4), (4,)), ((3, 4), (1, 4)), ((3, 1), (4,)), ((2, 3, 4), (3, 1)), ((), (2,))]


def check_both(name, f, u, v):
    """Measure the gradient of Σ c f(u, v), with random weights c, with respect to both."""
    c = np.random.default_rng(1).normal(size=f(as_array(u), as_array(v)).data.shape)

    def loss(u, v):
        return (f(as_array(u), as_array(v)) * c).sum()

    U, V = Array(u), Array(v)
    loss(U, V).backward()
    assert U.grad.shape == u.shape and V.grad.shape == v.shape
    check_gradient(f"{name}, left", lambda u: loss(u, v).data, u, U.grad)
    check_gradient(f"{name}, right", lambda v: loss(u, v).data, v, V.grad)


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_any_two_shapes(name, shapes):
    rng = np.random.default_rng(0)
    check_both(name, ARRAYS[name], *(rng.normal(size=shape) for shape in shapes))


@pytest.mark.parametrize("shapes", [((5, 3), (3, 2)), ((2, 5, 3), (3, 2)), ((2, 5, 3), (2, 3, 4))], ids=str)
def test_products_of_matrices(shapes):
    rng = np.random.default_rng(0)
    u, v = (rng.normal(size=shape) for shape in shapes)
    check_both("u @ v", lambda u, v: u @ v, u, v)
    U = Array(u)
    (U @ v).sum().backward()  # times a plain array
    agree("left", U.grad, unbroadcast(np.ones((u @ v).shape) @ v.swapaxes(-1, -2), u.shape))


def test_arrays_leave_what_they_are_given_alone():
    W, x = np.ones((2, 2)), np.arange(4.0).reshape(2, 2)
    A = Array(W)
    ((x * A + x) @ A).sum().backward()
    A.data -= 0.1 * A.grad
    assert (W == 1).all() and (x == np.arange(4.0).reshape(2, 2)).all()


def test_array_backward_twice_gives_the_same():
    A = Array([1.0, 2.0])
    L = (A * A + A).sum()
    for _ in range(2):
        L.backward()
        assert A.grad.tolist() == [3, 5]


def test_arrays_at_a_kink_and_nan():
    A = Array([0.0, np.nan, -1.0])
    a = A.relu()
    a.sum().backward()
    assert np.isnan(a.data[1]) and A.grad.tolist() == [0, 0, 0]


@given(st.lists(st.sampled_from([1, 2, 3]), max_size=3), st.data())
def test_unbroadcast_undoes_a_broadcast(shape, data):
    """The sum over copies of ones is how often each number was used."""
    before = tuple(data.draw(st.sampled_from([1, n])) for n in shape[data.draw(st.integers(0, len(shape))) :])
    summed = unbroadcast(np.ones(shape), before)
    assert summed.shape == before
    assert (summed == np.prod(shape) / np.prod(before)).all()


# ---------------------------------------------------------------------------- the checks can fail


def overwrite(self):
    """Forget that several paths may lead to a value: = for +=."""
    order = topological_order(self)
    self.grad = 1.0
    for v in reversed(order):
        for parent, slope in v.parents:
            parent.grad = v.grad * slope


def depth_first(self):
    """Hand on a gradient before all of it has come."""
    for v in topological_order(self):
        v.grad = 0.0
    self.grad, todo = 1.0, [self]
    while todo:
        v = todo.pop()
        for parent, slope in v.parents:
            parent.grad += v.grad * slope
            todo.append(parent)


@pytest.mark.parametrize("wrong", [overwrite, depth_first], ids=lambda wrong: wrong.__name__)
def test_wrong_engines_are_rejected(wrong, monkeypatch):
    monkeypatch.setattr(Value, "backward", wrong)
    with pytest.raises(Disagreement):
        test_gradients_are_the_measured_slopes("a path that forks and joins", POINTS[0])


@pytest.mark.parametrize(
    "method, slope", [("tanh", lambda y: 1 - y), ("sigmoid", lambda y: 1 - y), ("exp", lambda y: 1)]
)
def test_wrong_slopes_are_rejected(method, slope, monkeypatch):
    right = getattr(Value, method)

    def wrong(self):
        v = right(self)
        v.parents = ((self, slope(v.data)),)
        return v

    monkeypatch.setattr(Value, method, wrong)
    with pytest.raises(Disagreement):
        test_gradients_are_the_measured_slopes(method, POINTS[0])
