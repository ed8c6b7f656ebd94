"""Initializers: their limits and spreads against Keras's, SciPy's and the formulas'."""

import keras
import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from twice import initializers
from twice.initializers import INITIALIZERS, TRUNCATED_STD, fans, glorot_uniform, he_normal, truncated_normal

KERNELS = [(784, 128), (40, 700), (300, 5), (3, 3, 16, 32), (5, 5, 3, 64)]
THEIRS = {"glorot_uniform": keras.initializers.GlorotUniform, "he_normal": keras.initializers.HeNormal}
P = 1e-6  # a right sampler fails a test of distribution once in a million; the seeds are fixed


def rng(seed=0):
    return np.random.default_rng(seed)


def limit(name, shape):
    """The largest weight there can be."""
    fan_in, fan_out = fans(shape)
    return {
        "glorot_uniform": np.sqrt(6 / (fan_in + fan_out)),
        "he_normal": 2 * np.sqrt(2 / fan_in) / TRUNCATED_STD,
    }[name]


def law(name, shape):
    """The distribution that the weights should have."""
    edge = limit(name, shape)
    if name == "glorot_uniform":
        return scipy.stats.uniform(-edge, 2 * edge)
    return scipy.stats.truncnorm(-2, 2, scale=edge / 2)


@pytest.mark.parametrize("shape", KERNELS, ids=str)
@pytest.mark.parametrize("maker", ["ours", "theirs"])
@pytest.mark.parametrize("name", THEIRS)
def test_both_makers_draw_from_the_stated_law(name, maker, shape):
    W = (
        INITIALIZERS[name](shape, rng(1))
        if maker == "ours"
        else np.array(THEIRS[name](seed=1)(shape, "float64"))
    )
    assert W.shape == shape
    assert np.abs(W).max() <= limit(name, shape)
    assert scipy.stats.kstest(W.ravel(), law(name, shape).cdf).pvalue > P


@pytest.mark.parametrize("shape", KERNELS, ids=str)
@pytest.mark.parametrize("name", THEIRS)
def test_the_two_makers_cannot_be_told_apart(name, shape):
    ours, theirs = INITIALIZERS[name](shape, rng()), np.array(THEIRS[name](seed=2)(shape, "float64"))
    assert scipy.stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > P


@pytest.mark.parametrize("shape", KERNELS, ids=str)
@pytest.mark.parametrize("name, scale", [("glorot_uniform", "average"), ("he_normal", "fan_in")])
def test_mean_and_variance(name, scale, shape):
    W = INITIALIZERS[name](shape, rng(3))
    fan_in, fan_out = fans(shape)
    variance = 2 / (fan_in + fan_out) if scale == "average" else 2 / fan_in
    assert law(name, shape).var() == pytest.approx(variance, rel=1e-12)
    assert abs(W.mean()) < 5 * np.sqrt(variance / W.size)
    assert W.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / W.size))


@pytest.mark.parametrize(
    "shape, expected", [((784, 128), (784, 128)), ((3, 3, 16, 32), (144, 288)), ((5, 1, 2), (5, 10))]
)
def test_fans(shape, expected):
    assert fans(shape) == expected


def test_the_constant_of_truncation():
    assert scipy.stats.truncnorm(-2, 2).std() == pytest.approx(TRUNCATED_STD, rel=1e-14)
    phi, Phi = scipy.stats.norm.pdf(2), scipy.stats.norm.cdf(2)
    assert np.sqrt(1 - 4 * phi / (2 * Phi - 1)) == pytest.approx(TRUNCATED_STD, rel=1e-14)


@pytest.mark.parametrize("wrong", ["no truncation", "no correction", "paper's variance", "clipped"])
def test_wrong_samplers_are_told_apart(wrong):
    shape = (784, 128)
    std = np.sqrt(2 / 784)
    W = {
        "no truncation": std * rng().normal(size=shape),
        "no correction": std * truncated_normal(shape, rng()),
        "paper's variance": glorot_uniform(shape, rng()),
        "clipped": std / TRUNCATED_STD * rng().normal(size=shape).clip(-2, 2),
    }[wrong]
    assert scipy.stats.kstest(W.ravel(), law("he_normal", shape).cdf).pvalue < P


@given(st.lists(st.integers(1, 8), min_size=2, max_size=4).map(tuple), st.integers(0, 2**32 - 1))
def test_shapes_limits_and_seeds(shape, seed):
    for name in THEIRS:
        W = INITIALIZERS[name](shape, rng(seed))
        assert W.shape == shape and W.dtype == np.float64
        assert np.abs(W).max() <= limit(name, shape)
        assert np.array_equal(W, INITIALIZERS[name](shape, rng(seed)))


@pytest.mark.parametrize(
    "shape", [(1, 1), (5, 5), (7, 3), (3, 7), (4, 16), (2, 3, 4), (3, 3, 2, 40)], ids=str
)
def test_orthogonal_is_what_it_says(shape):
    W = INITIALIZERS["orthogonal"](shape, rng(1))
    assert W.shape == shape and np.array_equal(W, INITIALIZERS["orthogonal"](shape, rng(1)))
    for M in (W, np.array(keras.initializers.Orthogonal(seed=1)(shape, "float64"))):
        M = M.reshape(-1, shape[-1])
        M = M if len(M) >= len(M.T) else M.T
        assert np.abs(M.T @ M - np.eye(len(M.T))).max() < 1e-6


@pytest.mark.parametrize("n", [1, 2, 3])
def test_all_rotations_and_reflections_are_equally_likely(n):
    """So no entry leans to one sign: each has the mean 0 and the variance 1/n."""
    draws = np.array([INITIALIZERS["orthogonal"]((n, n), rng(seed)) for seed in range(2000)])
    assert np.abs(draws.mean(axis=0)).max() < 5 / np.sqrt(n * 2000)
    assert np.abs((draws**2).mean(axis=0) - 1 / n).max() < 5 / np.sqrt(2000)
    assert abs((np.linalg.det(draws) > 0).mean() - 0.5) < 5 * 0.5 / np.sqrt(2000)
    plain = np.array([np.linalg.qr(rng(seed).normal(size=(n, n)))[0] for seed in range(2000)])
    assert np.abs(plain.mean(axis=0)).max() > 0.2, "the signs that QR leaves would lean"


def test_uniform_is_kerass():
    W, theirs = INITIALIZERS["uniform"]((200, 50), rng()), keras.initializers.get("uniform")((200, 50))
    for w in (W, np.array(theirs)):
        assert np.abs(w).max() <= 0.05 and scipy.stats.kstest(w.ravel(), "uniform", (-0.05, 0.1)).pvalue > P


def test_zeros():
    assert (initializers.zeros((3, 4)) == 0).all() and initializers.zeros((3, 4)).shape == (3, 4)


def test_he_keeps_the_size_of_a_signal_through_twenty_relu_layers_and_glorot_that_of_a_linear_one():
    x = rng().normal(size=(200, 500))
    relu_he, linear_glorot, relu_glorot = x, x, x
    for seed in range(20):
        relu_he = np.maximum(relu_he @ he_normal((500, 500), rng(seed)), 0)
        linear_glorot = linear_glorot @ glorot_uniform((500, 500), rng(seed))
        relu_glorot = np.maximum(relu_glorot @ glorot_uniform((500, 500), rng(seed)), 0)
    assert 0.3 < (relu_he**2).mean() < 3
    assert 0.3 < (linear_glorot**2).mean() < 3
    assert (relu_glorot**2).mean() < 1e-4  # loses half in every layer
