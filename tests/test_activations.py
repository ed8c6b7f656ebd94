"""Activations against Keras and SciPy, their derivatives against central differences."""

import inspect

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from twice import activations as a
from twice.arguments import takes
from twice.checks import agree, check_gradient

SHAPES = [(5,), (4, 3), (2, 3, 10), (1, 2)]
EXTREME = np.array([[1000.0, 0.0, -1000.0], [-1000.0, -1000.0, -1000.0], [1000.0, 1000.0, 999.0]])
logits = arrays(np.float64, array_shapes(min_dims=1, max_dims=3), elements=st.floats(-500, 500))


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(scale=3, size=shape)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "softmax", "log_softmax"])
def test_same_as_keras(name, shape):
    z = draw(shape)
    agree(name, getattr(a, name)(z), getattr(keras.ops, name)(z))


@pytest.mark.parametrize(
    "ours, theirs", [("sigmoid", "expit"), ("softmax", "softmax"), ("log_softmax", "log_softmax")]
)
@pytest.mark.parametrize("z", [draw((6, 4)), EXTREME], ids=["ordinary", "extreme"])
def test_same_as_scipy(ours, theirs, z):
    axis = {} if theirs == "expit" else {"axis": -1}
    agree(ours, getattr(a, ours)(z), getattr(scipy.special, theirs)(z, **axis), atol=1e-14)


def test_extreme_logits_are_right_and_silent():
    with np.errstate(all="raise", under="ignore"):
        agree("sigmoid", a.sigmoid(EXTREME[0]), np.array([1, 0.5, 0]), atol=1e-15)
        agree("softmax", a.softmax(EXTREME[0]), np.array([1.0, 0, 0]), atol=1e-15)
        agree("log_softmax", a.log_softmax(EXTREME[0]), np.array([0.0, -1000, -2000]), atol=1e-15)
        agree("a row of equals", a.log_softmax(EXTREME[1]), np.full(3, -np.log(3)), atol=1e-15)


def test_sigmoid_keeps_tiny_probabilities():
    assert a.sigmoid(-700.0) == pytest.approx(np.exp(-700), rel=1e-14)


@pytest.mark.parametrize("z, expected", [(-1e-9, 0), (0.0, 1), (2.0, 1)])
def test_step(z, expected):
    assert a.step(z) == expected


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu"])
@pytest.mark.parametrize("shape", SHAPES)
def test_derivatives(name, shape):
    z = draw(shape, seed=1)
    weights = draw(shape, seed=2)
    f, derivative = getattr(a, name), getattr(a, f"{name}_derivative")
    check_gradient(name, lambda z: (weights * f(z)).sum(), z, weights * derivative(z))


def test_relu_derivative_at_zero_is_keras():
    z = tf.Variable([0.0, -1.0, 1.0], dtype="float64")
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(keras.ops.relu(z))
    agree("relu′(0)", a.relu_derivative(z.numpy()), tape.gradient(total, z))


@pytest.mark.parametrize("shape", [(4,), (3, 5), (2, 2, 3)])
def test_softmax_jacobian(shape):
    z = draw(shape, seed=3)
    weights = draw(shape, seed=4)
    gradient = np.einsum("...i,...ij->...j", weights, a.softmax_jacobian(z))
    check_gradient("softmax", lambda z: (weights * a.softmax(z)).sum(), z, gradient)


def test_softmax_jacobian_of_one_row_is_the_textbook_matrix():
    z = draw(4, seed=5)
    p = a.softmax(z)
    agree("diag(p) − ppᵀ", a.softmax_jacobian(z), np.diag(p) - np.outer(p, p), atol=1e-15)


@given(logits, st.floats(-500, 500))
def test_softmax_ignores_a_common_shift(z, c):
    np.testing.assert_allclose(a.softmax(z + c), a.softmax(z), rtol=0, atol=1e-12)


@given(logits)
def test_softmax_rows_are_distributions(z):
    p = a.softmax(z)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(np.exp(a.log_softmax(z)), p, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(a.softmax_jacobian(z).sum(axis=-1), 0, atol=1e-12)


@given(st.floats(-500, 500), st.floats(-500, 500))
def test_two_classes_are_a_sigmoid_of_the_difference(z0, z1):
    np.testing.assert_allclose(a.softmax(np.array([z0, z1]))[1], a.sigmoid(z1 - z0), rtol=1e-10)


@given(st.floats(-700, 700))
def test_sigmoid_is_symmetric(z):
    assert a.sigmoid(z) + a.sigmoid(-z) == pytest.approx(1, abs=1e-15)


ACTIVATIONS = ["step", "sigmoid", "sigmoid_derivative", "tanh", "tanh_derivative", "relu", "relu_derivative"]
ACTIVATIONS += ["softmax", "log_softmax", "softmax_jacobian"]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "bool"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_integers_are_computed_in_floats(name, dtype):
    """As they stand, −200 in uint8 is 56, and tanh of uint8 is float16."""
    z = np.array([[0, 1, 100], [1, 0, 1]]).astype(dtype)
    f = getattr(a, name)
    assert f(z).dtype == np.float64
    agree(name, f(z), f(z.astype("float64")), atol=1e-15)
    agree(f"{name}, a list", f(z.tolist()), f(z.astype("float64")), atol=1e-15)


KEPT = {"float16": "float32", "float32": "float32", "float64": "float64"}


@pytest.mark.parametrize("dtype", KEPT)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_floats_keep_their_type_and_float16_becomes_float32(name, dtype):
    z = draw((2, 3)).astype(dtype)
    assert getattr(a, name)(z).dtype == KEPT[dtype]
    agree(name, getattr(a, name)(z), getattr(a, name)(z.astype("float64")), atol=1e-6)


@pytest.mark.parametrize("z", ["0.5", None, [1, "2"], 1j], ids=str)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_no_number_is_refused(name, z):
    with pytest.raises(TypeError, match="^z: expected numbers, got "):
        getattr(a, name)(z)


def test_a_boundary_keeps_name_docstring_and_signature():
    assert a.sigmoid.__name__ == "sigmoid" and a.sigmoid.__doc__.startswith("Return σ(z)")
    assert str(inspect.signature(a.sigmoid)) == "(z)"
    assert a.sigmoid(z=0.0) == 0.5
    with pytest.raises(TypeError, match="missing a required argument: 'z'"):
        a.sigmoid()
    with pytest.raises(TypeError, match="too many positional arguments|takes 1 positional"):
        a.sigmoid(1.0, 2.0)


def test_a_check_sees_the_arguments_that_it_names_and_no_others():
    class Scale:
        @takes(lambda x, factor: (x + 1, factor * 10), "x", "factor")
        def of(self, x, factor=2, shift=0.5):
            return x * factor + shift

    assert [Scale().of(1), Scale().of(1, 3), Scale().of(1, shift=0), Scale().of(factor=1, x=0)] == [
        40.5,
        60.5,
        40,
        10.5,
    ]
    with pytest.raises(TypeError, match="^takes: expected arguments of .* in their order, got"):
        takes(lambda b, a: (b, a), "b", "a")(lambda a, b: a)


@pytest.mark.parametrize("shape", [(), *SHAPES], ids=str)
def test_gelu_is_z_times_the_normal_distribution_function(shape):
    z = draw(shape)
    agree("Φ", a.normal_cdf(z), scipy.special.ndtr(z), atol=1e-14)
    agree("gelu", a.gelu(z), z * scipy.special.ndtr(z), atol=1e-14)
    assert a.gelu(-30.0) == pytest.approx(-30 * scipy.special.ndtr(-30.0), rel=1e-12)
    assert a.gelu(np.float32(z)).dtype == a.gelu_derivative(np.float32(z)).dtype == np.float32


@pytest.mark.parametrize("approximate", [False, True])
def test_gelu_derivative(approximate):
    z, weights = draw((4, 5), seed=1), draw((4, 5), seed=2)
    slope = weights * a.gelu_derivative(z, approximate)
    check_gradient("gelu", lambda z: (weights * a.gelu(z, approximate)).sum(), z, slope)


def test_both_forms_of_gelu_are_close():
    z = np.linspace(-8, 8, 10_001)
    assert 4e-4 < abs(a.gelu(z) - a.gelu(z, approximate=True)).max() < 5e-4
    assert (a.gelu_derivative(z) == a.gelu_derivative(z, approximate=False)).all(), "exact is the default"
