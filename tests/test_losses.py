"""Losses and their gradients against Keras, from probabilities and from logits."""

from functools import partial
from itertools import product

import keras
import numpy as np
import pytest
import scipy.special
import sklearn.metrics
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from twice import losses
from twice.activations import sigmoid, sigmoid_derivative, softmax, softmax_jacobian
from twice.checks import agree, check_gradient

REDUCTIONS = ["sum_over_batch_size", "mean", "sum", None]
KERAS = {
    "mean_squared_error": keras.losses.MeanSquaredError,
    "binary_crossentropy": keras.losses.BinaryCrossentropy,
    "categorical_crossentropy": keras.losses.CategoricalCrossentropy,
    "sparse_categorical_crossentropy": keras.losses.SparseCategoricalCrossentropy,
}
CROSSENTROPIES = [name for name in KERAS if name != "mean_squared_error"]
FROM = {"probabilities": {"from_logits": False}, "logits": {"from_logits": True}}
CASES = [("mean_squared_error", "predictions"), *product(CROSSENTROPIES, FROM)]
SHAPES = [(6, 2), (5, 3), (2, 4, 3)]


pytestmark = pytest.mark.usefixtures("float64")


def problem(name, shape, from_logits, seed=0):
    """Targets of the kind the loss wants, and logits or probabilities."""
    rng = np.random.default_rng(seed)
    y_hat = rng.normal(scale=0.5, size=shape)  # no p near 0, where slopes can't be measured
    if name == "mean_squared_error":
        return rng.normal(size=shape), y_hat
    if name == "binary_crossentropy":
        y = rng.integers(2, size=shape).astype(float)
        return y, y_hat if from_logits else scipy.special.expit(y_hat)
    y = rng.integers(shape[-1], size=shape[:-1])
    y_hat = y_hat if from_logits else scipy.special.softmax(y_hat, axis=-1)
    return y if name.startswith("sparse") else np.eye(shape[-1])[y], y_hat


def keras_loss_and_gradient(name, y, y_hat, **arguments):
    y_hat = tf.Variable(y_hat)
    with tf.GradientTape() as tape:
        loss = KERAS[name](**arguments)(y, y_hat)
    return loss, tape.gradient(loss, y_hat)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("from_logits", [False, True], ids=["probabilities", "logits"])
@pytest.mark.parametrize("name", CROSSENTROPIES)
def test_crossentropy_and_gradient_are_keras_and_the_measured_slope(name, from_logits, shape):
    y, y_hat = problem(name, shape, from_logits)
    ours, gradient = getattr(losses, name), getattr(losses, f"{name}_gradient")
    loss, slope = keras_loss_and_gradient(name, y, y_hat, from_logits=from_logits)
    agree(name, ours(y, y_hat, from_logits), loss)
    agree(f"{name}′", gradient(y, y_hat, from_logits), slope)
    check_gradient(name, lambda h: ours(y, h, from_logits), y_hat, gradient(y, y_hat, from_logits))


@pytest.mark.parametrize("shape", [(4, 1), (3, 5)], ids=str)
def test_mean_squared_error_and_gradient_are_keras_and_the_measured_slope(shape):
    y, y_hat = problem("mean_squared_error", shape, None)
    loss, slope = keras_loss_and_gradient("mean_squared_error", y, y_hat)
    gradient = losses.mean_squared_error_gradient(y, y_hat)
    agree("mse", losses.mean_squared_error(y, y_hat), loss)
    agree("mse′", gradient, slope)
    check_gradient("mse", lambda h: losses.mean_squared_error(y, h), y_hat, gradient)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
@pytest.mark.parametrize("name, given", CASES)
def test_reduced_loss_and_gradient_are_keras_and_the_measured_slope(name, given, reduction, shape):
    """With None a loss for each example, as in Keras, and the gradient of their sum, as its tape returns."""
    arguments = FROM.get(given, {}) | {"reduction": reduction}
    y, y_hat = problem(name, shape, given == "logits")
    ours = partial(getattr(losses, name), y, **arguments)
    gradient = getattr(losses, f"{name}_gradient")(y, y_hat, **arguments)
    loss, slope = keras_loss_and_gradient(name, y, y_hat, **arguments)
    assert ours(y_hat).shape == (shape[:-1] if reduction is None else ())
    agree(name, ours(y_hat), loss)
    agree(f"{name}′", gradient, slope)
    check_gradient(name, lambda h: ours(h).sum(), y_hat, gradient)


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
@pytest.mark.parametrize("name, given", CASES)
def test_one_example_without_a_batch_is_reduced_as_in_keras(name, given, reduction):
    """Of shape (d,): its loss is already one number, and no reduction changes it."""
    arguments = FROM.get(given, {}) | {"reduction": reduction}
    y, y_hat = problem(name, (4,), given == "logits")
    loss, slope = keras_loss_and_gradient(name, y, y_hat, **arguments)
    agree(name, getattr(losses, name)(y, y_hat, **arguments), loss)
    agree(f"{name}′", getattr(losses, f"{name}_gradient")(y, y_hat, **arguments), slope)


@pytest.mark.parametrize("reduction", ["average", "none", "mean_with_sample_weight"])
@pytest.mark.parametrize("name", KERAS)
def test_another_reduction_is_refused(name, reduction):
    y, y_hat = problem(name, (3, 2), from_logits=False)
    for function in getattr(losses, name), getattr(losses, f"{name}_gradient"):
        with pytest.raises(ValueError, match=f"reduction: expected one of .*'sum'.*got '{reduction}'"):
            function(y, y_hat, reduction=reduction)


@pytest.mark.parametrize("reduction", REDUCTIONS, ids=str)
@pytest.mark.parametrize("name", KERAS)
def test_float32_stays_float32(name, reduction):
    y, y_hat = problem(name, (3, 2), from_logits=False)
    y, y_hat = y if y.dtype.kind == "i" else y.astype("float32"), y_hat.astype("float32")
    assert getattr(losses, name)(y, y_hat, reduction=reduction).dtype == np.float32
    for from_logits in [{}] if name == "mean_squared_error" else FROM.values():
        gradient = getattr(losses, f"{name}_gradient")(y, y_hat, reduction=reduction, **from_logits)
        assert gradient.dtype == np.float32


@pytest.mark.parametrize("name", ["binary_crossentropy", "categorical_crossentropy"])
@pytest.mark.parametrize("from_logits", [False, True], ids=["probabilities", "logits"])
def test_targets_may_be_probabilities(name, from_logits):
    _, y_hat = problem(name, (5, 3), from_logits)
    y = scipy.special.softmax(np.random.default_rng(9).normal(size=(5, 3)), axis=-1)
    loss, slope = keras_loss_and_gradient(name, y, y_hat, from_logits=from_logits)
    agree(name, getattr(losses, name)(y, y_hat, from_logits), loss)
    agree(f"{name}′", getattr(losses, f"{name}_gradient")(y, y_hat, from_logits), slope)


@pytest.mark.parametrize("name", CROSSENTROPIES)
@pytest.mark.parametrize("scale", [1.0, 0.3, 2.0])
def test_rows_that_do_not_sum_to_one_are_treated_as_keras_treats_them(name, scale):
    y, p = problem(name, (6, 4), from_logits=False)
    p = p * scale / max(1, scale if name == "binary_crossentropy" else 1)
    loss, slope = keras_loss_and_gradient(name, y, p)
    agree(name, getattr(losses, name)(y, p), loss)
    agree(f"{name}′", getattr(losses, f"{name}_gradient")(y, p), slope)


@pytest.mark.parametrize("name", CROSSENTROPIES)
def test_probabilities_are_clipped_as_keras_clips_them(name):
    p = np.array([[0.0, 1.0], [1e-9, 1 - 1e-9], [1.0, 0.0], [0.3, 0.7]])
    y = {
        "binary_crossentropy": np.array([[1.0, 0], [1, 0], [1, 1], [0, 1]]),
        "categorical_crossentropy": np.eye(2)[[0, 0, 0, 1]],
        "sparse_categorical_crossentropy": np.array([0, 0, 0, 1]),
    }[name]
    loss, slope = keras_loss_and_gradient(name, y, p)
    agree(name, getattr(losses, name)(y, p), loss)
    agree(f"{name}′", getattr(losses, f"{name}_gradient")(y, p), slope)


@pytest.mark.parametrize("z", [-1000.0, -40.0, 0.0, 40.0, 1000.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_binary_from_extreme_logits(y, z):
    y, z = np.array([[y]]), np.array([[z]])
    wrong = z if y == 0 else -z  # the loss is log(1 + e^wrong)
    with np.errstate(all="raise", under="ignore"):
        loss = losses.binary_crossentropy(y, z, from_logits=True)
        gradient = losses.binary_crossentropy_gradient(y, z, from_logits=True)
    np.testing.assert_allclose(loss, np.logaddexp(0, wrong).item(), rtol=1e-13)
    agree("∂L/∂z", gradient, scipy.special.expit(z) - y, atol=1e-15)
    theirs, slope = keras_loss_and_gradient("binary_crossentropy", y, z, from_logits=True)
    agree("loss", loss, theirs)
    agree("slope", gradient, slope)


@pytest.mark.parametrize("true, expected", [(0, 0.0), (1, 1000.0), (2, 2000.0)])
def test_categorical_from_extreme_logits(true, expected):
    z = np.array([[1000.0, 0.0, -1000.0]])
    one_hot, index = np.eye(3)[[true]], np.array([true])
    with np.errstate(all="raise", under="ignore"):
        agree("one-hot", losses.categorical_crossentropy(one_hot, z, from_logits=True), expected)
        agree("sparse", losses.sparse_categorical_crossentropy(index, z, from_logits=True), expected)
        gradient = losses.categorical_crossentropy_gradient(one_hot, z, from_logits=True)
    agree("∂L/∂z", gradient, np.array([[1.0, 0, 0]]) - one_hot, atol=1e-15)


def test_against_scikit_learn():
    y, p = problem("sparse_categorical_crossentropy", (50, 4), from_logits=False)
    theirs = sklearn.metrics.log_loss(y, p)
    agree("sparse", losses.sparse_categorical_crossentropy(y, p), theirs)
    agree("one-hot", losses.categorical_crossentropy(np.eye(4)[y], p), theirs)
    y, p = problem("binary_crossentropy", (50, 1), from_logits=False)
    agree("binary", losses.binary_crossentropy(y, p), sklearn.metrics.log_loss(y[:, 0], p[:, 0]))


@pytest.mark.parametrize("name", CROSSENTROPIES)
def test_through_the_activation_both_ways_of_writing_it_have_one_gradient(name):
    """∂L/∂z by the chain rule through the activation is the gradient from logits."""
    y, z = problem(name, (5, 3), from_logits=True)
    gradient = getattr(losses, f"{name}_gradient")
    if name == "binary_crossentropy":
        chained = gradient(y, sigmoid(z)) * sigmoid_derivative(z)
    else:
        chained = np.einsum("ni,nij->nj", gradient(y, softmax(z)), softmax_jacobian(z))
    agree("∂L/∂z", chained, gradient(y, z, from_logits=True), atol=1e-12)


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=6), st.floats(-100, 100), st.data())
def test_a_common_shift_of_the_logits_changes_nothing(z, c, data):
    y, z = np.array([data.draw(st.integers(0, len(z) - 1))]), np.array([z])
    before = losses.sparse_categorical_crossentropy(y, z, from_logits=True)
    assert losses.sparse_categorical_crossentropy(y, z + c, from_logits=True) == pytest.approx(
        before, abs=1e-11
    )
    gradient = losses.sparse_categorical_crossentropy_gradient(y, z, from_logits=True)
    assert gradient.sum() == pytest.approx(0, abs=1e-12)


@given(st.floats(-30, 30), st.integers(0, 1))
def test_two_classes_of_softmax_are_one_sigmoid(z, y):
    binary = losses.binary_crossentropy(np.array([[float(y)]]), np.array([[z]]), from_logits=True)
    softmax = losses.sparse_categorical_crossentropy(np.array([y]), np.array([[0.0, z]]), from_logits=True)
    assert binary == pytest.approx(softmax, rel=1e-9, abs=1e-12)


# --------------------------------------------------------------------------- what is refused

BOTH = ["", "_gradient"]
DENSE = [name for name in KERAS if not name.startswith("sparse")]
ONES, COLUMN = np.ones(4), np.ones((4, 1))


@pytest.mark.parametrize(
    "y, y_hat", [(ONES, COLUMN), (COLUMN, ONES), (COLUMN, np.ones((4, 3)))], ids=np.shape
)
@pytest.mark.parametrize("what", BOTH)
@pytest.mark.parametrize("name", DENSE)
def test_targets_of_another_shape_are_refused(name, what, y, y_hat):
    """NumPy would compare all with all: a loss of 2.5 for perfect predictions, a gradient of shape (4, 4)."""
    with pytest.raises(ValueError) as error:
        getattr(losses, name + what)(y, y_hat)
    assert str(error.value) == f"y: expected shape {y_hat.shape}, that of y_hat; got {y.shape}"


ROWS = np.log([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]])


@pytest.mark.parametrize(
    "y, message",
    [
        ([-1, 0], "y: expected labels 0 to 2, got -1 to 0"),
        ([0, 3], "y: expected labels 0 to 2, got 0 to 3"),
        ([[0], [1]], "y: expected integers of shape (2,), got int64 of shape (2, 1)"),
        ([True, False], "y: expected integers of shape (2,), got bool of shape (2,)"),
        ([0.0, 1.0], "y: expected integers of shape (2,), got float64 of shape (2,)"),
        ([0], "y: expected integers of shape (2,), got int64 of shape (1,)"),
    ],
)
@pytest.mark.parametrize("from_logits", [False, True], ids=FROM)
@pytest.mark.parametrize("what", BOTH)
def test_labels_that_are_none_are_refused(what, from_logits, y, message):
    """Keras raises for −1 too; NumPy would take the last class."""
    with pytest.raises(ValueError) as error:
        getattr(losses, f"sparse_categorical_crossentropy{what}")(np.array(y), ROWS, from_logits)
    assert str(error.value) == message


@pytest.mark.parametrize("name", KERAS)
@pytest.mark.parametrize("what", BOTH)
def test_single_numbers_are_refused(name, what):
    with pytest.raises(ValueError, match="^y_hat: expected shape .*, got a single number$"):
        getattr(losses, name + what)(0, 1.0)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "bool"])
@pytest.mark.parametrize("what", BOTH)
@pytest.mark.parametrize("name", DENSE)
def test_integers_are_computed_in_floats(name, what, dtype):
    """200 − 100 squared is 16 in uint8, and −100 is 156."""
    y, y_hat = np.array([[0, 1, 1], [1, 0, 1]]), np.array([[100, 0, 27], [1, 1, 0]])
    f = getattr(losses, name + what)
    expected = f(y.astype(float), y_hat.astype(dtype).astype(float))
    agree(name, f(y.astype(dtype), y_hat.astype(dtype)), expected, atol=1e-15)
    assert f(y, np.float32(y_hat)).dtype == np.float32, "integers follow the floats beside them, as in Keras"


def test_squared_errors_of_photographs():
    assert losses.mean_squared_error(np.uint8([[200]]), np.uint8([[100]])) == 10_000


@pytest.mark.parametrize("name", CROSSENTROPIES)
def test_float16_has_no_room_for_epsilon_and_is_computed_in_float32(name):
    """1 − 1e-7 is 1 in float16, and 0 · log 0 is NaN."""
    y, p = np.float16([[1, 0], [0, 1]]), np.float16([[1, 0], [0.25, 0.75]])
    y = np.array([0, 1]) if name.startswith("sparse") else y
    for what in BOTH:
        f = getattr(losses, name + what)
        assert f(y, p).dtype == np.float32
        agree(name, f(y, p), f(y, p.astype("float32")), atol=1e-6)


def test_lists_are_taken_as_arrays():
    assert losses.mean_squared_error([[1.0], [2.0]], [[2.0], [4.0]]) == 2.5
