"""Vectors for symbols and for positions (chapters 14, 15 and 16).

A sequence of symbols is a row of integers, x of shape (n, T); an embedding gives each symbol a vector that is
learnt, and positions have vectors of their own. `Padded` is an array that knows which of its steps are only
there to fill it up.
"""

import numpy as np

from twice.arguments import choice, float_type, generator, positive_integer, takes
from twice.initializers import INITIALIZERS, uniform
from twice.layers import Layer
from twice.sequence_arguments import placed, symbols

# ---------------------------------------------------------------------------- symbols


class Padded(np.ndarray):
    """An array of shape (n, T, …) that carries a mask, as tensors in Keras do, from layer to layer.

    Recurrent layers that return sequences, `Dropout` and plain arithmetic hand the mask on. Other layers,
    `Activation` and `BatchNormalization` among them, leave it behind: give it to ``forward`` after those.

    Attributes
    ----------
    mask : numpy.ndarray of bool, shape (n, T), or None
        False where a step is padding.
    """

    def __array_finalize__(self, source):
        mask = getattr(source, "mask", None)
        self.mask = mask if mask is not None and mask.shape == self.shape[:2] else None


def padded(a, mask):
    """Return an array with its mask; without one, as it is."""
    if mask is None:
        return a
    a = a.view(Padded)
    a.mask = mask
    return a


class Embedding(Layer):
    """A layer that gives each of ``input_dim`` symbols a vector of its own, which is learnt.

    Symbol k gets row k of W. With 1ₖ for the row vector that is 1 at k and 0 elsewhere ("one-hot"), that is
    1ₖW: a dense layer without bias for which nobody has written out the zeros.

    Parameters
    ----------
    input_dim : int
        The number of symbols, 0 to ``input_dim`` − 1.
    output_dim : int
        The length of their vectors.
    embeddings_initializer : str or callable
        As in `twice.layers.Dense`.
    mask_zero : bool
        Whether symbol 0 is padding: the output then carries a mask (`Padded`).
    dtype : "float64" or "float32"
        Of the weights.
    rng : numpy.random.Generator
        Draws the weights.

    Attributes
    ----------
    W, dW : numpy.ndarray, shape (input_dim, output_dim)
        The vectors, and the gradient of the loss; None until the first batch.
    """

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        mask_zero=False,
        dtype="float64",
        *,
        rng,
    ):
        self.input_dim = positive_integer("input_dim", input_dim)
        self.output_dim = positive_integer("output_dim", output_dim)
        self.initialize = choice("embeddings_initializer", embeddings_initializer, INITIALIZERS)
        self.dtype, self.rng = float_type("dtype", dtype), generator("rng", rng)
        self.mask_zero, self.W = mask_zero, None

    def build(self, input_shape=None):
        """Draw W, whose shape does not depend on the input."""
        self.W = self.initialize((self.input_dim, self.output_dim), self.rng).astype(self.dtype)

    @takes(symbols, "self", "x")
    def forward(self, x, training=False):
        """Return the vectors of the symbols ``x``, of shape (n, T, output_dim)."""
        if self.W is None:
            self.build()
        self.x = np.asarray(x, int)
        return padded(self.W[self.x], self.x != 0 if self.mask_zero else None)

    def backward(self, da):
        """Store ∂L/∂W from ∂L/∂a. There is no ∂L/∂x: a symbol can't be changed a little.

        Row k of W is the output wherever the symbol is k, so its gradient is the sum over all those places.
        ``dW[x] += da`` would add only one of them, as it writes each row once; ``np.add.at`` adds them all.
        The product of the one-hot matrix, transposed, with ∂L/∂a is the same sum, but takes input_dim
        products for each number that is added, all but one of them with 0.
        """
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.x, da)

    @property
    def params(self):
        """W."""
        return [self.W]

    @property
    def grads(self):
        """∂L/∂W."""
        return [self.dW]


# ---------------------------------------------------------------------------- positions


def frequencies(d, base=10000):
    """Return the d/2 angular frequencies ωᵢ = base^(−2i/d), from 1 down to nearly 1/base."""
    if positive_integer("d", d) % 2:
        raise ValueError(f"d: expected an even number, as sines come with cosines; got {d}")
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
        self.tokens = np.asarray(tokens, dtype=int)
        return self.E[self.tokens] + self.P[past : past + self.tokens.shape[1]]

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
