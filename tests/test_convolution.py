"""Convolution and pooling against Keras, SciPy, loops over every pixel, and measured slopes."""

import ast
from itertools import product

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from notebooks import BOOK, ROOT, code_cells, read, syntax
from reading import definitions, parsed
from scipy.signal import correlate

from twice.checks import agree, check_gradient, copy_weights
from twice.convolution import (
    AveragePooling2D,
    Conv2D,
    DepthwiseConv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    average_pool2d,
    average_pool2d_gradient,
    blank,
    borders,
    conv2d,
    conv2d_input_gradient,
    conv2d_kernel_gradient,
    depthwise_conv2d,
    depthwise_conv2d_input_gradient,
    depthwise_conv2d_kernel_gradient,
    in_rows,
    max_pool2d,
    max_pool2d_gradient,
    pair,
    pixels,
    reach,
    windows,
)
from twice.layers import ACTIVATIONS, Dense, Flatten
from twice.models import Sequential
from twice.optimizers import SGD

# float32 carries seven digits; sums of a few hundred products, added in another order, keep five of them.
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
KERNELS = [1, 2, 3, (2, 5)]
WAYS = [(1, 1), (2, 1), (3, 1), ((2, 3), 1), (1, 2), (1, 3), (1, (3, 2))]  # strides, dilation rate
PADDINGS = ["valid", "same"]
SIZES = [(13, 13), (14, 14), (13, 16)]
POOLS = [(2, None), (3, None), (2, 1), (3, 2), (2, 3), ((2, 3), None), ((3, 2), (1, 2))]  # size, strides


pytestmark = pytest.mark.usefixtures("float64")


def draw(shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def steps(shape, seed=0):
    """Images of few different numbers, so that the windows are full of ties."""
    return np.random.default_rng(seed).integers(0, 3, size=shape).astype(float)


def rng(seed=0):
    return np.random.default_rng(seed)


def agree_both_ways(layer, theirs, x):
    """Compare the outputs and the gradients of Σ weight · output."""
    layer.forward(x)
    if layer.params:
        layer.b += draw(layer.b.shape, layer.dtype, seed=3) * layer.use_bias
        copy_weights(layer.params, theirs)
    a = layer.forward(x)
    weight, x_var = draw(a.shape, a.dtype, seed=9), tf.Variable(x)
    with tf.GradientTape() as tape:
        out = theirs(x_var)
        loss = tf.reduce_sum(out * weight)
    slopes = tape.gradient(loss, [x_var, *theirs.trainable_variables])
    atol = TOLERANCE[str(x.dtype)]
    agree("output", a, out, atol=atol)
    ours = [layer.backward(weight), *layer.grads]
    for name, mine, other in zip(["dx", "dW", "db"][: len(slopes)], ours, slopes, strict=True):
        assert mine.dtype == x.dtype
        agree(name, mine, other, atol=atol)


# ---------------------------------------------------------------------------- the same as Keras


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("strides, dilation_rate", WAYS, ids=str)
@pytest.mark.parametrize("kernel_size", KERNELS, ids=str)
def test_conv2d_is_keras(kernel_size, strides, dilation_rate, padding, size):
    way = {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}
    layer, theirs = Conv2D(4, kernel_size, **way, rng=rng()), keras.layers.Conv2D(4, kernel_size, **way)
    agree_both_ways(layer, theirs, draw((2, *size, 3), seed=1))


@pytest.mark.parametrize("size", SIZES[1:], ids=str)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("strides, dilation_rate", [w for w in WAYS if w[0] != (2, 3)], ids=str)
@pytest.mark.parametrize("kernel_size, multiplier", [(1, 1), (2, 2), (3, 1), (3, 2), ((2, 5), 3)], ids=str)
def test_depthwise_conv2d_is_keras(kernel_size, multiplier, strides, dilation_rate, padding, size):
    # TensorFlow's depthwise kernels know no pair of different strides; ours are compared with loops below.
    way = {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}
    way["depth_multiplier"] = multiplier
    layer, theirs = (
        DepthwiseConv2D(kernel_size, **way, rng=rng()),
        keras.layers.DepthwiseConv2D(kernel_size, **way),
    )
    agree_both_ways(layer, theirs, draw((2, *size, 3), seed=1))


@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
@pytest.mark.parametrize("use_bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("activation", [None, *ACTIVATIONS])
@pytest.mark.parametrize("name", ["Conv2D", "DepthwiseConv2D"])
def test_activation_bias_and_dtype_are_keras(name, activation, use_bias, dtype):
    ours = {"Conv2D": Conv2D, "DepthwiseConv2D": DepthwiseConv2D}[name]
    first = (5, 3) if name == "Conv2D" else (3,)
    options = {"activation": activation, "use_bias": use_bias, "dtype": dtype}
    layer = ours(*first, **options, rng=rng())
    agree_both_ways(layer, getattr(keras.layers, name)(*first, **options), draw((3, 8, 7, 2), dtype, seed=1))


@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (70, 5, 5, 40), (1, 40, 40, 90)], ids=str)
def test_small_and_large_batches_are_keras(shape, dtype):
    layer = Conv2D(7, 3, padding="same", dtype=dtype, rng=rng())
    agree_both_ways(layer, keras.layers.Conv2D(7, 3, padding="same", dtype=dtype), draw(shape, dtype, seed=1))
    pool = keras.layers.MaxPooling2D(3, padding="same", dtype=dtype)
    agree_both_ways(MaxPooling2D(3, padding="same"), pool, draw(shape, dtype, seed=1))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("pool_size, strides", POOLS, ids=str)
@pytest.mark.parametrize("images", [draw, steps], ids=["distinct", "ties"])
def test_max_pooling_is_keras(images, pool_size, strides, padding, size):
    theirs = keras.layers.MaxPooling2D(pool_size, strides, padding)
    agree_both_ways(MaxPooling2D(pool_size, strides, padding), theirs, images((2, *size, 3)))


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("pool_size, strides", POOLS, ids=str)
def test_average_pooling_is_keras(pool_size, strides, padding, size):
    theirs = keras.layers.AveragePooling2D(pool_size, strides, padding)
    agree_both_ways(AveragePooling2D(pool_size, strides, padding), theirs, draw((2, *size, 3)))


@pytest.mark.parametrize("dtype", sorted(TOLERANCE))
@pytest.mark.parametrize("name", ["MaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D"])
def test_pooling_keeps_the_dtype(name, dtype):
    ours = {f.__name__: f for f in (MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D)}[name]
    size = () if name.startswith("Global") else (2,)
    agree_both_ways(ours(*size), getattr(keras.layers, name)(*size, dtype=dtype), draw((3, 6, 7, 4), dtype))


def test_training_a_small_network_is_keras():
    """Ten steps of a network with every kind of layer, from the same weights on the same batches."""
    ours = Sequential(
        [
            Conv2D(4, 3, activation="relu", rng=rng(1)),
            MaxPooling2D(),
            DepthwiseConv2D(3, padding="same", activation="tanh", rng=rng(2)),
            AveragePooling2D(),
            Flatten(),
            Dense(5, "softmax", rng=rng(3)),
        ]
    )
    ours.build((None, 12, 12, 2))
    theirs = keras.Sequential(
        [
            keras.Input((12, 12, 2)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.DepthwiseConv2D(3, padding="same", activation="tanh"),
            keras.layers.AveragePooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(5, activation="softmax"),
        ]
    )
    theirs.set_weights(ours.weights)
    ours.compile(SGD(0.1), "sparse_categorical_crossentropy")
    theirs.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    x, y = draw((10, 8, 12, 12, 2)), np.random.default_rng(1).integers(5, size=(10, 8))
    losses = [
        (ours.train_on_batch(*batch)["loss"], theirs.train_on_batch(*batch))
        for batch in zip(x, y, strict=True)
    ]
    agree("losses", *np.transpose(losses))
    for mine, other in zip(ours.weights, theirs.get_weights(), strict=True):
        agree("weights after ten steps", mine, other)


# ---------------------------------------------------------------------------- other references


def pixel_loops(x, W, strides, dilation_rate):
    """The definition, number by number."""
    (sh, sw), (dh, dw), (kh, kw, c, f) = strides, dilation_rate, W.shape
    rows, columns = range(0, x.shape[1] - (kh - 1) * dh, sh), range(0, x.shape[2] - (kw - 1) * dw, sw)
    z = np.zeros((len(x), len(rows), len(columns), f))
    for (p, top), (q, left) in product(enumerate(rows), enumerate(columns)):
        for i, j, k in np.ndindex(kh, kw, c):
            z[:, p, q] += x[:, top + i * dh, left + j * dw, k, None] * W[i, j, k]
    return z


@pytest.mark.parametrize(
    "strides, dilation_rate", [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((2, 3), (3, 2))], ids=str
)
def test_conv2d_is_its_definition(strides, dilation_rate):
    x, W = draw((2, 9, 10, 3)), draw((3, 2, 3, 4), seed=1)
    agree("z", conv2d(x, W, strides, "valid", dilation_rate), pixel_loops(x, W, strides, dilation_rate))


@pytest.mark.parametrize("strides", [(1, 1), (2, 3)], ids=str)
def test_depthwise_conv2d_is_conv2d_channel_by_channel(strides):
    x, W = draw((2, 9, 10, 3)), draw((3, 2, 3, 4), seed=1)
    channels = [conv2d(x[..., [c]], W[:, :, [c]], strides) for c in range(3)]
    agree("z", depthwise_conv2d(x, W, strides), np.concatenate(channels, axis=3))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 3), (3, 7)], ids=str)
def test_conv2d_is_scipys_correlation(size, padding):
    x, W = draw((9, 10, 2)), draw((*size, 2, 3), seed=1)
    theirs = [sum(correlate(x[..., c], W[..., c, f], padding) for c in range(2)) for f in range(3)]
    agree("z", conv2d(x[None], W, padding=padding)[0], np.stack(theirs, axis=-1))


def test_the_input_gradient_is_a_full_convolution_with_the_kernel_flipped():
    dz, W = draw((6, 7)), draw((3, 4), seed=1)
    ours = conv2d_input_gradient(dz[None, ..., None], W[..., None, None], (1, 8, 10, 1))
    agree("dx", ours[0, ..., 0], correlate(dz, W[::-1, ::-1], "full"))


def test_of_equals_the_first_one_wins():
    x = np.zeros((1, 2, 4, 1))
    x[0, 1, 0], x[0, 0, 3], x[0, 1, 2] = 5, 5, 5  # a single winner; and two, in different rows
    a, winner = max_pool2d(x, 2, 2)
    assert a.ravel().tolist() == [5, 5] and winner.ravel().tolist() == [2, 1]
    dx = max_pool2d_gradient(winner, np.array([[[[1.0], [2.0]]]]), x.shape, 2, 2)
    assert dx[0, ..., 0].tolist() == [[0, 0, 0, 2], [1, 0, 0, 0]]


def test_padding_never_wins_and_counts_for_nothing():
    x = np.full((1, 3, 3, 1), -7.0)
    assert (max_pool2d(x, 2, 2, "same")[0] == -7).all()
    assert (average_pool2d(x, 2, 2, "same") == -7).all()
    assert pixels(x, 2, 2, "same")[0, ..., 0].tolist() == [[4, 2], [2, 1]]


def test_large_windows_have_room_for_their_winner():
    x = np.zeros((1, 20, 20, 1))
    x[0, 19, 19] = 1
    assert max_pool2d(x, 20, 20)[1].item() == 399


# ---------------------------------------------------------------------------- slopes


CASES = [((1, 1), "valid", 1), ((2, 2), "same", 1), ((1, 1), "same", 2)]


@pytest.mark.parametrize("way", CASES, ids=str)
@pytest.mark.parametrize(
    "f, dW, dx",
    [
        (conv2d, conv2d_kernel_gradient, conv2d_input_gradient),
        (depthwise_conv2d, depthwise_conv2d_kernel_gradient, depthwise_conv2d_input_gradient),
    ],
    ids=["conv2d", "depthwise"],
)
def test_gradients_are_the_slopes(f, dW, dx, way):
    x, W = draw((2, 5, 6, 2)), draw((3, 2, 2, 2), seed=1)
    dz = draw(f(x, W, *way).shape, seed=2)
    check_gradient("dW", lambda W: (dz * f(x, W, *way)).sum(), W, dW(x, dz, (3, 2), *way))
    check_gradient("dx", lambda x: (dz * f(x, W, *way)).sum(), x, dx(dz, W, x.shape, *way))


@pytest.mark.parametrize("way", [(2, 2, "valid"), (3, 2, "same"), (2, 1, "same")], ids=str)
def test_pooling_gradients_are_the_slopes(way):
    x = draw((2, 5, 6, 2))
    a, winner = max_pool2d(x, *way)
    da = draw(a.shape, seed=2)
    dx = max_pool2d_gradient(winner, da, x.shape, *way)
    check_gradient("max", lambda x: (da * max_pool2d(x, *way)[0]).sum(), x, dx)
    dx = average_pool2d_gradient(x, da, *way)
    check_gradient("average", lambda x: (da * average_pool2d(x, *way)).sum(), x, dx)


# ---------------------------------------------------------------------------- properties

cases = st.fixed_dictionaries(
    {
        "n": st.integers(1, 3),
        "size": st.tuples(st.integers(1, 4), st.integers(1, 4)),
        "strides": st.tuples(st.integers(1, 4), st.integers(1, 4)),
        "dilation_rate": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "padding": st.sampled_from(PADDINGS),
        "extra": st.tuples(st.integers(0, 6), st.integers(0, 6)),
        "channels": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    }
)


def drawn(case):
    """The images and the kernel of a case, and the way the window takes."""
    spans = reach(case["size"], case["dilation_rate"])
    x = draw((case["n"], *np.add(spans, case["extra"]), case["channels"][0]))
    W = draw((*case["size"], *case["channels"]), seed=1)
    return x, W, (case["strides"], case["padding"], case["dilation_rate"])


@given(cases)
def test_as_many_places_as_the_formula_says(case):
    x, W, way = drawn(case)
    spans = reach(case["size"], case["dilation_rate"])
    for h, out, s, r in zip(x.shape[1:3], conv2d(x, W, *way).shape[1:3], case["strides"], spans, strict=True):
        assert out == ((h - r) // s + 1 if case["padding"] == "valid" else -(-h // s))


@given(cases)
def test_gradients_are_adjoint(case):
    """⟨conv(x), y⟩ = ⟨x, input gradient of y⟩ = ⟨W, kernel gradient of y⟩, as z is linear in x and in W."""
    x, W, way = drawn(case)
    for f, dW, dx in (
        (conv2d, conv2d_kernel_gradient, conv2d_input_gradient),
        (depthwise_conv2d, depthwise_conv2d_kernel_gradient, depthwise_conv2d_input_gradient),
    ):
        z = f(x, W, *way)
        y = draw(z.shape, seed=2)
        agree("⟨x, dx⟩", (x * dx(y, W, x.shape, *way)).sum(), (z * y).sum())
        agree("⟨W, dW⟩", (W * dW(x, y, W.shape[:2], *way)).sum(), (z * y).sum())


@given(cases)
def test_pooling_moves_the_whole_gradient(case):
    x, _, (strides, padding, _) = drawn(case)
    way = case["size"], strides, padding
    a, winner = max_pool2d(x, *way)
    da = draw(a.shape, seed=2)
    agree("max", max_pool2d_gradient(winner, da, x.shape, *way).sum(), da.sum())
    agree("average", average_pool2d_gradient(x, da, *way).sum(), da.sum())


@given(cases)
def test_shifting_the_image_shifts_the_result(case):
    x, W, (strides, _, dilation_rate) = drawn(case)
    moved = np.pad(x, [(0, 0), (strides[0], 0), (strides[1], 0), (0, 0)])
    before, after = (conv2d(images, W, strides, "valid", dilation_rate) for images in (x, moved))
    agree("shifted by one place", after[:, 1:, 1:], before)


@given(cases)
def test_windows_show_the_pixels(case):
    x, _, (strides, _, dilation_rate) = drawn(case)
    view = windows(x, case["size"], strides, dilation_rate=dilation_rate)
    assert np.shares_memory(view, x)
    n, p, q, i, j, c = (size - 1 for size in view.shape)
    (sh, sw), (dh, dw) = strides, dilation_rate
    assert view[n, p, q, i, j, c] == x[n, p * sh + i * dh, q * sw + j * dw, c]
    assert (in_rows(view)[-1].reshape(view.shape[3:]) == view[-1, -1, -1]).all()


def test_what_is_added_under_a_window_appears_in_the_images():
    images, view = blank((1, 3, 3, 1), np.float64, 3, padding="same")
    view[:, 0, 0] += 1  # the window at the corner: the image has four of its nine pixels
    assert images[0, ..., 0].tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0]]


# ---------------------------------------------------------------------------- details


def test_same_padding_is_larger_at_the_end():
    assert borders((1, 5, 6, 1), 2, padding="same") == [(0, 0), (0, 1), (0, 1), (0, 0)]
    assert borders((1, 5, 6, 1), 3, 2, "same") == [(0, 0), (1, 1), (0, 1), (0, 0)]


def test_numbers_stand_for_pairs():
    assert pair("strides", 2) == pair("strides", (2, 2)) == pair("strides", [2, 2]) == (2, 2)
    assert reach((3, 4), 2) == (5, 7)


def test_the_first_layer_leaves_out_the_gradient_of_the_data():
    layer = Conv2D(2, 3, rng=rng())
    a = layer.forward(draw((1, 5, 5, 1)))
    assert layer.backward(a) is not None
    layer.first = True
    assert layer.backward(a) is None
    assert layer.dW.any()


def test_networks_of_images_are_built_and_counted(capsys):
    model = Sequential(
        [
            Conv2D(32, 3, activation="relu", dtype="float32", rng=rng()),
            MaxPooling2D(),
            DepthwiseConv2D(3, rng=rng()),
            GlobalAveragePooling2D(),
        ]
    )
    model.build((None, 28, 28, 1))
    assert model.shapes == [
        (None, 28, 28, 1),
        (None, 26, 26, 32),
        (None, 13, 13, 32),
        (None, 11, 11, 32),
        (None, 32),
    ]
    assert model.count_params() == 9 * 32 + 32 + 9 * 32 + 32
    assert model.weights[0].dtype == np.float32
    model.summary()
    assert "(None, 26, 26, 32)" in capsys.readouterr().out


def test_kernels_start_as_wide_as_their_fans_say():
    """Keras counts all channels for a depthwise kernel too, though each unit sees one of them."""
    for layer, fans in ((Conv2D(8, 3, rng=rng()), 9 * 4 + 9 * 8), (DepthwiseConv2D(3, rng=rng()), 9 * 4 + 9)):
        layer.build((None, 9, 9, 4))
        limit = np.sqrt(6 / fans)
        assert 0.9 * limit < np.abs(layer.W).max() <= limit


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Conv2D(0, 3, rng=rng()), "filters: expected a positive integer, got 0"),
        (lambda: Conv2D(4, 0, rng=rng()), "kernel_size: expected a positive integer, got 0"),
        (lambda: Conv2D(4, (3, 3, 3), rng=rng()), "kernel_size: expected a positive integer or a pair"),
        (lambda: Conv2D(4, 3, strides=1.5, rng=rng()), "strides: expected a positive integer, got 1.5"),
        (lambda: Conv2D(4, 3, padding="full", rng=rng()), "padding: expected 'valid' or 'same', got 'full'"),
        (
            lambda: Conv2D(4, 3, 2, dilation_rate=2, rng=rng()),
            "strides: expected 1 with a dilation_rate above 1",
        ),
        (
            lambda: DepthwiseConv2D(3, 2, dilation_rate=2, rng=rng()),
            "strides: expected 1 with a dilation_rate",
        ),
        (lambda: DepthwiseConv2D(3, depth_multiplier=0, rng=rng()), "depth_multiplier: expected a positive"),
        (lambda: Conv2D(4, 3, activation="rely", rng=rng()), "activation: expected one of"),
        (lambda: Conv2D(4, 3, dtype="float16", rng=rng()), "dtype: expected"),
        (lambda: MaxPooling2D(0), "pool_size: expected a positive integer, got 0"),
        (lambda: MaxPooling2D(2, 0), "strides: expected a positive integer, got 0"),
        (lambda: AveragePooling2D(2, padding="none"), "padding: expected 'valid' or 'same'"),
        (lambda: Conv2D(4, 3, rng=rng()).forward(np.ones((2, 9))), "x: expected images of shape"),
        (
            lambda: Conv2D(4, 3, rng=rng()).forward(np.ones((2, 2, 9, 1))),
            r"at least \(3, 3\) pixels, got \(2, 2, 9, 1\)",
        ),
        (lambda: MaxPooling2D(3).forward(np.ones((2, 2, 9, 1))), r"at least \(3, 3\) pixels"),
        (lambda: MaxPooling2D(3).forward(np.ones((9, 9))), r"x: expected images of shape \(n, h, w, c\)"),
    ],
)
def test_wrong_inputs_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


X, W, DZ = np.ones((2, 6, 7, 3)), np.ones((3, 3, 3, 2)), np.ones((2, 4, 5, 2))


@pytest.mark.parametrize(
    "make, message",
    [
        (
            lambda: conv2d(X[0], W, padding="same"),
            r"x: expected images of shape \(n, h, w, c\), got \(6, 7, 3\)",
        ),
        (lambda: conv2d(X, W[0]), r"W: expected a kernel of shape \(kh, kw, c, m\), got \(3, 3, 2\)"),
        (lambda: conv2d(X, W[:, :, :2]), "x: expected 2 channels"),
        (lambda: conv2d(X, np.ones((7, 3, 3, 2))), r"x: expected images of at least \(7, 3\) pixels"),
        (lambda: conv2d(np.ones((2, 0, 7, 3)), W, padding="same"), r"at least \(1, 1\) pixels"),
        (lambda: conv2d_kernel_gradient(X, np.ones((2, 2, 10, 2)), 3), r"dz: expected shape \(2, 4, 5, 2\)"),
        (lambda: conv2d_kernel_gradient(X, DZ[:1], 3), r"dz: expected shape \(2, 4, 5, 2\)"),
        (lambda: conv2d_input_gradient(DZ[..., :1], W, X.shape), r"dz: expected shape \(2, 4, 5, 2\)"),
        (
            lambda: conv2d_input_gradient(DZ, W, X.shape[1:]),
            r"shape: expected \(n, h, w, c\), got \(6, 7, 3\)",
        ),
        (lambda: conv2d_input_gradient(DZ, W, (2, 6, 7, 1)), "expected 3 channels"),
        (lambda: depthwise_conv2d(X, W[:, :, :1]), "x: expected 1 channels"),
        (lambda: depthwise_conv2d(X, W[..., 0]), "W: expected a kernel of shape"),
        (lambda: depthwise_conv2d_kernel_gradient(X, DZ, 3), r"dz: expected shape \(2, 4, 5, 0\)"),
        (lambda: depthwise_conv2d_input_gradient(DZ, W, X.shape), r"dz: expected shape \(2, 4, 5, 6\)"),
        (lambda: max_pool2d(X[0], 2, 2), "x: expected images of shape"),
        (lambda: max_pool2d_gradient(X, X, X.shape, 2, 2), r"winner: expected shape \(2, 3, 3, 3\)"),
        (lambda: average_pool2d_gradient(X, X, 2, 2), r"da: expected shape \(2, 3, 3, 3\)"),
        (lambda: GlobalAveragePooling2D().forward(X[0]), "x: expected images of shape"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_words_are_no_images():
    with pytest.raises(TypeError, match="x: expected numbers"):
        conv2d(np.full((1, 3, 3, 1), "a"), W)


@pytest.mark.parametrize(
    "dtype, result", [("uint8", "float32"), ("float16", "float32"), ("int64", "float64")]
)
def test_whole_numbers_and_halves_are_computed_in_floats(dtype, result):
    """In uint8 200 · 4 is 32, a Sobel kernel's −1 has no place, and −∞, what max pooling pads with, is 0."""
    x = np.full((1, 40, 40, 1), 200, dtype)
    x[0, :3, :3] = 0
    sobel = np.outer([1, 2, 1], [-1, 0, 1])[:, :, None, None]
    agree(
        "uint8 · uint8", conv2d(x, x[:, 5:9, 5:9].reshape(4, 4, 1, 1))[0, 20, 20], [16 * 200 * 200], atol=1e-6
    )
    agree(
        "a photograph under Sobel",
        conv2d(x, sobel)[0, ..., 0],
        correlate(x[0, ..., 0].astype(float), sobel[..., 0, 0], "valid"),
    )
    a, winner = max_pool2d(x[:, :3, :3], 3, 1, "same")
    assert a.dtype == average_pool2d(x, 40, 40).dtype == conv2d(x, x[:, :1, :1]).dtype == result
    dx = max_pool2d_gradient(winner, np.ones_like(a), a.shape, 3, 1, "same")
    assert dx.sum() == 9, "each of nine windows has its winner among the pixels"
    mean = x.astype(float).mean()
    agree("means of many numbers", average_pool2d(x, 40, 40).ravel(), [mean], atol=1e-6)
    agree("a layer's", GlobalAveragePooling2D().forward(x).ravel(), [mean], atol=1e-6)


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (Conv2D(4, 3, rng=rng()), keras.layers.Conv2D(4, 3)),
        (DepthwiseConv2D(3, padding="same", rng=rng()), keras.layers.DepthwiseConv2D(3, padding="same")),
        (MaxPooling2D(), keras.layers.MaxPooling2D()),
        (AveragePooling2D(padding="same"), keras.layers.AveragePooling2D(2, padding="same")),
        (GlobalAveragePooling2D(), keras.layers.GlobalAveragePooling2D()),
    ],
    ids=lambda layer: type(layer).__module__.split(".")[0],
)
def test_no_images_make_no_answers(ours, theirs):
    a = ours.forward(X[:0])
    assert a.shape == theirs.compute_output_shape(X[:0].shape)
    assert ours.backward(a).shape == X[:0].shape
    assert not any(dw.any() for dw in ours.grads)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layer", [Conv2D(4, 3, rng=rng()), DepthwiseConv2D(3, rng=rng())])
def test_images_with_other_channels_than_the_kernel_are_refused(layer, channels):
    layer.forward(np.ones((1, 5, 5, 2)))
    with pytest.raises(ValueError, match="x: expected 2 channels, got shape"):
        layer.forward(np.ones((1, 5, 5, channels)))


QUICK = "innermost", "columns", "blocks", "quick_conv2d", "quick_kernel_gradient", "quick_input_gradient"


@pytest.mark.parametrize("name", QUICK)
def test_the_quick_code_that_the_benchmark_measures_is_the_chapters(name):
    script = ast.parse((ROOT / "benchmarks" / "cnn_step.py").read_text(encoding="utf-8"))
    cells = [parsed(cell.source) for cell in code_cells(read(BOOK / "09-convolution.ipynb"))[1:]]
    (measured,) = [node for found, node in definitions(script) if found == name]
    (shown,) = [node for tree in cells for found, node in definitions(tree) if found == name]
    assert syntax(measured) == syntax(shown)


def test_the_networks_that_are_shifted_are_the_chapters():
    script = ast.parse((ROOT / "benchmarks" / "shifted_digits.py").read_text(encoding="utf-8"))
    cells = [parsed(cell.source) for cell in code_cells(read(BOOK / "09-convolution.ipynb"))[1:]]
    for name in ("convolutional", "three_convolutions", "dense", "shifted"):
        (trained,) = [node for found, node in definitions(script) if found == name]
        (shown,) = [node for tree in cells for found, node in definitions(tree) if found == name]
        assert syntax(trained) == syntax(shown)


def test_keras_refuses_strides_with_dilation_too():
    with pytest.raises(ValueError, match="dilation"):
        keras.layers.Conv2D(4, 3, strides=2, dilation_rate=2)
