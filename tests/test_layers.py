"""Layers against Keras with copied weights, and their gradients against measured slopes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from twice.checks import Disagreement, agree, check_gradient, copy_weights
from twice.layers import ACTIVATIONS, Activation, BatchNormalization, Dense, Dropout, Flatten

# float32 carries seven digits; sums of a few products, added in another order, keep five of them.
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
DTYPES = sorted(TOLERANCE)
SHAPES = [(1, 1), (6, 3), (3, 6), (5, 40)]
CHANNELS = [(8, 3), (4, 5, 3), (3, 4, 2, 5)]


pytestmark = pytest.mark.usefixtures("float64")


def draw(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def rng(seed=0):
    return np.random.default_rng(seed)


def both_ways(layer, theirs, x, training=False, seed=9):
    """The output of both layers, and the gradients of Σ weight · output, ∂x first."""
    a = layer.forward(x, training)
    weight = draw(a.shape, a.dtype, seed)
    x_var = tf.Variable(x)
    with tf.GradientTape() as tape:
        out = theirs(x_var, training=training)
        loss = tf.reduce_sum(out * weight)
    dx = layer.backward(weight)
    return (a, [dx, *layer.grads]), (out, tape.gradient(loss, [x_var, *theirs.trainable_variables]))


def agree_both_ways(layer, theirs, x, training=False):
    (a, ours), (out, slopes) = both_ways(layer, theirs, x, training)
    atol = TOLERANCE[str(x.dtype)]
    assert str(a.dtype) == str(x.dtype), "the layer changed the dtype"
    assert len(ours) == len(slopes)
    agree("output", a, out, atol=atol)
    for name, mine, other in zip(["dx", "first", "second"], ours, slopes, strict=False):
        assert mine.dtype == x.dtype
        agree(name, mine, other, atol=atol)


def check_all_gradients(layer, x, training=False):
    """Measure the slopes of Σ weight · output along the input and along every parameter."""
    weight = draw(layer.forward(x, training).shape, seed=7)
    dx = layer.backward(weight)
    check_gradient("dx", lambda x: (weight * layer.forward(x, training)).sum(), x, dx)
    for i, (w, dw) in enumerate(zip(layer.params, [g.copy() for g in layer.grads], strict=True)):

        def loss(value, w=w):
            before = w.copy()
            w[...] = value
            result = (weight * layer.forward(x, training)).sum()
            w[...] = before
            return result

        check_gradient(f"parameter {i}", loss, w.copy(), dw)


# ---------------------------------------------------------------------------- the same as Keras


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("activation", [None, *ACTIVATIONS])
def test_dense_is_keras(activation, use_bias, shape, dtype):
    layer = Dense(4, activation, use_bias, dtype=dtype, rng=rng())
    theirs = keras.layers.Dense(4, activation=activation, use_bias=use_bias, dtype=dtype)
    layer.build(shape)
    layer.b += draw(4, dtype, seed=3) * use_bias
    copy_weights(layer.params, theirs)
    agree_both_ways(layer, theirs, draw(shape, dtype, seed=1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1, 5), (4, 3), (2, 3, 4), (2, 2, 3, 5)], ids=str)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_is_keras(activation, shape, dtype):
    agree_both_ways(
        Activation(activation), keras.layers.Activation(activation, dtype=dtype), draw(shape, dtype)
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (2, 3, 4, 2)], ids=str)
def test_flatten_is_keras(shape, dtype):
    agree_both_ways(Flatten(), keras.layers.Flatten(dtype=dtype), draw(shape, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", CHANNELS, ids=str)
@pytest.mark.parametrize("momentum, epsilon", [(0.99, 1e-3), (0.5, 1e-5)])
def test_batch_normalization_is_keras_through_five_steps_and_after(momentum, epsilon, shape, dtype):
    layer = BatchNormalization(momentum, epsilon, dtype)
    theirs = keras.layers.BatchNormalization(momentum=momentum, epsilon=epsilon, dtype=dtype)
    layer.build(shape)
    layer.gamma += draw(shape[-1], dtype, seed=1)
    layer.beta += draw(shape[-1], dtype, seed=2)
    theirs.build(shape)
    copy_weights([*layer.params, *layer.state], theirs)
    for step in range(5):
        agree_both_ways(layer, theirs, 2 + 3 * draw(shape, dtype, seed=step), training=True)
        for name, mine in zip(["moving_mean", "moving_variance"], layer.state, strict=True):
            agree(name, mine, getattr(theirs, name), atol=TOLERANCE[dtype])
    agree_both_ways(layer, theirs, draw(shape, dtype, seed=6), training=False)
    agree("outside training nothing moves", layer.moving_mean, theirs.moving_mean, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9])
def test_dropout_is_keras_for_the_same_mask(rate, dtype):
    x = draw((50, 40), dtype)
    layer, theirs = Dropout(rate, rng=rng()), keras.layers.Dropout(rate, seed=1, dtype=dtype)
    x_var = tf.Variable(x)
    with tf.GradientTape() as tape:
        out = theirs(x_var, training=True)
        loss = tf.reduce_sum(out * x)
    layer.forward(x, training=True)
    atol = TOLERANCE[dtype]
    agree("values of the mask", np.unique(layer.mask), np.unique(abs((out / x).numpy().round(4))), atol=1e-4)
    layer.mask = (out.numpy() != 0).astype(dtype) / (1 - rate)
    agree("output", x * layer.mask, out, atol=atol)
    agree("dx", layer.backward(x), tape.gradient(loss, x_var), atol=atol)


# ---------------------------------------------------------------------------- slopes


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("shape", [(4, 3), (2, 30)], ids=str)
def test_dense_gradients(activation, shape):
    check_all_gradients(Dense(5, activation, rng=rng()), draw(shape, seed=1))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activation_gradients(activation):
    check_all_gradients(Activation(activation), draw((3, 4), seed=1))


def test_flatten_gradient():
    check_all_gradients(Flatten(), draw((2, 3, 4)))


@pytest.mark.parametrize("training", [True, False], ids=["training", "after"])
@pytest.mark.parametrize("shape", CHANNELS, ids=str)
def test_batch_normalization_gradients(shape, training):
    layer = BatchNormalization()
    layer.forward(draw(shape), training=True)  # moves the averages away from where they start
    layer.gamma += draw(shape[-1], seed=1)
    check_all_gradients(layer, 1 + 2 * draw(shape, seed=2), training)


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.8])
def test_dropout_gradient(rate):
    class SameMask(Dropout):
        def forward(self, x, training=False):
            self.rng = rng()
            return super().forward(x, training)

    check_all_gradients(SameMask(rate, rng=rng()), draw((5, 4)), training=True)


# ---------------------------------------------------------------------------- the checks can fail


class OutputNotNegative(Activation):
    """ReLU's derivative taken from its output with ≥: 1 everywhere."""

    def backward(self, da):
        return da * (self.f(self.z) >= 0)


class DiagonalSoftmax(Activation):
    def backward(self, da):
        a = self.f(self.z)
        return da * a * (1 - a)


class LostTranspose(Dense):
    def backward_logits(self, dz):
        super().backward_logits(dz)
        return dz @ self.W


class MeanBias(Dense):
    def backward_logits(self, dz):
        dx = super().backward_logits(dz)
        self.db = dz.mean(axis=0)
        return dx


class NoMeanTerm(BatchNormalization):
    def backward(self, da):
        super().backward(da)
        g = da * self.gamma
        return (g - self.x_hat * (g * self.x_hat).mean(self.axes)) / self.std


class NoVarianceTerm(BatchNormalization):
    def backward(self, da):
        super().backward(da)
        g = da * self.gamma
        return (g - g.mean(self.axes)) / self.std


class NoFactor(Dropout):
    def backward(self, da):
        return da * (self.mask > 0)


class SampleVariance(BatchNormalization):
    """Divides by one value less than there are."""

    def forward(self, x, training=False):
        a = super().forward(x, training)
        m = x.size // x.shape[-1]
        return a * np.sqrt((m - 1) / m) if training else a


@pytest.mark.parametrize(
    "layer",
    [
        OutputNotNegative("relu"),
        DiagonalSoftmax("softmax"),
        LostTranspose(4, rng=rng()),
        MeanBias(4, rng=rng()),
        NoMeanTerm(),
        NoVarianceTerm(),
        SampleVariance(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_wrong_layers_are_rejected(layer):
    x = draw((6, 4), seed=1)
    layer.forward(x)
    right = {
        Activation: lambda: keras.layers.Activation(layer.activation, dtype="float64"),
        Dense: lambda: keras.layers.Dense(4, dtype="float64"),
        BatchNormalization: lambda: keras.layers.BatchNormalization(dtype="float64"),
    }[type(layer).__base__]()
    right(x)
    if layer.params:
        copy_weights([*layer.params, *layer.state], right)
    with pytest.raises(Disagreement):
        agree_both_ways(layer, right, x, training=True)
    if not isinstance(layer, SampleVariance):  # whose slopes are those of another function, but right
        with pytest.raises(Disagreement):
            check_all_gradients(layer, x, training=True)


def test_dropout_without_its_factor_is_rejected():
    layer, x = NoFactor(0.5, rng=rng()), draw((4, 3))
    weight = draw((4, 3), seed=1)
    layer.forward(x, training=True)
    with pytest.raises(Disagreement):
        check_gradient("dx", lambda x: (weight * x * layer.mask).sum(), x, layer.backward(weight))


# ---------------------------------------------------------------------------- behaviour


def test_shapes_and_dtypes_come_with_the_first_batch():
    layer = Dense(7, "relu", dtype="float32", rng=rng())
    assert layer.W is None
    assert layer.forward(draw((5, 3))).dtype == np.float32  # as Keras, inputs are converted
    assert [w.shape for w in layer.params] == [(3, 7), (7,)]
    assert all(w.dtype == np.float32 for w in layer.params)


def test_the_same_generator_gives_the_same_weights():
    a, b, c = (Dense(3, rng=rng(seed)) for seed in (1, 1, 2))
    for layer in (a, b, c):
        layer.build((None, 4))
    assert (a.W == b.W).all() and (a.W != c.W).any()


def test_an_initializer_may_be_the_readers_own():
    layer = Dense(3, kernel_initializer=lambda shape, rng: np.full(shape, 2.0), rng=rng())
    layer.build((None, 4))
    assert (layer.W == 2).all()


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_silences_its_fraction_and_keeps_the_expected_value(rate):
    n, layer = 200_000, Dropout(rate, rng=rng())
    a = layer.forward(np.ones(n), training=True)
    deviation = np.sqrt(rate * (1 - rate) / n)
    assert abs((a == 0).mean() - rate) < 5 * deviation
    assert abs(a.mean() - 1) < 5 * deviation / (1 - rate)
    assert (layer.forward(np.ones(n), training=True) != a).any(), "a new mask for each batch"


@pytest.mark.parametrize("dtype", DTYPES)
def test_outside_training_dropout_does_nothing(dtype):
    layer, x = Dropout(0.9, rng=rng()), draw((3, 4), dtype)
    layer.forward(x, training=True)
    assert (layer.forward(x) == x).all() and layer.forward(x).dtype == dtype
    assert (layer.backward(x) == x).all()


def test_batch_normalization_gives_mean_0_and_variance_1():
    layer = BatchNormalization(epsilon=1e-12)
    a = layer.forward(5 + 3 * draw((50, 4, 2)), training=True)
    agree("mean", a.mean((0, 1)), np.zeros(2))
    agree("variance", a.var((0, 1)), np.ones(2))


def test_constant_channels_are_not_divided_by_0():
    layer = BatchNormalization()
    with np.errstate(all="raise"):
        assert (layer.forward(np.full((4, 2), 7.0), training=True) == 0).all()
        assert np.isfinite(layer.backward(np.ones((4, 2)))).all()


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: Dense(0, rng=rng()), "units: expected a positive integer, got 0"),
        (lambda: Dense(2.5, rng=rng()), "units: expected a positive integer, got 2.5"),
        (lambda: Dense(True, rng=rng()), "units: expected a positive integer, got True"),
        (lambda: Dense(3, "rleu", rng=rng()), "activation: expected one of linear, relu, .*; got 'rleu'"),
        (lambda: Dense(3, kernel_initializer="he", rng=rng()), "kernel_initializer: expected one of zeros, "),
        (
            lambda: Dense(3, dtype="float16", rng=rng()),
            "dtype: expected 'float32' or 'float64', got 'float16'",
        ),
        (lambda: Dense(3, rng=42), "rng: expected a generator .*, got 42"),
        (
            lambda: Dense(3, rng=rng()).forward(np.ones((2, 3, 4))),
            r"x: expected shape \(n, d\), got \(2, 3, 4\)",
        ),
        (lambda: Dense(3, rng=rng()).forward(np.ones(3)), r"x: expected shape \(n, d\), got \(3,\)"),
        (lambda: Dropout(1.0, rng=rng()), "rate: expected a number from 0 to below 1, got 1.0"),
        (lambda: Dropout(-0.1, rng=rng()), "rate: expected a number from 0 to below 1, got -0.1"),
        (lambda: Dropout("0.5", rng=rng()), "rate: expected a number from 0 to below 1, got '0.5'"),
        (lambda: BatchNormalization(momentum=1.5), "momentum: expected a number from 0 to below 1, got 1.5"),
        (lambda: BatchNormalization(epsilon=float("nan")), "epsilon: expected a number from 0 .*, got nan"),
        (lambda: BatchNormalization(dtype=int), "dtype: expected 'float32' or 'float64', got <class 'int'>"),
        (lambda: Dropout(True, rng=rng()), "rate: expected a number from 0 to below 1, got True"),
        (lambda: Activation(np.tanh), "activation: expected one of linear, relu, .*; got <ufunc 'tanh'>"),
        (lambda: Dense(3, np.tanh, rng=rng()), "activation: expected one of linear, .*; got <ufunc 'tanh'>"),
        (lambda: Dense(3, kernel_initializer=[], rng=rng()), r"kernel_initializer: expected .*; got \[\]"),
        (lambda: Dense(3, rng=rng()).forward(np.ones((0, 4))), r"x: expected shape \(n, d\), got \(0, 4\)"),
        (lambda: Dense(3, rng=rng()).forward([["a"]]), "x: expected numbers, got list of dtype <U1"),
        (lambda: BatchNormalization().forward(np.ones(3)), r"x: expected shape \(n, d\), got \(3,\)"),
    ],
)
def test_wrong_arguments_are_named(make, name):
    with pytest.raises((ValueError, TypeError), match=f"^{name}"):
        make()


@pytest.mark.parametrize(
    "shape, expected",
    [
        ((4, 2), "(n, 3), which the layer was built for; got (4, 2)"),
        ((4, 1), "(n, 3), which the layer was built for; got (4, 1)"),
        ((2, 2, 3), "(n, 3), which the layer was built for; got (2, 2, 3)"),
        ((3,), "(n, d), got (3,)"),
        ((0, 3), "(n, d), got (0, 3)"),
    ],
)
def test_a_built_dense_layer_refuses_what_does_not_fit_its_weights(shape, expected):
    layer = Dense(5, rng=rng())
    layer.forward(np.ones((4, 3)))
    with pytest.raises(ValueError) as error:
        layer.forward(np.ones(shape))
    assert str(error.value) == f"x: expected shape {expected}"


@pytest.mark.parametrize("shape", [(4, 1), (4, 2), (2, 2, 2, 1), (0, 3)], ids=str)
def test_batch_normalization_refuses_other_channels_and_keeps_its_averages(shape):
    """One channel would be stretched to three, and an empty batch would make the averages NaN."""
    layer = BatchNormalization()
    layer.forward(draw((4, 3)), training=True)
    before = [w.copy() for w in layer.state]
    with pytest.raises(ValueError, match=r"^x: expected shape \(n, (…, 3|d)\)"):
        layer.forward(np.ones(shape), training=True)
    for w, kept in zip(layer.state, before, strict=True):
        assert (w == kept).all()


@pytest.mark.parametrize("training", [True, False])
def test_arguments_that_numpy_made_promote_nothing(training):
    """np.float64(0.5) times float32 is float64."""
    x = draw((4, 3), "float32")
    assert Dropout(np.float64(0.5), rng=rng()).forward(x, training).dtype == np.float32
    layer = BatchNormalization(np.float64(0.9), np.float64(1e-3), "float32")
    assert layer.forward(x, training).dtype == np.float32


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_take_integers(activation):
    layer, z = Activation(activation), np.uint8([[0, 1, 200]])
    floats = Activation(activation)
    agree("a", layer.forward(z), floats.forward(z.astype(float)))
    agree("dz", layer.backward(np.ones((1, 3))), floats.backward(np.ones((1, 3))))
