"""Attention: positions of a sequence look at each other, and a decoder is made of that (chapter 15).

Sequences come in batches: x of shape (n, T, d) holds a vector of d numbers at each of T positions. Inside
attention the heads stand before the positions: q of shape (n, heads, T, key_dim).

A mask is True where a position may be looked at, as in Keras.
"""

from functools import partial
from math import prod, sqrt

import numpy as np

from twice.activations import gelu, gelu_derivative, softmax
from twice.arguments import (
    attended,
    attending,
    between,
    choice,
    fitting,
    float_type,
    generator,
    placed,
    positive_integer,
    takes,
    tokens_of,
)
from twice.initializers import INITIALIZERS
from twice.layers import Activation, Layer
from twice.models import Network, Sequential

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
    W : numpy.ndarray, shape (*inputs, *outputs)
        The kernel, for x of shape (n, T, *inputs); None until the first of them.
    b : numpy.ndarray, shape outputs
        The bias.
    """

    def __init__(self, outputs, use_bias=True, kernel_initializer="glorot_uniform", dtype="float64", *, rng):
        self.outputs, self.use_bias = outputs, use_bias
        self.initialize = choice("kernel_initializer", kernel_initializer, INITIALIZERS)
        self.dtype, self.rng = float_type("dtype", dtype), generator("rng", rng)
        self.W = self.b = None

    def build(self, input_shape):
        """Draw W, as a matrix, for inputs of shape (n, T, *inputs), and set b to 0."""
        inputs = input_shape[2:]
        W = self.initialize((prod(inputs), prod(self.outputs)), self.rng)
        self.W = W.reshape(*inputs, *self.outputs).astype(self.dtype)
        self.b = np.zeros(self.outputs, self.dtype)

    def forward(self, x, training=False):
        """Return xW + b, of shape (n, T, *outputs), summed over all axes of the inputs."""
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
        self.value_dim = self.key_dim if value_dim is None else positive_integer("value_dim", value_dim)
        outputs = [(self.num_heads, size) for size in (self.key_dim, self.key_dim, self.value_dim)]
        self.projections = self.query, self.key, self.value, self.output = [
            Projection(shape, use_bias, kernel_initializer, dtype, rng=rng) for shape in (*outputs, None)
        ]

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
        self.q, self.k, self.v = self.heads(query, value if key is None else key, value)
        self.mask = attention_mask
        if use_causal_mask:
            causal = causal_mask(self.q.shape[2], self.k.shape[2])
            self.mask = causal if attention_mask is None else attention_mask & causal
        a, self.p = attention(self.q, self.k, self.v, self.mask)
        return self.output.forward(a.swapaxes(1, 2))

    def backward(self, da):
        """Store the gradients of the weights, and return those of the arrays that `forward` got.

        That is ∂L/∂query; or this and ∂L/∂value; or ∂L/∂query, ∂L/∂value and ∂L/∂key. An array that had
        several parts has the sum of their gradients.
        """
        da = self.output.backward(da).swapaxes(1, 2)
        inner = attention_gradient(self.q, self.k, self.v, self.p, da, self.mask)
        dquery, dkey, dvalue = (
            project.backward(dz.swapaxes(1, 2)) for project, dz in zip(self.projections, inner, strict=False)
        )
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
            k, v = (np.concatenate(pair, axis=2) for pair in zip(cache, (k, v), strict=True))
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


# ---------------------------------------------------------------------------- positions


def frequencies(d, base=10000):
    """Return the d/2 angular frequencies ωᵢ = base^(−2i/d), from 1 down to nearly 1/base."""
    if positive_integer("d", d) % 2:
        raise ValueError(f"d: expected an even number, as sines and cosines come in pairs; got {d}")
    return base ** (-np.arange(0, d, 2) / d)


def sinusoidal_positions(T, d, base=10000):
    """Return a vector for each position t: (sin ω₀t, cos ω₀t, sin ω₁t, cos ω₁t, …), of shape (T, d)."""
    angles = np.arange(positive_integer("T", T))[:, None] * frequencies(d, base)
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(T, d)


def shift_matrix(s, d, base=10000):
    """Return the matrix R that moves sinusoidal positions by s: row t of them, times R, is row t + s.

    sin ω(t + s) = sin ωt cos ωs + cos ωt sin ωs and cos ω(t + s) = cos ωt cos ωs − sin ωt sin ωs: each pair
    turns by the angle ωs, the same at every t.

    Parameters
    ----------
    s : int
        How far; backwards if negative.
    d, base : int
        As in `sinusoidal_positions`.

    Returns
    -------
    numpy.ndarray, shape (d, d)
        Orthogonal, with blocks of 2 × 2 on its diagonal.
    """
    angles, i = s * frequencies(d, base), np.arange(0, d, 2)
    R = np.zeros((d, d))
    R[i, i] = R[i + 1, i + 1] = np.cos(angles)
    R[i + 1, i], R[i, i + 1] = np.sin(angles), -np.sin(angles)
    return R


def uniform(shape, rng):
    """Return a weight drawn evenly from ±0.05: Keras's start for embeddings."""
    return rng.uniform(-0.05, 0.05, shape)


POSITIONS = {
    "learnt": lambda T, d, rng: uniform((T, d), rng),
    "sinusoidal": lambda T, d, rng: sinusoidal_positions(T, d),
    "none": lambda T, d, rng: np.zeros((T, d)),
}


class TokenAndPositionEmbedding(Layer):
    """The first layer of a decoder: x = E[token] + P[position].

    Parameters
    ----------
    vocabulary_size, sequence_length, embedding_dim : int
        How many tokens there are, the most positions, and d.
    positions : "learnt", "sinusoidal", "none" or callable
        Whether P is learnt, is `sinusoidal_positions`, is 0, or is what a function of its two sizes and
        ``rng`` returns.
    dtype : "float64" or "float32"
        Of the weights.
    rng : numpy.random.Generator
        Draws them.

    Attributes
    ----------
    E, P : numpy.ndarray, shapes (vocabulary_size, d) and (sequence_length, d)
        A vector for each token and for each position; `TiedOutput` uses E once more.
    """

    def __init__(
        self,
        vocabulary_size,
        sequence_length,
        embedding_dim,
        positions="learnt",
        dtype="float64",
        *,
        rng,
    ):
        self.vocabulary_size = positive_integer("vocabulary_size", vocabulary_size)
        self.sequence_length = positive_integer("sequence_length", sequence_length)
        d = positive_integer("embedding_dim", embedding_dim)
        self.dtype, rng = float_type("dtype", dtype), generator("rng", rng)
        self.E = uniform((self.vocabulary_size, d), rng).astype(self.dtype)
        self.P = choice("positions", positions, POSITIONS)(self.sequence_length, d, rng).astype(self.dtype)
        self.learnt, self.tied = positions == "learnt", 0

    @takes(placed, "self", "tokens", "training", "past")
    def forward(self, tokens, training=False, past=0):
        """Return the vectors of tokens (n, T), the first of which stands at position ``past``."""
        self.tokens = tokens
        return self.E[tokens] + self.P[past : past + tokens.shape[1]]

    def backward(self, dx):
        """Store ∂L/∂E, with the part that `TiedOutput` found, and ∂L/∂P.

        Row t of E has the sum of the gradients of all places where token t stands; row t of P has that of
        position t over the examples.
        """
        self.dE, self.dP = self.tied + np.zeros_like(self.E), np.zeros_like(self.P)
        np.add.at(self.dE, self.tokens, dx)
        self.dP[: dx.shape[1]] = dx.sum(axis=0)

    @property
    def params(self):
        """E, and P if it is learnt."""
        return [self.E, self.P] if self.learnt else [self.E]

    @property
    def grads(self):
        """∂L/∂E and ∂L/∂P."""
        return [self.dE, self.dP] if self.learnt else [self.dE]


class TiedOutput(Layer):
    """The last layer of a decoder: a logit for each token, z = xEᵀ, with the E of the first layer."""

    def __init__(self, embedding):
        self.embedding = embedding

    def forward(self, x, training=False):
        """Return xEᵀ, of shape (n, T, vocabulary_size)."""
        self.x = x
        return x @ self.embedding.E.T

    def backward(self, dz):
        """Return ∂L/∂x = ∂L/∂z E; E acts here too, so the first layer adds (∂L/∂z)ᵀ x to its gradient."""
        self.embedding.tied = np.tensordot(dz, self.x, axes=((0, 1), (0, 1)))
        return dz @ self.embedding.E


# ---------------------------------------------------------------------------- a decoder


class DecoderBlock(Layer):
    """A block in which positions look back, then think: y = x + attention(norm(x)), then y + mlp(norm(y)).

    Both parts add to x rather than replace it, and x goes through no norm itself ("pre-norm").

    Parameters
    ----------
    num_heads, key_dim : int
        As in `MultiHeadAttention`.
    intermediate_dim : int
        The width of the hidden layer of the mlp, which is a dense layer with `gelu` and one without.
    epsilon : float
        As in `LayerNormalization`.
    approximate : bool
        As in `gelu`.
    dtype, rng : object
        As in `Projection`.
    """

    def __init__(
        self, num_heads, key_dim, intermediate_dim, epsilon=1e-3, approximate=False, dtype="float64", *, rng
    ):
        self.norms = [LayerNormalization(epsilon, dtype) for _ in range(2)]
        self.attention = MultiHeadAttention(num_heads, key_dim, dtype=dtype, rng=rng)
        hidden = Projection((positive_integer("intermediate_dim", intermediate_dim),), dtype=dtype, rng=rng)
        self.mlp = Network([hidden, GELU(approximate), Projection(None, dtype=dtype, rng=rng)])

    def forward(self, x, training=False, attention_mask=None):
        """Return the output, of the shape (n, T, d) of x; ``attention_mask`` hides more than the future."""
        x = np.asarray(x, self.norms[0].dtype)
        normed = self.norms[0].forward(x)
        y = x + self.attention.forward(normed, attention_mask=attention_mask, use_causal_mask=True)
        return self.think(y)

    def think(self, y):
        """Return y + mlp(norm(y)), the second half."""
        self.mlp.layers[-1].outputs = y.shape[2:]
        return y + self.mlp.forward(self.norms[1].forward(y))

    def backward(self, da):
        """Return ∂L/∂x: each sum hands its gradient on to both of its terms, so each half adds one to it."""
        dy = da + self.norms[1].backward(self.mlp.backward(da))
        return dy + self.norms[0].backward(self.attention.backward(dy))

    def extend(self, x, cache=None):
        """Return the output at new positions, and the longer cache: see `MultiHeadAttention.extend`."""
        a, cache = self.attention.extend(self.norms[0].forward(x), cache)
        return self.think(x + a), cache

    @property
    def layers(self):
        """The four layers, in the order of the formula."""
        return self.norms[0], self.attention, self.norms[1], self.mlp

    @property
    def params(self):
        """The parameters of norm, attention, norm and mlp."""
        return [w for layer in self.layers for w in layer.params]

    @property
    def grads(self):
        """The gradients of the loss with respect to them."""
        return [dw for layer in self.layers for dw in layer.grads]


def sample(z, temperature, rng):
    """Return a token for each row of logits, drawn from softmax(z / temperature); at 0 the likeliest."""
    if temperature == 0:
        return z.argmax(axis=-1)
    c = softmax(z / temperature).cumsum(axis=-1, dtype=np.float64)
    return (c > rng.random((len(z), 1)) * c[:, -1:]).argmax(axis=-1)


class Decoder(Sequential):
    """A network that reads tokens and says at each position how likely each token is to come next.

    Token and position embeddings, blocks, a last norm, and an output that shares its weights with the token
    embedding (Press & Wolf, 2017). It is trained on logits: ``compile`` with ``from_logits=True``.

    Parameters
    ----------
    vocabulary_size, sequence_length, embedding_dim : int
        As in `TokenAndPositionEmbedding`.
    num_heads, num_blocks : int
        Heads have ``embedding_dim`` / ``num_heads`` numbers each.
    intermediate_dim : int or None
        As in `DecoderBlock`; None is 4 ``embedding_dim``.
    positions : str
        As in `TokenAndPositionEmbedding`.
    epsilon, approximate, dtype, rng : object
        As in `DecoderBlock`.
    """

    def __init__(
        self,
        vocabulary_size,
        sequence_length,
        embedding_dim,
        num_heads,
        num_blocks,
        intermediate_dim=None,
        positions="learnt",
        epsilon=1e-3,
        approximate=False,
        dtype="float64",
        *,
        rng,
    ):
        sizes = vocabulary_size, sequence_length, embedding_dim
        self.embedding = TokenAndPositionEmbedding(*sizes, positions, dtype, rng=rng)
        if embedding_dim % positive_integer("num_heads", num_heads):
            raise ValueError(f"num_heads: expected a divisor of {embedding_dim}, got {num_heads}")
        width = 4 * embedding_dim if intermediate_dim is None else intermediate_dim
        options = num_heads, embedding_dim // num_heads, width, epsilon, approximate, dtype
        count = positive_integer("num_blocks", num_blocks)
        self.blocks = [DecoderBlock(*options, rng=rng) for _ in range(count)]
        self.norm, self.output = LayerNormalization(epsilon, dtype), TiedOutput(self.embedding)
        super().__init__([self.embedding, *self.blocks, self.norm, self.output])

    def extend(self, tokens, caches=None):
        """Return the logits of new tokens (n, T) that follow those in the caches, and the longer caches."""
        caches = [None] * len(self.blocks) if caches is None else caches
        past = 0 if caches[0] is None else caches[0][0].shape[2]
        x, longer = self.embedding.forward(tokens, past=past), []
        for block, cache in zip(self.blocks, caches, strict=True):
            x, cache = block.extend(x, cache)
            longer.append(cache)
        return self.output.forward(self.norm.forward(x)), longer

    def generate(self, tokens, length, temperature=1.0, use_cache=True, *, rng):
        """Return ``tokens`` (n, T) with ``length`` more, each drawn by what the network says of those before.

        It sees the last ``sequence_length`` of them. As soon as the first falls out of sight, every other
        token has a new position, and no cache helps.

        Parameters
        ----------
        tokens : numpy.ndarray of int, shape (n, T)
            The beginnings.
        length : int
            How many to add.
        temperature : float
            As in `sample`.
        use_cache : bool
            Whether to keep keys and values; the same logits come more slowly without.
        rng : numpy.random.Generator
            Draws the tokens.
        """
        tokens, caches = tokens_of("tokens", tokens, self.embedding.vocabulary_size), None
        between("temperature", temperature, 0, np.inf), generator("rng", rng)
        for _ in range(positive_integer("length", length)):
            fits = tokens.shape[1] <= self.embedding.sequence_length
            if use_cache and fits and caches is not None:
                z, caches = self.extend(tokens[:, -1:], caches)
            else:
                z, caches = self.extend(tokens[:, -self.embedding.sequence_length :])
            tokens = np.append(tokens, sample(z[:, -1], temperature, rng)[:, None], axis=1)
        return tokens
