"""Squared error, its gradient and R² against Keras and scikit-learn; chapter 2's exercises against theirs."""

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import LeaveOneOut, cross_val_predict

from twice.checks import agree, check_gradient, rejects
from twice.exercises import linear_regression as exercises
from twice.losses import mean_squared_error, mean_squared_error_gradient
from twice.metrics import r2_score

SHAPES = [(1, 1), (2, 1), (7, 1), (250, 1), (5, 3), (2, 8), (40, 2), (3, 4, 2), (2, 3, 5, 1)]
TABLES = [(2, 1), (3, 1), (250, 1), (5, 3), (12, 8)]
SCALES = [1e-3, 1.0, 4000.0]  # kilograms to grams, so to speak


pytestmark = pytest.mark.usefixtures("float64")


def pair(shape, scale=1.0):
    """Targets and predictions."""
    return scale * np.random.default_rng(2).normal(size=(2, *shape))


def features(n, d):
    """Raw features, far from zero and of different spreads, and targets."""
    rng = np.random.default_rng([n, d])
    x = rng.normal(size=(n, d)) * (1 + np.arange(d)) + 5
    return x, x.sum(axis=1, keepdims=True) - 2 + rng.normal(size=(n, 1))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_loss_and_gradient_are_keras(shape, scale):
    y, y_hat = pair(shape, scale)
    variable = tf.Variable(y_hat)
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanSquaredError()(y, variable)
    agree("loss", mean_squared_error(y, y_hat), loss, atol=1e-14)
    agree("∂L/∂ŷ", mean_squared_error_gradient(y, y_hat), tape.gradient(loss, variable), atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradient_is_the_measured_slope(shape):
    y, y_hat = pair(shape)
    gradient = mean_squared_error_gradient(y, y_hat)
    check_gradient("∂L/∂ŷ", lambda a: mean_squared_error(y, a), y_hat, gradient)


@pytest.mark.parametrize("wrong", [0.5, 2.0, -1.0, 1.0005])
def test_a_wrong_factor_in_the_gradient_is_seen(wrong):
    y, y_hat = pair((6, 1))
    gradient = wrong * mean_squared_error_gradient(y, y_hat)
    with rejects():
        check_gradient("∂L/∂ŷ", lambda a: mean_squared_error(y, a), y_hat, gradient)


@pytest.mark.parametrize("shape", TABLES, ids=str)
def test_loss_is_scikit_learns(shape):
    y, y_hat = pair(shape)
    agree("loss", mean_squared_error(y, y_hat), sklearn.metrics.mean_squared_error(y, y_hat), atol=1e-14)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("shape", TABLES, ids=str)
def test_r2_is_keras_and_scikit_learns(shape, scale):
    y, y_hat = pair(shape, scale)
    theirs = keras.metrics.R2Score()
    theirs.update_state(y, y_hat)
    agree("R², Keras", r2_score(y, y_hat), theirs.result(), atol=1e-11)
    agree("R², scikit-learn", r2_score(y, y_hat), sklearn.metrics.r2_score(y, y_hat), atol=1e-12)


def test_r2_is_undefined_for_a_constant_target():
    y, y_hat = np.ones((4, 1)), np.arange(4.0)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        assert r2_score(y, y_hat) == -np.inf
        assert np.isnan(r2_score(y, y))


seeds, factors = st.integers(0, 2**32 - 1), st.floats(0.01, 100)


@given(seed=seeds, factor=factors, shift=st.floats(-100, 100))
def test_r2_knows_no_unit(seed, factor, shift):
    y, y_hat = np.random.default_rng(seed).normal(size=(2, 9, 2))
    moved = r2_score(factor * y + shift, factor * y_hat + shift)
    np.testing.assert_allclose(moved, r2_score(y, y_hat), rtol=1e-6)


@given(seed=seeds)
def test_r2_of_the_mean_is_0_and_of_the_truth_1(seed):
    y = np.random.default_rng(seed).normal(size=(9, 3))
    assert r2_score(y, y) == 1
    assert abs(r2_score(y, np.broadcast_to(y.mean(axis=0), y.shape))) < 1e-12


@given(seed=seeds, d=st.integers(1, 4))
def test_r2_of_a_least_squares_fit_is_its_squared_correlation(seed, d):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(12, d)), rng.normal(size=(12, 1))
    y_hat = LinearRegression().fit(x, y).predict(x)
    correlation = np.corrcoef(y[:, 0], y_hat[:, 0])[0, 1]
    np.testing.assert_allclose(r2_score(y, y_hat), correlation**2, atol=1e-9)


@given(seed=seeds, factor=factors)
def test_loss_grows_with_the_square_of_the_unit_and_its_gradient_with_the_unit(seed, factor):
    y, y_hat = np.random.default_rng(seed).normal(size=(2, 6, 2))
    loss, gradient = mean_squared_error(y, y_hat), mean_squared_error_gradient(y, y_hat)
    np.testing.assert_allclose(mean_squared_error(factor * y, factor * y_hat), factor**2 * loss)
    np.testing.assert_allclose(mean_squared_error_gradient(factor * y, factor * y_hat), factor * gradient)


@pytest.mark.parametrize(("n", "d"), [(5, 1), (8, 2), (30, 4)])
def test_unstandardised_weights_are_those_of_the_raw_fit(n, d):
    x, y = features(n, d)
    mean, std = x.mean(axis=0), x.std(axis=0)
    standardised, raw = LinearRegression().fit((x - mean) / std, y), LinearRegression().fit(x, y)
    W, b = exercises.unstandardise(standardised.coef_.T, standardised.intercept_, mean, std)
    agree("W", W, raw.coef_.T, atol=1e-9)
    agree("b", b, raw.intercept_, atol=1e-9)


@pytest.mark.parametrize(("n", "d"), [(5, 1), (8, 2), (30, 4)])
@pytest.mark.parametrize(("share", "arrives"), [(0.99, True), (1.01, False)])
def test_largest_rate_is_where_keras_stops_arriving(n, d, share, arrives):
    x, y = features(n, d)
    dense = keras.layers.Dense(1, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((d,)), dense])
    model.compile(keras.optimizers.SGD(share * exercises.largest_rate(x)), loss="mean_squared_error")
    first, *_, last = [model.train_on_batch(x, y) for _ in range(400)]
    assert (last < first) == arrives


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_absolute_error_gradient_is_keras(shape):
    y, y_hat = pair(shape)
    y.flat[0] = y_hat.flat[0]  # a tie
    variable = tf.Variable(y_hat)
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanAbsoluteError()(y, variable)
    agree("∂L/∂ŷ", exercises.absolute_error_gradient(y, y_hat), tape.gradient(loss, variable))


@pytest.mark.parametrize("penalty", [0.001, 0.5, 20.0])
@pytest.mark.parametrize(("n", "d"), [(5, 1), (8, 2), (30, 4)])
def test_ridge_is_scikit_learns_and_the_bottom_of_keras_penalised_loss(n, d, penalty):
    x, y = features(n, d)
    W, b = exercises.ridge(x, y, penalty)
    theirs = Ridge(alpha=n * penalty).fit(x, y)
    agree("W", W, theirs.coef_.reshape(-1, 1))
    agree("b", b, theirs.intercept_.reshape(-1))
    dense = keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(np.float64(penalty)))
    dense.build((None, d))
    dense.set_weights([W, b])
    with tf.GradientTape() as tape:
        loss = keras.losses.MeanSquaredError()(y, dense(x)) + sum(dense.losses)
    for slope in tape.gradient(loss, dense.trainable_variables):
        agree("no slope", slope, np.zeros(slope.shape), atol=1e-9)


@pytest.mark.parametrize(("n", "d"), [(5, 1), (8, 2), (30, 4)])
def test_leave_one_out_is_scikit_learns(n, d):
    x, y = features(n, d)
    predicted = cross_val_predict(LinearRegression(), x, y, cv=LeaveOneOut())
    agree("y − ŷ", exercises.leave_one_out(x, y), y - predicted, atol=1e-9)
