"""Convolution and pooling: layers that look at images through a small window (chapter 9).

Images come in batches, channels last: x of shape (n, h, w, c). A window of kh × kw pixels stands at h′ × w′
places of each image. Everything here is written in terms of `windows`, a view of shape
(n, h′, w′, kh, kw, c) that shows the pixels under the window at every place. Reading from it is convolution
and pooling; adding into it is how their gradients get back to the pixels.

Sizes, strides and dilation rates are pairs (along the height, along the width), or one number for both.
Whole numbers, booleans and float16 are computed as the smallest of float32 and float64 that holds them.
Arrays that do not fit each other are refused, with an error that names the argument.
"""

from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from twice.arguments import choice, float_type, generator, numbers, positive_integer, shaped, takes
from twice.initializers import INITIALIZERS
from twice.layers import Activation, Layer

_ARRAYS = {"x", "W", "dz", "da"}
_WAY = {"size", "strides", "padding", "dilation_rate"}


def pair(name, value):
    """Return ``value`` as a pair of positive integers; one number stands for both."""
    both = (value, value) if np.ndim(value) == 0 else tuple(value)
    if len(both) != 2:
        raise ValueError(f"{name}: expected a positive integer or a pair of them, got {value!r}")
    return tuple(positive_integer(name, number) for number in both)


def reach(size, dilation_rate=1):
    """Return the pixels that a window spans from end to end: k of them, d apart, span (k − 1) d + 1."""
    size, dilation_rate = pair("size", size), pair("dilation_rate", dilation_rate)
    return tuple((k - 1) * d + 1 for k, d in zip(size, dilation_rate, strict=True))


def borders(shape, size, strides=1, padding="valid", dilation_rate=1):
    """Return how many numbers to add before and after each axis.

    With "valid" padding none: the window stands only where it fits. With "same" padding it stands at ⌈h / s⌉
    places, and at the last of them it ends at pixel (⌈h / s⌉ − 1) s + r, where r is its `reach`. The missing
    pixels are added half before and half after, an odd one after: TensorFlow's choice.

    Parameters
    ----------
    shape : tuple of int
        Of the images, (n, h, w, c).
    size, strides : int or tuple of int
        Of the window.
    padding : str
        "valid" or "same".
    dilation_rate : int or tuple of int
        Of the window.

    Returns
    -------
    list of tuple of int
        As `numpy.pad` takes it.
    """
    if padding not in ("valid", "same"):
        raise ValueError(f"padding: expected 'valid' or 'same', got {padding!r}")
    if padding == "valid":
        return [(0, 0)] * 4
    axes = zip(shape[1:3], pair("strides", strides), reach(size, dilation_rate), strict=True)
    missing = [max((-(-h // s) - 1) * s + r - h, 0) for h, s, r in axes]
    return [(0, 0), *((m // 2, m - m // 2) for m in missing), (0, 0)]


def windows(x, size, strides=1, padding="valid", dilation_rate=1, value=0):
    """Return the pixels under the window at each place, without copying them.

    Number [n, p, q, i, j, c] of the result is number [n, p·s + i·d, q·s + j·d, c] of ``x`` with its padding.
    Without padding the result is a view of ``x``: what is written into it is written into ``x``.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, h, w, c)
        The images.
    size, strides, padding, dilation_rate : int, tuple of int, or str
        As in `borders`.
    value : float
        What to pad with.

    Returns
    -------
    numpy.ndarray, shape (n, h′, w′, kh, kw, c)
        With h′ = ⌊(h − r) / s⌋ + 1 for padded images of height h, where r is the window's `reach`; w′ alike.
    """
    if padding != "valid":
        edges = borders(x.shape, size, strides, padding, dilation_rate)
        x = np.pad(x, edges, constant_values=value)
    (sh, sw), (dh, dw) = pair("strides", strides), pair("dilation_rate", dilation_rate)
    view = sliding_window_view(x, reach(size, dilation_rate), axis=(1, 2), writeable=True)
    return view[:, ::sh, ::sw, :, ::dh, ::dw].transpose(0, 1, 2, 4, 5, 3)


def in_rows(a):
    """Return a matrix with a row for each place: what an array of shape (n, h′, w′, …) holds there.

    Of what `windows` shows these are the patches, kh·kw·c numbers long, copied together ("im2col").
    """
    return a.reshape(prod(a.shape[:3]), prod(a.shape[3:]))


def blank(shape, dtype, size, strides=1, padding="valid", dilation_rate=1):
    """Return images of zeros and the `windows` on them: what is added under a window appears in the images.

    Where the window overlaps the border, what is added there is lost, as it should be: padding is no pixel.

    Parameters
    ----------
    shape : tuple of int
        Of the images, (n, h, w, c).
    dtype : numpy.dtype
        Of their numbers.
    size, strides, padding, dilation_rate : int, tuple of int, or str
        As in `borders`.

    Returns
    -------
    images : numpy.ndarray, shape (n, h, w, c)
    view : numpy.ndarray, shape (n, h′, w′, kh, kw, c)
    """
    n, h, w, c = shape
    _, (top, bottom), (left, right), _ = borders(shape, size, strides, padding, dilation_rate)
    padded = np.zeros((n, top + h + bottom, left + w + right, c), dtype)
    images = padded[:, top : top + h, left : left + w]
    return images, windows(padded, size, strides, dilation_rate=dilation_rate)


def _fitting(outputs):
    """Return a check for `takes`: arrays become floats, and must fit each other and the way of the window.

    ``outputs`` says how many channels come out, given c that go in and a kernel whose last axis has length m.
    """

    def check(**given):
        found = given | {name: _floats(name, given[name]) for name in _ARRAYS & given.keys()}
        n, h, w, c = shape = found["x"].shape if "x" in found else _four("shape", found["shape"])
        m = found["dz"].shape[3] // outputs(c, 1) if "dz" in found else 1
        if "W" in found:
            *found["size"], inputs, m = found["W"].shape
            if inputs != c:
                raise ValueError(f"x: expected {inputs} channels, got shape {shape}")
        answers = (n, *_places(shape, **{name: found[name] for name in _WAY & found.keys()}), outputs(c, m))
        for name in [name for name in ("winner", "dz", "da") if name in given]:
            shaped(name, np.asarray(found[name]), answers, f"for images {shape}")
        return [found[name] for name in given]

    return check


def _places(shape, size, strides=1, padding="valid", dilation_rate=1):
    """Return h′ and w′ for images of a shape, if they are large enough for the window."""
    edges = borders(shape, size, strides, padding, dilation_rate)[1:3]
    spans, steps = reach(size, dilation_rate), pair("strides", strides)
    least = spans if padding == "valid" else (1, 1)
    if shape[1] < least[0] or shape[2] < least[1]:
        raise ValueError(f"x: expected images of at least {least} pixels, got {shape}")
    axes = zip(shape[1:3], edges, spans, steps, strict=True)
    return [(h + sum(edge) - span) // s + 1 for h, edge, span, s in axes]


def _floats(name, a):
    """Return an array of images, kernels or gradients in float32 or better, if it has four axes."""
    a = numbers(name, a)
    if a.ndim != 4:
        axes = "a kernel of shape (kh, kw, c, m)" if name == "W" else "images of shape (n, h, w, c)"
        raise ValueError(f"{name}: expected {axes}, got {a.shape}")
    return np.asarray(a, np.result_type(a, np.float32))


def _four(name, shape):
    """Return the shape of images, if it has four axes."""
    if len(shape) != 4:
        raise ValueError(f"{name}: expected (n, h, w, c), got {shape}")
    return shape


_convolving = _fitting(lambda c, m: m)
_filtering = _fitting(lambda c, m: c * m)
_pooling = _fitting(lambda c, m: c)


@takes(_convolving, "x", "W", "strides", "padding", "dilation_rate")
def conv2d(x, W, strides=1, padding="valid", dilation_rate=1):
    """Return the cross-correlation of images with a kernel, deep learning's "convolution".

    z[n, p, q, f] = Σᵢ Σⱼ Σ꜀ x[n, p·s + i·d, q·s + j·d, c] W[i, j, c, f], with zeros beyond the image. As a
    matrix product: a row for each patch, a column for each filter, kh·kw·c numbers long both.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, h, w, c)
        The images.
    W : numpy.ndarray, shape (kh, kw, c, filters)
        The kernel.
    strides, padding, dilation_rate : int, tuple of int, or str
        As in `borders`.

    Returns
    -------
    numpy.ndarray, shape (n, h′, w′, filters)
    """
    view = windows(x, W.shape[:2], strides, padding, dilation_rate)
    z = in_rows(view) @ W.reshape(-1, W.shape[3])
    return z.reshape(*view.shape[:3], W.shape[3])


@takes(_convolving, "x", "dz", "size", "strides", "padding", "dilation_rate")
def conv2d_kernel_gradient(x, dz, size, strides=1, padding="valid", dilation_rate=1):
    """Return ∂L/∂W of `conv2d` from ∂L/∂z.

    W[i, j, c, f] acts on channel f of z at every place, with the factor of the pixel that it meets there:
    ∂L/∂W[i, j, c, f] = Σₙ Σₚ Σ_q x[n, p·s + i·d, q·s + j·d, c] ∂L/∂z[n, p, q, f]. That is the matrix of
    patches, transposed, times ∂L/∂z with a row for each place: the gradient of a dense layer's kernel.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, h, w, c)
        The images.
    dz : numpy.ndarray, shape (n, h′, w′, filters)
        The gradient with respect to what `conv2d` returned.
    size, strides, padding, dilation_rate : int, tuple of int, or str
        As in `borders`.

    Returns
    -------
    numpy.ndarray, shape (kh, kw, c, filters)
    """
    view = windows(x, size, strides, padding, dilation_rate)
    dW = in_rows(view).T @ in_rows(dz)
    return dW.reshape(*view.shape[3:], dz.shape[3])


@takes(_convolving, "dz", "W", "shape", "strides", "padding", "dilation_rate")
def conv2d_input_gradient(dz, W, shape, strides=1, padding="valid", dilation_rate=1):
    """Return ∂L/∂x of `conv2d` from ∂L/∂z.

    Pixel [n, p·s + i·d, q·s + j·d, c] acts on z[n, p, q, f] with the factor W[i, j, c, f]. So every place
    adds Σ_f ∂L/∂z[n, p, q, f] W[i, j, c, f] to the pixel that stands at (i, j) under its window. At one
    (i, j) no two places meet in the same pixel, so all of them are added at once.

    Parameters
    ----------
    dz : numpy.ndarray, shape (n, h′, w′, filters)
        The gradient with respect to what `conv2d` returned.
    W : numpy.ndarray, shape (kh, kw, c, filters)
        The kernel.
    shape : tuple of int
        Of the images, (n, h, w, c).
    strides, padding, dilation_rate : int, tuple of int, or str
        As in `borders`.

    Returns
    -------
    numpy.ndarray, shape (n, h, w, c)
    """
    dx, view = blank(shape, dz.dtype, W.shape[:2], strides, padding, dilation_rate)
    for i, j in np.ndindex(W.shape[:2]):
        view[:, :, :, i, j] += np.tensordot(dz, W[i, j].T, axes=1)
    return dx


@takes(_filtering, "x", "W", "strides", "padding", "dilation_rate")
def depthwise_conv2d(x, W, strides=1, padding="valid", dilation_rate=1):
    """Return images whose channels have each been filtered by themselves.

    z[n, p, q, c·m + k] = Σᵢ Σⱼ x[n, p·s + i·d, q·s + j·d, c] W[i, j, c, k] for each of the m filters that a
    channel has. Nothing is summed over the channels.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, h, w, c)
        The images.
    W : numpy.ndarray, shape (kh, kw, c, m)
        The kernel.
    strides, padding, dilation_rate : int, tuple of int, or str
        As in `borders`.

    Returns
    -------
    numpy.ndarray, shape (n, h′, w′, c·m)
    """
    view = windows(x, W.shape[:2], strides, padding, dilation_rate)
    z = sum(view[:, :, :, i, j, :, None] * W[i, j] for i, j in np.ndindex(W.shape[:2]))
    return z.reshape(*z.shape[:3], prod(W.shape[2:]))


@takes(_filtering, "x", "dz", "size", "strides", "padding", "dilation_rate")
def depthwise_conv2d_kernel_gradient(x, dz, size, strides=1, padding="valid", dilation_rate=1):
    """Return ∂L/∂W of `depthwise_conv2d`, Σ x[n, p·s + i·d, q·s + j·d, c] ∂L/∂z[n, p, q, c·m + k].

    The sum goes over n, p and q; the parameters are those of `conv2d_kernel_gradient`.
    """
    view = windows(x, size, strides, padding, dilation_rate)
    dz = dz.reshape(*dz.shape[:3], x.shape[3], dz.shape[3] // x.shape[3])
    dW = [(view[:, :, :, i, j, :, None] * dz).sum(axis=(0, 1, 2)) for i, j in np.ndindex(view.shape[3:5])]
    return np.reshape(dW, (*view.shape[3:], -1))


@takes(_filtering, "dz", "W", "shape", "strides", "padding", "dilation_rate")
def depthwise_conv2d_input_gradient(dz, W, shape, strides=1, padding="valid", dilation_rate=1):
    """Return ∂L/∂x of `depthwise_conv2d`: as in `conv2d_input_gradient`, but Σₖ in place of Σ_f.

    A pixel of channel c acts on that channel's own m outputs only.
    """
    dx, view = blank(shape, dz.dtype, W.shape[:2], strides, padding, dilation_rate)
    dz = dz.reshape(*dz.shape[:3], *W.shape[2:])
    for i, j in np.ndindex(W.shape[:2]):
        view[:, :, :, i, j] += (dz * W[i, j]).sum(axis=-1)
    return dx


@takes(_pooling, "x", "size", "strides", "padding")
def max_pool2d(x, size, strides, padding="valid"):
    """Return the largest number under the window at each place, in every channel, and which one it was.

    The numbers under a window count from 0, row by row, and of equals the first wins. Padding counts as −∞,
    so it can win only where all pixels under the window are −∞ themselves.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, h, w, c)
        The images.
    size, strides, padding : int, tuple of int, or str
        As in `borders`.

    Returns
    -------
    a : numpy.ndarray, shape (n, h′, w′, c)
        The largest numbers.
    winner : numpy.ndarray of integers, shape (n, h′, w′, c)
        The position of each under its window, i·kw + j.
    """
    view = windows(x, size, strides, padding, value=-np.inf)
    a, winner = view[:, :, :, 0, 0], np.uint16(0)
    for k, (i, j) in enumerate(np.ndindex(view.shape[3:5])):
        seen = view[:, :, :, i, j]
        winner = np.maximum(winner, np.uint16(k) * (seen > a))  # k only grows
        a = np.maximum(a, seen)
    return a, winner


@takes(_pooling, "winner", "da", "shape", "size", "strides", "padding")
def max_pool2d_gradient(winner, da, shape, size, strides, padding="valid"):
    """Return ∂L/∂x of `max_pool2d` from ∂L/∂a.

    Nudging the largest number of a window moves a by as much, nudging another one does nothing: the gradient
    goes whole to the pixel that won. Where several are equally large, the function has a kink, and the
    gradient goes to the first of them, as in TensorFlow.

    Parameters
    ----------
    winner : numpy.ndarray of integers, shape (n, h′, w′, c)
        Which number won, from `max_pool2d`.
    da : numpy.ndarray, shape (n, h′, w′, c)
        The gradient with respect to the largest numbers.
    shape : tuple of int
        Of the images, (n, h, w, c).
    size, strides, padding : int, tuple of int, or str
        As in `borders`.

    Returns
    -------
    numpy.ndarray, shape (n, h, w, c)
    """
    dx, view = blank(shape, da.dtype, size, strides, padding)
    for k, (i, j) in enumerate(np.ndindex(view.shape[3:5])):
        view[:, :, :, i, j] += da * (winner == k)
    return dx


@takes(_pooling, "x", "size", "strides", "padding")
def average_pool2d(x, size, strides, padding="valid"):
    """Return the mean of the pixels under the window at each place, in every channel, without the padding.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, h, w, c)
        The images.
    size, strides, padding : int, tuple of int, or str
        As in `borders`.

    Returns
    -------
    numpy.ndarray, shape (n, h′, w′, c)
    """
    view = windows(x, size, strides, padding)
    return view.sum(axis=(3, 4)) / pixels(x, size, strides, padding)


def pixels(x, size, strides, padding="valid"):
    """Return how many pixels of the image, padding left out, are under the window at each place."""
    ones = np.ones((1, *x.shape[1:3], 1), x.dtype)
    return windows(ones, size, strides, padding).sum(axis=(3, 4))


@takes(_pooling, "x", "da", "size", "strides", "padding")
def average_pool2d_gradient(x, da, size, strides, padding="valid"):
    """Return ∂L/∂x of `average_pool2d` from ∂L/∂a: each of a window's m pixels has acted with the factor 1/m.

    Parameters
    ----------
    x : numpy.ndarray, shape (n, h, w, c)
        The images.
    da : numpy.ndarray, shape (n, h′, w′, c)
        The gradient with respect to what `average_pool2d` returned.
    size, strides, padding : int, tuple of int, or str
        As in `borders`.

    Returns
    -------
    numpy.ndarray, shape (n, h, w, c)
    """
    dx, view = blank(x.shape, da.dtype, size, strides, padding)
    share = da / pixels(x, size, strides, padding)
    for i, j in np.ndindex(view.shape[3:5]):
        view[:, :, :, i, j] += share
    return dx


class Conv2D(Layer):
    """A layer of units that each look at the image through a window, at every place with the same weights.

    Parameters
    ----------
    filters : int
        The number of units, and so of channels that come out.
    kernel_size : int or tuple of int
        The window's height and width.
    strides : int or tuple of int
        How far the window moves from place to place.
    padding : str
        "valid" (the window stays inside the image) or "same" (zeros around it, so that with strides of 1 as
        many pixels come out as went in).
    dilation_rate : int or tuple of int
        How far apart the pixels are that the window sees. As in Keras, not together with strides above 1.
    activation : str or None
        As in `twice.layers.Activation`.
    use_bias : bool
        Whether b is learnt; otherwise it stays 0.
    kernel_initializer : str or callable
        As in `twice.layers.Dense`.
    dtype : "float64" or "float32"
        Of the weights; inputs are converted to it.
    rng : numpy.random.Generator
        Draws the weights.

    Attributes
    ----------
    W : numpy.ndarray, shape (kh, kw, c, filters)
        The kernel, for images of c channels; None until the first of them.
    b : numpy.ndarray, shape (filters,)
        The bias.
    dW, db : numpy.ndarray
        The gradients of the loss, of the same shapes.
    first : bool
        Whether ``x`` is the data itself, whose gradient nobody needs: ``backward`` then leaves it out.
    """

    convolve = staticmethod(conv2d)
    kernel_gradient = staticmethod(conv2d_kernel_gradient)
    input_gradient = staticmethod(conv2d_input_gradient)

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        dtype="float64",
        *,
        rng,
    ):
        self.filters = positive_integer("filters", filters)
        self.kernel_size = pair("kernel_size", kernel_size)
        self.window = places(strides, padding, dilation_rate)
        self.f = Activation(activation)
        self.activation, self.use_bias = self.f.activation, use_bias
        self.initialize = choice("kernel_initializer", kernel_initializer, INITIALIZERS)
        self.dtype, self.rng = float_type("dtype", dtype), generator("rng", rng)
        self.W, self.b, self.first = None, None, False

    def build(self, input_shape):
        """Draw W for images of shape (n, h, w, c), and set b to 0."""
        if len(input_shape) != 4:
            raise ValueError(f"x: expected images of shape (n, h, w, c), got {input_shape}")
        shape = (*self.kernel_size, input_shape[3], self.filters)
        self.W = self.initialize(shape, self.rng).astype(self.dtype)
        self.b = np.zeros(self.channels(input_shape[3]), self.dtype)

    def channels(self, c):
        """Return how many channels come out where c go in."""
        return self.filters

    def forward(self, x, training=False):
        """Return f(z) with z the convolution of x with W, plus b; of shape (n, h′, w′, filters)."""
        self.x = np.asarray(x, self.dtype)
        if self.W is None:
            self.build(self.x.shape)
        self.z = self.convolve(self.x, self.W, **self.window) + self.b
        return self.f.forward(self.z)

    def backward(self, da):
        """Store ∂L/∂W and ∂L/∂b, and return ∂L/∂x, from ∂L/∂a of shape (n, h′, w′, filters).

        First through the activation, then through the convolution: see `conv2d_kernel_gradient` and
        `conv2d_input_gradient`. The bias acts on its channel of z at every place with the factor 1.
        """
        return self.backward_logits(self.f.backward(da))

    def backward_logits(self, dz):
        """Do the same from ∂L/∂z, where the loss has already been differentiated through the activation."""
        self.dW = self.kernel_gradient(self.x, dz, self.kernel_size, **self.window)
        self.db = np.einsum("npqf->f", dz)
        if self.first:
            return None
        return self.input_gradient(dz, self.W, self.x.shape, **self.window)

    @property
    def params(self):
        """W and b."""
        return [self.W, self.b] if self.use_bias else [self.W]

    @property
    def grads(self):
        """∂L/∂W and ∂L/∂b."""
        return [self.dW, self.db] if self.use_bias else [self.dW]


def places(strides, padding, dilation_rate):
    """Return where a window stands, as the arguments of `conv2d`, if Keras would accept it."""
    strides = pair("strides", strides)
    dilation_rate = pair("dilation_rate", dilation_rate)
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise ValueError(
            f"strides: expected 1 with a dilation_rate above 1, got {strides} with {dilation_rate}"
        )
    borders((1, 1, 1, 1), 1, strides, padding)  # which finds a wrong padding
    return {"strides": strides, "padding": padding, "dilation_rate": dilation_rate}


class DepthwiseConv2D(Conv2D):
    """A layer that filters each channel by itself: ``depth_multiplier`` units look at one channel each.

    Parameters
    ----------
    kernel_size, strides, padding : int, tuple of int, or str
        As in `Conv2D`.
    depth_multiplier : int
        How many channels come out for each that goes in.
    dilation_rate : int or tuple of int
        As in `Conv2D`.
    activation, use_bias, depthwise_initializer, dtype, rng : object
        As in `Conv2D`, whose ``kernel_initializer`` has here Keras's other name.

    Attributes
    ----------
    W : numpy.ndarray, shape (kh, kw, c, depth_multiplier)
        The kernel.
    b : numpy.ndarray, shape (c · depth_multiplier,)
        The bias.
    """

    convolve = staticmethod(depthwise_conv2d)
    kernel_gradient = staticmethod(depthwise_conv2d_kernel_gradient)
    input_gradient = staticmethod(depthwise_conv2d_input_gradient)

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        dtype="float64",
        *,
        rng,
    ):
        self.depth_multiplier = positive_integer("depth_multiplier", depth_multiplier)
        window = kernel_size, strides, padding, dilation_rate
        super().__init__(
            depth_multiplier, *window, activation, use_bias, depthwise_initializer, dtype, rng=rng
        )

    def channels(self, c):
        """Return how many channels come out where c go in."""
        return c * self.depth_multiplier


class Pooling2D(Layer):
    """What the layers share that sum up each window, channel by channel.

    Parameters
    ----------
    pool_size : int or tuple of int
        The window's height and width.
    strides : int, tuple of int, or None
        How far the window moves; None is its own size, so that windows do not overlap.
    padding : str
        "valid" or "same".
    """

    def __init__(self, pool_size=2, strides=None, padding="valid"):
        pool_size = pair("pool_size", pool_size)
        strides = pool_size if strides is None else pair("strides", strides)
        borders((1, 1, 1, 1), 1, strides, padding)  # which finds a wrong padding
        self.window = {"size": pool_size, "strides": strides, "padding": padding}


class MaxPooling2D(Pooling2D):
    """A layer that keeps the largest number under the window."""

    def forward(self, x, training=False):
        """Return the maxima, of shape (n, h′, w′, c)."""
        self.shape = x.shape
        a, self.winner = max_pool2d(x, **self.window)
        return a

    def backward(self, da):
        """Return ∂L/∂x: see `max_pool2d_gradient`."""
        return max_pool2d_gradient(self.winner, da, self.shape, **self.window)


class AveragePooling2D(Pooling2D):
    """A layer that averages what is under the window."""

    def forward(self, x, training=False):
        """Return the means, of shape (n, h′, w′, c)."""
        self.x = x
        return average_pool2d(x, **self.window)

    def backward(self, da):
        """Return ∂L/∂x: see `average_pool2d_gradient`."""
        return average_pool2d_gradient(self.x, da, **self.window)


class GlobalAveragePooling2D(Layer):
    """A layer that averages each channel over the whole image."""

    @takes(lambda x: [_floats("x", x)], "x")
    def forward(self, x, training=False):
        """Return the means, of shape (n, c)."""
        self.shape = x.shape
        return x.mean(axis=(1, 2))

    def backward(self, da):
        """Return ∂L/∂x: each of the h·w pixels has acted on its channel's mean with the factor 1 / (h·w)."""
        n, h, w, c = self.shape
        return np.broadcast_to(da[:, None, None] / (h * w), self.shape)
