"""A decoder: a network that reads tokens and says what may come next (chapters 15 and 16)."""

import numpy as np

from twice.arguments import between, generator, positive_integer
from twice.attention import GELU, LayerNormalization, MultiHeadAttention, Projection
from twice.embeddings import TiedOutput, TokenAndPositionEmbedding
from twice.layers import Layer
from twice.models import Network, Sequential
from twice.sequence_arguments import tokens_of
from twice.text import sample


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
