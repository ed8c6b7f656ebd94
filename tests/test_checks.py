"""The checker itself: right answers pass, and every kind of wrong answer is refused with its reason."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from twice.checks import Disagreement, agree, check_gradient, copy_weights, rejects

RNG = np.random.default_rng(1)
X, W = RNG.normal(size=(6, 4)), RNG.normal(size=(4, 3))
EYE = np.eye(3)
INF, NAN = np.inf, np.nan
EPS32 = float(np.finfo(np.float32).eps)


def printed(capsys):
    """Return what was printed since the last time, without the final line break."""
    return capsys.readouterr().out.removesuffix("\n")


# agree: what passes, and the line it prints


@pytest.mark.parametrize(
    ("ours", "theirs", "kwargs", "line"),
    [
        (W, W + 1e-12, {}, "✓ W: agree to 1e-10 · shape (4, 3) · float64"),
        (W, W * (1 + 1e-7), {"rtol": 2e-7}, "✓ W: agree to 2e-07 · shape (4, 3) · float64"),
        (W.astype("float32"), W, {"atol": 1e-6}, "✓ W: agree to 1e-06 · shape (4, 3) · float32"),
        (W, W.astype("float32"), {"atol": 1e-6}, "✓ W: agree to 1e-06 · shape (4, 3) · float32"),
        (2.5, np.array(2.5), {}, "✓ W: agree to 1e-10 · shape () · float64"),
        ([1.0, 2.0], (1.0, 2.0), {}, "✓ W: agree to 1e-10 · shape (2,) · float64"),
        (np.arange(3, dtype="int32"), [0.0, 1.0, 2.0], {}, "✓ W: agree to 1e-10 · shape (3,) · float64"),
        (np.arange(3, dtype="int32"), [0, 1, 2], {}, "✓ W: agree to 1e-10 · shape (3,) · int32"),
        (np.arange(3, dtype="uint8"), [0, 1, 2], {"atol": 0}, "✓ W: agree to 0e+00 · shape (3,) · uint8"),
        ([True, False], [True, False], {}, "✓ W: agree to 1e-10 · shape (2,) · bool"),
        ([0.0, 0.0], [0.0, -0.0], {}, "✓ W: agree to 1e-10 · shape (2,) · float64"),
        (
            np.float32([1]),
            [1.0],
            {"atol": EPS32},
            "✓ W: agree to 1e-07 · shape (1,) · float32",
        ),  # just enough
    ],
)
def test_agree_prints_one_stable_line(capsys, ours, theirs, kwargs, line):
    agree("W", ours, theirs, **kwargs)
    assert printed(capsys) == line


def test_agree_takes_tensors_and_variables(capsys):
    agree("tensor", [[1.0, 2.0]], keras.ops.convert_to_tensor([[1.0, 2.0]], dtype="float64"))
    agree("variable", keras.Variable([1.0, 2.0], dtype="float32"), [1.0, 2.0], atol=1e-6)
    assert printed(capsys).splitlines() == [
        "✓ tensor: agree to 1e-10 · shape (1, 2) · float64",
        "✓ variable: agree to 1e-06 · shape (2,) · float32",
    ]


# agree: what is refused


@pytest.mark.parametrize(
    ("ours", "theirs", "kwargs", "fault"),
    [
        (EYE, EYE + 2e-10, {}, "worst at"),
        (X.T @ X @ W / 6, X.T @ X @ W, {}, "worst at"),  # a missing 1/n
        (EYE[[1, 2, 0]], EYE[[1, 2, 0]].T, {}, "worst at"),  # a transposed matrix
        (W, W.T, {}, "shapes differ: (4, 3) here, (3, 4) there"),
        (np.ones(3), np.ones((3, 1)), {}, "shapes differ: (3,) here, (3, 1) there"),
        (np.ones((1, 3)), np.ones(3), {}, "shapes differ: (1, 3) here, (3,) there"),
        (1.0, [1.0], {}, "shapes differ: () here, (1,) there"),
        ([], [], {}, "nothing to compare: shape (0,)"),
        (np.empty((0, 3)), np.empty((0, 3)), {}, "nothing to compare: shape (0, 3)"),
        ([1.0, NAN], [1.0, 2.0], {}, "worst at (1,): nan here, 2.0 there"),
        ([1.0, 2.0], [NAN, 2.0], {}, "worst at (0,): 1.0 here, nan there"),
        ([1.0, NAN], [1.0, NAN], {}, "worst at (1,): nan here, nan there"),
        ([INF, 1.0], [1.0, 1.0], {}, "worst at (0,): inf here, 1.0 there"),
        ([INF, 1.0], [INF, 1.0], {}, "worst at (0,): inf here, inf there"),
        ([1.0, 5.0], [INF, 1.0], {"rtol": 0.1}, "worst at (0,): 1.0 here, inf there"),
        (np.float32([1]), np.float32([1]), {}, "float32 is too coarse for a tolerance of 1e-10"),
        (np.float32([1]), [1.0], {}, "float32 is too coarse for a tolerance of 1e-10"),
        (np.float32([1]), [1], {"atol": 1e-7}, "float32 is too coarse for a tolerance of 1e-07"),
        (np.float16([1]), [1.0], {"atol": 1e-4}, "float16 is too coarse for a tolerance of 1e-04"),
        ([1.0], [1.0], {"atol": 0}, "float64 is too coarse for a tolerance of 0e+00"),
        (np.float32([1]), [1.0], {"atol": EPS32 * 0.99}, "float32 is too coarse for a tolerance of 1e-07"),
        ([True, False], [True, True], {}, "worst at (1,): 0.0 here, 1.0 there"),
        ([7, 2, 1], [7, 2, 2], {"atol": 0}, "worst at (2,): 1.0 here, 2.0 there"),
        (np.uint8([0]), np.uint8([255]), {}, "worst at (0,): 0.0 here, 255.0 there"),  # no wrap-around
    ],
)
def test_agree_refuses(capsys, ours, theirs, kwargs, fault):
    with pytest.raises(Disagreement) as caught:
        agree("W", ours, theirs, **kwargs)
    assert str(caught.value).startswith(f"✗ W: {fault}")
    assert printed(capsys) == ""


def test_a_disagreement_is_an_assertion_error_that_says_everything():
    with pytest.raises(AssertionError) as caught:
        agree("∂L/∂W (2.7)", [[0.0, 1.25], [7.5, 0.5]], [[0.0, 1.0], [1.25, 0.5]], atol=1e-9)
    assert str(caught.value) == (
        "✗ ∂L/∂W (2.7): worst at (1, 0): 7.5 here, 1.25 there · "
        "largest error 6.25, tolerance 1e-09 · shape (2, 2)"
    )
    assert caught.value.what == "∂L/∂W (2.7)"
    assert caught.value.where == "worst at (1, 0): 7.5 here, 1.25 there · shape (2, 2)"


@pytest.mark.parametrize(
    ("ours", "theirs", "rounded"),
    [
        (1 / 3, 2 / 3, "0.3333 here, 0.6667 there"),
        (6.0, 1.0, "6 here, 1 there"),
        (1 / 3, 1 / 3 + 1e-3, "0.3333 here, 0.3343 there"),
        (1 / 3, 1 / 3 + 1e-9, "0.333333333 here, 0.333333334 there"),  # as many digits as it takes
        (1.0, 1.0 + 10 * 2.0**-52, "1 here, 1.000000000000002 there"),  # sixteen of them
        (-1e9, 0.0, "-1e+09 here, 0 there"),
        (NAN, NAN, "nan here, nan there"),
    ],
)
def test_values_are_shown_in_full_and_rounded(ours, theirs, rounded):
    with pytest.raises(Disagreement) as caught:
        agree("p", [ours], [theirs], atol=1e-15)
    assert f"worst at (0,): {ours!r} here, {theirs!r} there" in str(caught.value)
    assert caught.value.where == f"worst at (0,): {rounded} · shape (1,)"


def test_with_rtol_the_worst_place_is_the_one_furthest_beyond_its_own_tolerance():
    with pytest.raises(Disagreement, match=r"worst at \(0,\)"):
        agree("x", [1.1, 1000.5], [1.0, 1000.0], rtol=1e-2)


@pytest.mark.parametrize(
    ("ours", "theirs", "passes"),
    [
        (1.8e7 + 1e-4, 1.8e7, True),  # a loss in square grams: 1e-10 of its size is 1.8e-3
        (1.8e7 + 1e-2, 1.8e7, False),
        ([1.8e7, 1e-4], [1.8e7, 0.0], True),  # judged by the size of the largest
        (1e-3 + 9e-11, 1e-3, True),  # but probabilities by 1: never more strictly
        (1e-3 + 2e-10, 1e-3, False),
    ],
)
def test_errors_are_relative_to_numbers_larger_than_one(ours, theirs, passes):
    if passes:
        agree("L", ours, theirs)
    else:
        with pytest.raises(Disagreement):
            agree("L", ours, theirs)


@pytest.mark.parametrize("value", [..., None, "1.0", [1.0, "2"], 1 + 2j, {"W": 1.0}])
def test_agree_wants_numbers(value):
    with pytest.raises(TypeError, match="^W: expected numbers, got "):
        agree("W", value, value)


@pytest.mark.parametrize("kwargs", [{"atol": -1e-9}, {"atol": INF}, {"atol": NAN}, {"atol": 1}, {"rtol": 1}])
def test_a_tolerance_that_forbids_or_allows_everything_is_an_error(kwargs):
    with pytest.raises(ValueError, match="^W: expected a tolerance from 0 to below 1, got"):
        agree("W", [1.0], [1.0], **kwargs)


FINITE = arrays.arrays(np.float64, arrays.array_shapes(max_side=4), elements=st.floats(-1e9, 1e9))


@settings(deadline=None)
@given(FINITE)
def test_everything_agrees_with_itself(a):
    agree("a", a, a.copy())


@settings(deadline=None)
@given(FINITE, st.data(), st.sampled_from([-1, 1]), st.floats(1.01, 1e6))
def test_an_error_beyond_the_tolerance_is_found_wherever_it_is(a, data, sign, factor):
    where = data.draw(st.integers(0, a.size - 1))
    b = a.copy()
    b.flat[where] += sign * factor * 1e-10 * max(2, 2 * np.abs(a).max())
    with pytest.raises(Disagreement) as caught:
        agree("a", b, a)
    assert f"worst at {tuple(map(int, np.unravel_index(where, a.shape)))}:" in str(caught.value)


# check_gradient


def cubes(x):
    return (x**3).sum()


SMALL = RNG.normal(size=(3, 2)) + 2  # generic points, away from 0
LARGE = RNG.normal(size=(30, 20)) + 2
SLIP = 1 + 5e-4  # 0.05 %


def spoiled(grad, index, factor):
    """Return a copy of ``grad`` with one number wrong."""
    grad = grad.copy()
    grad[index] *= factor
    return grad


@pytest.mark.parametrize(
    ("x", "line"),
    [
        (SMALL, "✓ dx: agree to 1e-08 · shape (3, 2) · float64"),
        (LARGE, "✓ dx: agree to 1e-08 · shape (30, 20) · float64"),
        (2.5, "✓ dx: agree to 1e-08 · shape () · float64"),
        (1e6 * SMALL, "✓ dx: agree to 1e-08 · shape (3, 2) · float64"),  # the step grows with x
    ],
)
def test_a_right_gradient_passes(capsys, x, line):
    check_gradient("dx", lambda x: (x**3).sum(), x, 3 * np.square(x))
    assert printed(capsys) == line


@pytest.mark.parametrize(
    ("x", "grad"),
    [
        (SMALL, 3 * SMALL**2 * SLIP),
        (LARGE, 3 * LARGE**2 * SLIP),
        (SMALL, spoiled(3 * SMALL**2, (2, 1), SLIP)),
        (LARGE, spoiled(3 * LARGE**2, (29, 3), SLIP)),  # one number of six hundred
        (SMALL, 3 * SMALL**2 / SMALL.size),
        (LARGE, -3 * LARGE**2),
        (SMALL[:2], 3 * SMALL[:2].T ** 2),
        (LARGE[:20], 3 * LARGE[:20].T ** 2),
        (SMALL, np.zeros_like(SMALL)),
        (SMALL, spoiled(3 * SMALL**2, (0, 0), NAN)),
        (LARGE, spoiled(3 * LARGE**2, (0, 0), INF)),
    ],
)
def test_a_wrong_gradient_is_refused(capsys, x, grad):
    with pytest.raises(Disagreement, match="^✗ dx.*: worst at "):
        check_gradient("dx", cubes, x, grad)
    assert printed(capsys) == ""


def squared_error_in_w(w):
    return ((X @ w - 1) ** 2).mean()


RIGHT = 2 * X.T @ (X @ W - 1) / (6 * 3)


@pytest.mark.parametrize(
    ("grad", "passes"),
    [
        (RIGHT, True),
        (RIGHT * 18, False),  # the forgotten mean
        (RIGHT / 2, False),  # the textbook's ½
        (-RIGHT, False),
        (X.T @ (X @ W - 1) * 2 / 6, False),  # the mean over the rows only
    ],
)
def test_the_slips_people_make_in_a_squared_error(grad, passes):
    if passes:
        check_gradient("dW", squared_error_in_w, W, grad)
    else:
        with pytest.raises(Disagreement):
            check_gradient("dW", squared_error_in_w, W, grad)


FLOAT32 = SMALL.astype("float32")
INTS = np.array([1, 2], dtype="int64")
NONE = np.empty((0, 2))
TOO_SMALL = "the gradient is too small for 1e-08 to judge it"


@pytest.mark.parametrize(
    ("f", "x", "grad", "fault"),
    [
        (cubes, FLOAT32, 3 * SMALL**2, "x is float32: central differences need float64"),
        (cubes, INTS, [3.0, 12.0], "x is int64: central differences need float64"),
        (cubes, SMALL, 3 * FLOAT32**2, "float32 is too coarse for a tolerance of 1e-08"),
        (cubes, SMALL, 3 * SMALL.ravel() ** 2, "shapes differ: (6,) here, (3, 2) there"),
        (cubes, NONE, NONE, "nothing to compare: shape (0, 2)"),
        (lambda x: 1e-7 * cubes(x), SMALL, 3e-7 * SMALL**2, TOO_SMALL),
        (lambda x: 1e-7 * cubes(x), LARGE, 3e-7 * LARGE**2, TOO_SMALL),
        (lambda x: 0.0 * cubes(x), SMALL, 0 * SMALL, TOO_SMALL),
        (lambda x: np.abs(x).sum(), np.zeros(1), np.ones(1), "worst at (0,): 1.0 here, 0.0 there"),
        (lambda x: np.log(x).sum(), -np.ones(1), -np.ones(1), "worst at (0,): -1.0 here, nan there"),
        (lambda x: 1 / x[0], np.zeros(1), np.zeros(1), "worst at (0,): 0.0 here, "),
        (lambda x: np.maximum(x, 0).sum(), np.full(1, 1e-7), np.zeros(1), "worst at (0,): 0.0 here, "),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_central_differences_cannot_judge_is_refused(f, x, grad, fault):
    with pytest.raises(Disagreement) as caught:
        check_gradient("dx", f, x, grad)
    assert str(caught.value).startswith(f"✗ dx: {fault}")


PENGUIN = np.array([39.1, 18.7, 181.0, 3750.0])  # mm, mm, mm, g
PER_UNIT = np.array([0.1, 0.2, -0.01, -0.001])


def bounded(x, w=PER_UNIT):
    return np.tanh(x @ w)


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e3], ids=["mm, g", "m, kg", "μm, mg"])
@pytest.mark.parametrize("index", range(4))
@pytest.mark.parametrize("factor", [0, -1, SLIP, 1 / SLIP])
def test_raw_measurements_are_judged_each_in_its_own_unit(unit, index, factor):
    """With one step for all, 0.02 for a mass of 3,750 g, the curvature along the bill passed for an error."""
    x, w = PENGUIN * unit, PER_UNIT / unit
    grad = (1 - np.tanh(x @ w) ** 2) * w
    check_gradient("dx", lambda x: bounded(x, w), x, grad)
    with pytest.raises(Disagreement, match=rf"worst at \({index},\)"):
        check_gradient("dx", lambda x: bounded(x, w), x, spoiled(grad, index, factor))


def steep_and_flat(w):
    return 1e9 * w[0] ** 2 / 2 + 3 * w[1]


def steep_and_bent(w):
    return 1e9 * w[0] ** 2 / 2 + 3 * np.sinh(w[1]) / np.cosh(1)


@pytest.mark.parametrize(
    "grad",
    [[1e9, 0], [1e9, -3], [1e9, 3 * SLIP], [1e9, 3 / SLIP], [1e9 * SLIP, 3], [0, 3], [3, 1e9]],
    ids=str,
)
@pytest.mark.parametrize("f", [steep_and_flat, steep_and_bent])
def test_a_wrong_slope_does_not_hide_behind_a_steeper_one(f, grad):
    """The rounding of f, 1e-7, divided by the usual step is 0.02; steps a thousand times as long see more."""
    check_gradient("dw", f, np.ones(2), np.array([1e9, 3.0]))
    with pytest.raises(Disagreement, match="^✗ dw: worst at "):
        check_gradient("dw", f, np.ones(2), np.array(grad, float))


def test_a_table_of_raw_measurements_is_nudged_in_proportion():
    """Two hundred numbers at once, of 18 mm and of 6,000 g."""
    x = PENGUIN * np.random.default_rng(3).uniform(0.8, 1.6, size=(50, 4))
    grad = (1 - np.tanh(x @ PER_UNIT) ** 2)[:, None] * PER_UNIT
    check_gradient("dx", lambda x: bounded(x).sum(), x, grad)
    with pytest.raises(Disagreement, match="along 20 random directions"):
        check_gradient("dx", lambda x: bounded(x).sum(), x, grad * [1, SLIP, 1, 1])


@settings(deadline=None)
@given(st.lists(st.floats(-6, 6), min_size=1, max_size=6), st.data())
def test_a_right_gradient_passes_in_any_units_and_a_slip_in_any_number_does_not(powers, data):
    """f = Σ log cosh(2xᵢ / sᵢ) with units sᵢ from a millionth to a million, xᵢ about as large as sᵢ."""
    scales = 10.0 ** np.array(powers)
    x = scales * np.random.default_rng(0).uniform(0.5, 1.5, size=len(powers))
    grad = 2 * np.tanh(2 * x / scales) / scales

    def f(x):
        return np.logaddexp(2 * x / scales, -2 * x / scales).sum()

    check_gradient("dx", f, x, grad, atol=1e-7)
    index = data.draw(st.integers(0, len(powers) - 1))
    with pytest.raises(Disagreement):
        check_gradient(
            "dx", f, x, spoiled(grad, index, data.draw(st.sampled_from([0, -1, SLIP, 1 / SLIP]))), atol=1e-7
        )


def test_a_right_gradient_is_measured_once():
    """Two values for a number; only what seems wrong is measured again."""
    calls = []
    check_gradient("dx", lambda x: calls.append(1) or cubes(x), SMALL, 3 * SMALL**2)
    assert len(calls) == 2 * SMALL.size


@pytest.mark.parametrize(
    "value", [lambda x: (x**2).sum(keepdims=True), lambda x: x**2, lambda x: None, lambda x: "4"]
)
def test_what_is_not_one_number_is_named(value):
    with pytest.raises(TypeError, match=r"^g: expected (f to return one number, got an array|numbers, got )"):
        check_gradient("g", value, np.ones(2), 2 * np.ones(2))


def test_at_a_kink_both_one_sided_slopes_are_refused():
    """ReLU at 0: the slopes to the left and right are 0 and 1, the measured one is their mean."""
    for one_sided in (0.0, 1.0):
        with pytest.raises(Disagreement, match=r"0\.5 there"):
            check_gradient("dz", lambda z: np.maximum(z, 0).sum(), np.zeros(1), np.array([one_sided]))


@pytest.mark.parametrize("x", [SMALL, LARGE])
def test_a_function_that_rounds_to_float32_is_refused(x):
    with pytest.raises(Disagreement, match="worst at"):
        check_gradient("dx", lambda x: cubes(x.astype(np.float32)), x, 3 * x**2)


def test_a_coarse_tolerance_must_still_see_a_slip_in_a_steep_gradient():
    with pytest.raises(Disagreement, match="too small for 1e-03 to judge it"):
        check_gradient("dx", lambda x: 100 * cubes(x), SMALL, 300 * SMALL**2 * SLIP, atol=1e-3)


def test_in_large_arrays_the_fault_names_the_directions():
    with pytest.raises(Disagreement) as caught:
        check_gradient("dW", cubes, LARGE, 6 * LARGE**2)
    assert str(caught.value).startswith("✗ dW along 20 random directions: worst at (")
    assert str(caught.value).endswith("tolerance 1e-08 · shape (20,)")


def test_the_directions_follow_the_seed():
    faults = set()
    for seed in (0, 0, 1):
        with pytest.raises(Disagreement) as caught:
            check_gradient("dW", cubes, LARGE, 6 * LARGE**2, seed=seed)
        faults.add(str(caught.value))
    assert len(faults) == 2


def test_the_point_is_left_as_it_was():
    x = SMALL.copy()
    check_gradient("dx", cubes, x, 3 * x**2)
    assert np.array_equal(x, SMALL)


# rejects


def test_rejects_prints_the_fault_rounded(capsys):
    with rejects():
        agree("dW without 1/n", [[6 / 7]], [[1 / 7]])
    line = "✗ dW without 1/n: rejected · worst at (0, 0): 0.8571 here, 0.1429 there · shape (1, 1)"
    assert printed(capsys) == line


@pytest.mark.parametrize(
    ("ours", "theirs", "line"),
    [
        (W, W.T, "✗ W: rejected · shapes differ: (4, 3) here, (3, 4) there"),
        ([], [], "✗ W: rejected · nothing to compare: shape (0,)"),
        ([NAN], [1.0], "✗ W: rejected · worst at (0,): nan here, 1 there · shape (1,)"),
        (np.float32(1), 1.0, "✗ W: rejected · float32 is too coarse for a tolerance of 1e-10"),
    ],
)
def test_rejects_takes_every_kind_of_disagreement(capsys, ours, theirs, line):
    with rejects():
        agree("W", ours, theirs)
    assert printed(capsys) == line


def test_rejects_takes_a_wrong_gradient(capsys):
    with rejects():
        check_gradient("dx", cubes, np.array([2.0]), np.array([4.0]))
    assert printed(capsys) == "✗ dx: rejected · worst at (0,): 4 here, 12 there · shape (1,)"


@pytest.mark.parametrize("block", [lambda: None, lambda: agree("W", W, W)])
def test_rejects_fails_where_nothing_is_rejected(block):
    with pytest.raises(AssertionError, match="expected a check to fail, but nothing was rejected"), rejects():
        block()


@pytest.mark.parametrize("error", [ValueError, TypeError, AssertionError, KeyboardInterrupt])
def test_rejects_hides_no_other_error(error):
    with pytest.raises(error, match="^mine$"), rejects():
        raise error("mine")


def test_a_planted_error_of_the_wrong_type_is_no_rejection():
    with pytest.raises(TypeError), rejects():
        agree("W", None, W)


# the console, and a reader's settings


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_a_console_without_a_check_mark_prints_all_the_same(encoding):
    program = """
from twice.checks import agree, check_gradient, rejects
agree("x", 1.0, 1.0)
check_gradient("∂L/∂x", lambda x: x[0] ** 3, [1.0], [3.0])
with rejects():
    agree("x", 1.0, 2.0)
"""
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=environment)
    lines = run.stdout.decode(encoding).splitlines()
    assert len(lines) == 3 and "x: agree to 1e-10" in lines[0]
    assert lines[0].startswith("✓" if encoding == "utf-8" else "?")


@pytest.fixture
def set_up(monkeypatch):
    """Return a function that sets Keras up in another way, until the test is over."""

    def change(name, value):
        monkeypatch.setattr(keras.config, name, lambda: value)

    return change


@pytest.mark.parametrize(
    "name, value, cause",
    [
        ("backend", "jax", "backend: expected 'tensorflow', as in the book, got 'jax'"),
        (
            "image_data_format",
            "channels_first",
            "image_data_format: expected 'channels_last', .* got 'channels_f",
        ),
        ("epsilon", 1e-5, "epsilon: expected 1e-07, as in the book, got 1e-05"),
    ],
)
def test_a_reader_s_own_settings_are_named_and_not_taken_for_an_error(set_up, name, value, cause):
    layer = layer64("Dense", 3)
    set_up(name, value)
    for check in (lambda: agree("W", W, W + 1), lambda: copy_weights([W, np.zeros(3)], layer)):
        with pytest.raises(RuntimeError, match=rf"^Keras's {cause}.* ~/\.keras/keras\.json"), rejects():
            check()
    assert not layer.built


def test_keras_json_is_named(tmp_path):
    """A real one, in a home of its own."""
    (tmp_path / "keras.json").write_text('{"epsilon": 1e-5}', encoding="utf-8")
    program = "import keras; from twice.checks import agree; agree('x', 1.0, 1.0)"
    environment = os.environ | {"KERAS_HOME": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert "RuntimeError: Keras's epsilon: expected 1e-07, as in the book, got 1e-05" in run.stderr


# copy_weights


def layer64(kind, *args, shape=None, **kwargs):
    """Return a Keras layer that computes in float64, built for ``shape`` if one is given."""
    layer = getattr(keras.layers, kind)(*args, dtype="float64", **kwargs)
    if shape:
        layer.build(shape)
    return layer


@pytest.mark.parametrize(
    ("name", "args", "kernel", "units"),
    [
        ("Dense", (3,), (4, 3), 3),
        ("Dense", (1,), (1, 1), 1),
        ("Conv2D", (5, (3, 2)), (3, 2, 4, 5), 5),
        ("Conv1D", (5, 3), (3, 4, 5), 5),
    ],
)
def test_copy_weights_builds_and_fills_a_layer(name, args, kernel, units):
    layer, ours = layer64(name, *args), (RNG.normal(size=kernel), RNG.normal(size=units))
    copy_weights(ours, layer)
    for w, theirs in zip(ours, layer.get_weights(), strict=True):
        assert np.array_equal(w, theirs)


def test_copy_weights_fills_a_built_layer_and_one_without_a_bias():
    built, bare = layer64("Dense", 3, shape=(None, 4)), layer64("Dense", 3, use_bias=False)
    copy_weights((W, np.ones(3)), built)
    copy_weights([W], bare)
    assert np.array_equal(built.get_weights()[1], np.ones(3))
    assert np.array_equal(bare.get_weights()[0], W)


def test_the_copy_is_a_copy():
    """NumPy's updates in place must not move Keras's weights along."""
    layer, kernel = layer64("Dense", 64, use_bias=False), np.zeros((64, 64))
    copy_weights([kernel], layer)
    kernel += 1
    assert not layer.get_weights()[0].any()


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize(
    ("ours", "fault"),
    [
        ((W,), "expected 2 arrays for layer 'dense_x', got 1"),
        ((W, np.ones(3), np.ones(3)), "expected 2 arrays for layer 'dense_x', got 3"),
        ((W[:, :2], np.ones(2)), "expected kernel of (4, 3) float64, got (4, 2) float64"),
        ((W, np.ones((1, 3))), "expected bias of (3,) float64, got (1, 3) float64"),
        ((W.astype("float32"), np.ones(3)), "expected kernel of (4, 3) float64, got (4, 3) float32"),
        ((W, np.ones(3, dtype="int64")), "expected bias of (3,) float64, got (3,) int64"),
    ],
)
def test_copy_weights_refuses(ours, fault, built):
    layer = layer64("Dense", 3, name="dense_x", shape=built and (None, 4))
    with pytest.raises(ValueError) as caught:
        copy_weights(ours, layer)
    assert str(caught.value) == f"ours: {fault}"


def test_copy_weights_refuses_a_transposed_kernel():
    """A textbook's W of shape (units, inputs) does not fit, whether the layer is built or not."""
    with pytest.raises(ValueError, match=r"expected kernel of \(4, 3\) float64, got \(3, 4\) float64"):
        copy_weights((W.T, np.ones(3)), layer64("Dense", 3, shape=(None, 4)))
    with pytest.raises(ValueError, match=r"expected kernel of \(3, 3\) float64, got \(3, 4\) float64"):
        copy_weights((W.T, np.ones(3)), layer64("Dense", 3))


@pytest.mark.parametrize("ours", [(), (np.ones(3),), (np.float64(1), np.ones(3))])
def test_copy_weights_needs_a_kernel_to_build_from(ours):
    with pytest.raises(ValueError, match="^ours: expected a kernel to build layer 'dense_y' from, got shape"):
        copy_weights(ours, layer64("Dense", 3, name="dense_y"))


def test_copied_weights_compute_the_same():
    layer, b = layer64("Dense", 3), np.array([0.5, -1.0, 2.0])
    copy_weights((W, b), layer)
    agree("xW + b", X @ W + b, layer(X))
    with rejects():
        agree("xW without b", X @ W, layer(X))


# the ledger


def ledger_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    ("off", "power"),
    [(0, None), (2.0**-40, -12), (2.0**-36, -10)],  # 0.9e-12, 1.5e-11
)
def test_the_ledger_keeps_the_error_as_a_power_of_ten(tmp_path, monkeypatch, off, power):
    monkeypatch.setenv("TWICE_LEDGER", str(tmp_path / "02-linear-regression.jsonl"))
    agree("ŷ (2.3)", [[1.0 + off]], [[1.0]])
    assert ledger_lines(tmp_path / "02-linear-regression.jsonl") == [
        {
            "notebook": "02-linear-regression",
            "check": "agree",
            "what": "ŷ (2.3)",
            "dtype": "float64",
            "shape": [1, 1],
            "tolerance": 1e-10,
            "error": power,
        }
    ]


def test_the_ledger_gets_a_line_for_each_check(tmp_path, monkeypatch):
    monkeypatch.setenv("TWICE_LEDGER", str(tmp_path / "ledger"))
    agree("L", np.float32([1e6]), [1e6 + 1], atol=1e-5)
    check_gradient("∂L/∂W", cubes, LARGE, 3 * LARGE**2)
    with rejects():
        agree("without 1/n", [6.0], [1.0])
    agreed, gradient, rejected = ledger_lines(tmp_path / "ledger")
    assert (agreed["dtype"], agreed["tolerance"], agreed["error"]) == ("float32", 1e-5, -6)  # of its size
    assert (gradient["check"], gradient["shape"], gradient["tolerance"]) == ("gradient", [30, 20], 1e-8)
    assert gradient["error"] <= -8
    assert rejected == {"notebook": "ledger", "check": "rejects", "what": "without 1/n"}


def test_the_ledger_can_be_read_by_people(tmp_path, monkeypatch):
    monkeypatch.setenv("TWICE_LEDGER", str(tmp_path / "ledger.jsonl"))
    agree("∂L/∂W (2.7)", [1.0], [1.0])
    assert '"what": "∂L/∂W (2.7)"' in (tmp_path / "ledger.jsonl").read_text(encoding="utf-8")


def test_a_failed_check_leaves_no_line(tmp_path, monkeypatch):
    monkeypatch.setenv("TWICE_LEDGER", str(tmp_path / "ledger.jsonl"))
    with pytest.raises(Disagreement):
        agree("W", [1.0], [2.0])
    with pytest.raises(Disagreement):
        check_gradient("dx", cubes, SMALL, SMALL)
    assert not (tmp_path / "ledger.jsonl").exists()


def test_without_a_ledger_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv("TWICE_LEDGER", raising=False)
    monkeypatch.chdir(tmp_path)
    agree("W", W, W)
    assert list(tmp_path.iterdir()) == []


# what an import costs


@pytest.mark.parametrize("module", ["twice", "twice.checks"])
def test_the_import_brings_numpy_alone(module):
    heavy = ("keras", "tensorflow", "matplotlib", "sklearn", "scipy", "PIL")
    program = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
    )
    assert run.stdout.strip() == "[]"
