"""Attention: positions of a sequence look at each other (chapter 15).

Sequences come in batches: x of shape (n, T, d) holds a vector of d numbers at each of T positions. Inside
attention the heads stand before the positions: q of shape (n, heads, T, key_dim).

A mask is True where a position may be looked at, as in Keras.
"""

from functools import partial
from math import prod, sqrt

import numpy as np

from twice.activations import gelu, gelu_derivative, softmax
from twice.arguments import between, choice, fitting, float_type, generator, positive_integer, takes
from twice.initializers import INITIALIZERS
from twice.layers import Activation, Layer
from twice.sequence_arguments import attended, attending

MASKED = -1e9  # the score of what may not be looked at: beside any other, its exponential is 0


# ---------------------------------------------------------------------------- attention


@takes(attended, "q", "k", "v", "mask")
def attention(q, k, v, mask=None):
    """Return a = pv with p = softmax(qkᵀ / √d): for each query a mean of the values, and its weights.

    Queries and keys of d independent numbers of mean 0 and variance 1 have dot products of variance d;
    divided by √d they have variance 1, whatever d is. Where a query may look at nothing, all its scores are
    equal, and it gets the plain mean.

    Parameters
    ----------
    q : numpy.ndarray, shape (..., T, d)
        Queries.
    k : numpy.ndarray, shape (..., S, d)
        Keys.
    v : numpy.ndarray, shape (..., S, value_dim)
        Values.
    mask : numpy.ndarray of bool, shape (..., T, S), or None
        Whether query t may look at key s.

    Returns
    -------
    a : numpy.ndarray, shape (..., T, value_dim)
    p : numpy.ndarray, shape (..., T, S)
        The weights; each row sums to 1.
    """
    z = q @ k.swapaxes(-1, -2) / sqrt(q.shape[-1])
    if mask is not None:
        z = np.where(mask, z, MASKED)
    p = softmax(z)
    return p @ v, p


def attention_gradient(q, k, v, p, da, mask=None):
    """Return ∂L/∂q, ∂L/∂k and ∂L/∂v of `attention` from ∂L/∂a.

    For one head and one example all are matrices, and each step goes back through one line of `attention`:

    - a = pv, a product as in a dense layer: ∂L/∂v = pᵀ ∂L/∂a and ∂L/∂p = ∂L/∂a vᵀ.
    - p = softmax(z), row by row: ∂L/∂zₜₛ = pₜₛ (∂L/∂pₜₛ − Σⱼ ∂L/∂pₜⱼ · pₜⱼ), as in `Activation.backward`.
    - A score that the mask has replaced does not depend on q and k: there ∂L/∂z is 0.
    - z = qkᵀ / √d: ∂L/∂q = ∂L/∂z k / √d and ∂L/∂k = (∂L/∂z)ᵀ q / √d.

    Parameters
    ----------
    q, k, v : numpy.ndarray
        As in `attention`.
    p : numpy.ndarray, shape (..., T, S)
        The weights that it returned.
    da : numpy.ndarray, shape (..., T, value_dim)
        The gradient with respect to its means.
    mask : numpy.ndarray of bool, shape (..., T, S), or None
        As in `attention`.
    """
    dv = p.swapaxes(-1, -2) @ da
    dp = da @ v.swapaxes(-1, -2)
    dz = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
    if mask is not None:
        dz = dz * mask
    dz = dz / sqrt(q.shape[-1])
    return dz @ k, dz.swapaxes(-1, -2) @ q, dv


def causal_mask(T, S, past=0):
    """Return a mask of shape (T, S): query t, that stands at position past + t, sees none after its own."""
    return np.tri(T, S, past, dtype=bool)


def padding_mask(lengths, T):
    """Return a mask of shape (n, 1, T): of each sequence all see its first positions, ``lengths`` of them."""
    return np.arange(T) < np.reshape(lengths, (-1, 1, 1))


# ---------------------------------------------------------------------------- layers


class Projection(Layer):
    """A dense layer at every position: z = xW + b, whose inputs and outputs may have several axes.

    Parameters
    ----------
    outputs : tuple of int or None
        What comes out at a position; None until the owner knows.
    use_bias : bool
        Whether b is learnt; otherwise it stays 0.
    kernel_initializer : str or callable
        As in `Dense`.
    dtype : "float64" or "float32"
        Of the weights; inputs are converted to it.
    rng : numpy.random.Generator
        Draws the weights.

    Attributes
    ----------
    W : numpy.ndarray, shape ``(*inputs, *outputs)``
        The kernel, for x of shape ``(n, T, *inputs)``; None until the first of them.
    b : numpy.ndarray, shape outputs
        The bias.
    """

    def __init__(self, outputs, use_bias=True, kernel_initializer="glorot_uniform", dtype="float64", *, rng):
        self.outputs, self.use_bias = outputs, use_bias
        self.initialize = choice("kernel_initializer", kernel_initializer, INITIALIZERS)
        self.dtype, self.rng = float_type("dtype", dtype), generator("rng", rng)
        self.W = self.b = None

    def build(self, input_shape):
        """Draw W, as a matrix, for inputs of shape ``(n, T, *inputs)``, and set b to 0."""
        inputs = input_shape[2:]
        W = self.initialize((prod(inputs), prod(self.outputs)), self.rng)
        self.W = W.reshape(*inputs, *self.outputs).astype(self.dtype)
        self.b = np.zeros(self.outputs, self.dtype)

    def forward(self, x, training=False):
        """Return xW + b, of shape ``(n, T, *outputs)``, summed over all axes of the inputs."""
        self.x = np.asarray(x, self.dtype)
        if self.W is None:
            self.build(self.x.shape)
        return np.tensordot(self.x, self.W, axes=self.x.ndim - 2) + self.b

    def backward(self, dz):
        """Store ∂L/∂W and ∂L/∂b, and return ∂L/∂x: as in `Dense`, each position being an example."""
        inputs = self.x.ndim - 2
        outputs = range(2, dz.ndim), range(inputs, self.W.ndim)
        self.dW = np.tensordot(self.x, dz, axes=((0, 1), (0, 1)))
        self.db = dz.sum(axis=(0, 1))
        return np.tensordot(dz, self.W, axes=outputs)

    @property
    def params(self):
        """W and b."""
        return [self.W, self.b] if self.use_bias else [self.W]

    @property
    def grads(self):
        """∂L/∂W and ∂L/∂b."""
        return [self.dW, self.db] if self.use_bias else [self.dW]


class MultiHeadAttention(Layer):
    """Several heads that attend side by side, each with queries, keys and values of its own.

    Head h has q = xW_q + b_q, k = xW_k + b_k, v = xW_v + b_v and aₕ = softmax(qkᵀ / √key_dim) v, and the
    layer returns Σₕ aₕ W_o + b_o (Vaswani et al., 2017). The bias b_k adds q · b_k to all scores of a query
    alike, which softmax does not see: its gradient is 0.

    Parameters
    ----------
    num_heads, key_dim : int
        How many heads, and the size of a query and a key in each.
    value_dim : int or None
        The size of a value; None is ``key_dim``.
    use_bias : bool
        Whether the four biases are learnt.
    kernel_initializer, dtype, rng : object
        As in `Projection`.

    Attributes
    ----------
    query, key, value, output : Projection
        With kernels of Keras's shapes (d, heads, key_dim), the same, (d, heads, value_dim), and (heads,
        value_dim, d).
    p : numpy.ndarray, shape (n, heads, T, S)
        The weights of the last batch.
    """

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        dtype="float64",
        *,
        rng,
    ):
        self.num_heads = positive_integer("num_heads", num_heads)
        self.key_dim = positive_integer("key_dim", key_dim)
        value_dim = key_dim if value_dim is None else value_dim
        self.value_dim = positive_integer("value_dim", value_dim)
        keys, values = (num_heads, key_dim), (num_heads, value_dim)
        outputs = keys, keys, values, None
        options = use_bias, kernel_initializer, dtype
        self.projections = [Projection(s, *options, rng=rng) for s in outputs]
        self.query, self.key, self.value, self.output = self.projections

    def heads(self, query, key, value):
        """Return q, k and v, the heads before the positions: (n, heads, T, key_dim)."""
        self.output.outputs = query.shape[2:]
        given = zip(self.projections, (query, key, value), strict=False)
        return [project.forward(x).swapaxes(1, 2) for project, x in given]

    @takes(attending, "self", "query", "training", "value", "key", "attention_mask")
    def forward(
        self, query, training=False, value=None, key=None, attention_mask=None, use_causal_mask=False
    ):
        """Return what each query found, of the shape of ``query``.

        Parameters
        ----------
        query : numpy.ndarray, shape (n, T, d)
            What looks; alone, it looks at itself.
        training : bool
            Changes nothing here.
        value, key : numpy.ndarray, shape (n, S, d), or None
            What is looked at; without a key, the value is the key too.
        attention_mask : numpy.ndarray of bool, shape (n, T, S), or None
            Whether query t may look at position s.
        use_causal_mask : bool
            Whether it may in no case look at a later one.
        """
        self.arrays = 1 + (value is not None) + (key is not None)
        value = query if value is None else value
        key = value if key is None else key
        self.q, self.k, self.v = self.heads(query, key, value)
        T, S = self.q.shape[2], self.k.shape[2]
        self.mask = causal_mask(T, S) if use_causal_mask else None
        if attention_mask is not None:
            mask = np.expand_dims(attention_mask, -3)  # the same for all heads
            self.mask = mask if self.mask is None else self.mask & mask
        a, self.p = attention(self.q, self.k, self.v, self.mask)
        return self.output.forward(a.swapaxes(1, 2))

    def backward(self, da):
        """Store the gradients of the weights, and return those of the arrays that `forward` got.

        That is ∂L/∂query; or this and ∂L/∂value; or ∂L/∂query, ∂L/∂value and ∂L/∂key. An array that had
        several parts has the sum of their gradients.
        """
        da = self.output.backward(da).swapaxes(1, 2)
        inner = attention_gradient(self.q, self.k, self.v, self.p, da, self.mask)
        given = zip(self.projections, inner, strict=False)
        dquery, dkey, dvalue = (p.backward(dz.swapaxes(1, 2)) for p, dz in given)
        if self.arrays == 1:
            return dquery + dkey + dvalue
        return (dquery, dvalue + dkey) if self.arrays == 2 else (dquery, dvalue, dkey)

    def extend(self, x, cache=None):
        """Return what new positions find among all so far and themselves, and the longer cache.

        Earlier positions don't see later ones, so their keys and values stay what they were: a cache, a pair
        of arrays (n, heads, S, …), keeps them, and only the new ones are computed. There is no way back
        from here: `backward` follows `forward`.
        """
        q, k, v = self.heads(x, x, x)
        if cache is not None:
            pairs = zip(cache, (k, v), strict=True)
            k, v = (np.concatenate(pair, axis=2) for pair in pairs)
        T, S = q.shape[2], k.shape[2]
        a, _ = attention(q, k, v, causal_mask(T, S, past=S - T))
        return self.output.forward(a.swapaxes(1, 2)), (k, v)

    @property
    def params(self):
        """W and b of queries, keys, values and output."""
        return [w for project in self.projections for w in project.params]

    @property
    def grads(self):
        """The gradients of the loss with respect to them."""
        return [dw for project in self.projections for dw in project.grads]


class LayerNormalization(Layer):
    """A layer that gives the numbers at each position mean 0 and variance 1, then a scale γ and a shift β.

    Mean and variance are those of the last axis (Ba, Kiros & Hinton, 2016): no example sees another, and
    training and use are the same. The variance divides by d. The constant is Keras's.

    Parameters
    ----------
    epsilon : float
        Added to the variance, so that a constant vector is not divided by 0.
    dtype : "float64" or "float32"
        Of the weights; inputs are converted to it.

    Attributes
    ----------
    gamma, beta : numpy.ndarray, shape (d,)
        The scale and the shift; None until the first batch.
    """

    def __init__(self, epsilon=1e-3, dtype="float64"):
        self.epsilon = between("epsilon", epsilon, 0, np.inf)
        self.dtype = float_type("dtype", dtype)
        self.gamma = self.beta = None

    def build(self, input_shape):
        """Start with γ = 1 and β = 0."""
        self.gamma, self.beta = np.ones(input_shape[-1], self.dtype), np.zeros(input_shape[-1], self.dtype)

    @takes(fitting, "self", "x")
    def forward(self, x, training=False):
        """Return γx̂ + β with x̂ = (x − μ) / √(σ² + ε)."""
        x = np.asarray(x, self.dtype)
        if self.gamma is None:
            self.build(x.shape)
        self.std = np.sqrt(x.var(axis=-1, keepdims=True) + self.epsilon)
        self.x_hat = (x - x.mean(axis=-1, keepdims=True)) / self.std
        return self.gamma * self.x_hat + self.beta

    def backward(self, da):
        """Store ∂L/∂γ and ∂L/∂β, and return ∂L/∂x, from ∂L/∂a.

        γⱼ and βⱼ act on number j of every position: ∂L/∂γⱼ = Σ ∂L/∂aⱼ · x̂ⱼ and ∂L/∂βⱼ = Σ ∂L/∂aⱼ.

        The positions do not touch each other. Take one, with the numbers x₁ … x_d, and write s = √(σ² + ε)
        and gᵢ = ∂L/∂x̂ᵢ = ∂L/∂aᵢ · γᵢ. Each xⱼ moves μ and s, and through them every x̂ᵢ, as the values of a
        channel do in `BatchNormalization.backward`, with d in place of m:
        ∂x̂ᵢ/∂xⱼ = (δᵢⱼ − 1/d − x̂ᵢ x̂ⱼ/d) / s. The sum over the paths is
        ∂L/∂xⱼ = (gⱼ − (1/d) Σᵢ gᵢ − x̂ⱼ · (1/d) Σᵢ gᵢ x̂ᵢ) / s.
        """
        positions = tuple(range(da.ndim - 1))
        self.dgamma = (da * self.x_hat).sum(axis=positions)
        self.dbeta = da.sum(axis=positions)
        g = da * self.gamma
        along = (g * self.x_hat).mean(axis=-1, keepdims=True)
        return (g - g.mean(axis=-1, keepdims=True) - self.x_hat * along) / self.std

    @property
    def params(self):
        """γ and β."""
        return [self.gamma, self.beta]

    @property
    def grads(self):
        """∂L/∂γ and ∂L/∂β."""
        return [self.dgamma, self.dbeta]


class GELU(Activation):
    """`gelu` applied to every number, exact or in its form with tanh."""

    def __init__(self, approximate=False):
        self.activation = "gelu"
        self.f = partial(gelu, approximate=approximate)
        self.derivative = partial(gelu_derivative, approximate=approximate)
