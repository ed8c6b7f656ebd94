"""Layers that read a sequence step by step: simple recurrence, LSTM and GRU (chapter 14).

A batch of sequences is x of shape (n, T, d): n sequences of T steps, d numbers at each. A recurrent layer
keeps a state of shape (n, units), which starts at 0, and makes the new state of step t from the old one and
from xₜ, with the same weights at every step. `Recurrent` holds what such layers share: the loop over time,
forward and backward. What a layer does at one step, and the gradient of that, are its ``step`` and its
``step_backward``.

Short sequences are filled up with steps that mean nothing. A mask, boolean and of shape (n, T), is False
there: such a step leaves the state as it was, and its output is that of the step before.
"""

import numpy as np

from twice.arguments import choice, float_type, generator, positive_integer, takes
from twice.embeddings import padded
from twice.initializers import INITIALIZERS
from twice.layers import ACTIVATIONS, Layer
from twice.sequence_arguments import read_in_order, stepwise

ELEMENTWISE = {name: pair for name, pair in ACTIVATIONS.items() if pair[1]}  # all but softmax


class TimeDistributed(Layer):
    """A layer that applies another one, such as `Dense`, to each step by itself, as Keras's does.

    For the inner layer every step of every sequence is an example: it sees (nT, d) in place of (n, T, d).

    Parameters
    ----------
    layer : twice.layers.Layer
        The layer inside.
    """

    def __init__(self, layer):
        self.layer = layer

    @takes(stepwise, "self", "x")
    def forward(self, x, training=False):
        """Return the inner layer's outputs, of shape (n, T, …)."""
        self.steps = x.shape[:2]
        a = self.layer.forward(x.reshape(-1, *x.shape[2:]), training)
        return a.reshape(*self.steps, *a.shape[1:])

    def backward(self, da):
        """Return ∂L/∂x, of shape (n, T, …); the inner layer stores its gradients."""
        dx = self.layer.backward(da.reshape(-1, *da.shape[2:]))
        return dx.reshape(*self.steps, *dx.shape[1:])

    @property
    def params(self):
        """The parameters of the inner layer."""
        return self.layer.params

    @property
    def grads(self):
        """The gradients of the loss with respect to them."""
        return self.layer.grads

    @property
    def state(self):
        """What training changes in the inner layer without a gradient."""
        return self.layer.state


def through_time(step, p, s, mask):
    """Return h after every step, the final state, and what each step kept for the way back.

    Parameters
    ----------
    step : callable
        Takes p[:, t] and the old state, and returns the new state and what is to be kept.
    p : numpy.ndarray, shape (n, T, columns)
        The input's part of every step.
    s : list of numpy.ndarray, shape (n, units)
        The initial state: h alone, or h and c.
    mask : numpy.ndarray of bool, shape (n, T)
        False where a step leaves the state as it was.
    """
    outputs, kept = [], []
    for t in range(p.shape[1]):
        new, keep = step(p[:, t], *s)
        s = [np.where(mask[:, t, None], a, old) for a, old in zip(new, s, strict=True)]
        outputs.append(s[0])
        kept.append(keep)
    return np.stack(outputs, axis=1), s, kept


def back_through_time(step_backward, kept, dh, ds, mask):
    """Return ∂L/∂p and the gradient with respect to the initial state: backpropagation through time.

    The loss depends on the state sₜ in two ways, through the output of step t and through the state of step
    t + 1. So, from the last step to the first, ∂L/∂sₜ is the gradient of that output plus what step t + 1
    hands back. A masked step has handed on the state as it was, and hands the gradient back as it is.

    Parameters
    ----------
    step_backward : callable
        Takes the gradient with respect to a step's new state and what was kept, and returns ∂L/∂p of that
        step and the gradient with respect to its old state.
    kept : list
        From `through_time`.
    dh : numpy.ndarray, shape (n, T, units)
        The gradient with respect to the outputs.
    ds : list of numpy.ndarray, shape (n, units)
        The gradient with respect to the final state, where that has been used itself.
    mask : numpy.ndarray of bool, shape (n, T)
        As in `through_time`.
    """
    dp = []
    for t in reversed(range(len(kept))):
        ds = [ds[0] + dh[:, t], *ds[1:]]
        counts = mask[:, t, None]
        dp_t, back = step_backward(*(d * counts for d in ds), *kept[t])
        ds = [d + handed * ~counts for d, handed in zip(back, ds, strict=True)]
        dp.append(dp_t)
    return np.stack(dp[::-1], axis=1), ds


class Recurrent(Layer):
    """What the recurrent layers share: their weights, and the loop over time.

    The numbers of all gates stand side by side: of W's gates · units columns the first ``units`` belong to
    the first gate, and so on; U and b alike.

    Parameters
    ----------
    units : int
        The length of the state, and so of the output.
    activation : str or None
        "tanh", "relu", "sigmoid" or "linear"; None is "linear".
    use_bias : bool
        Whether b is learnt; otherwise it stays 0.
    kernel_initializer, recurrent_initializer : str or callable
        Of W and of U, as in `twice.layers.Dense`.
    return_sequences : bool
        Whether to return the output of every step, (n, T, units), rather than of the last one, (n, units).
    go_backwards : bool
        Whether to read the last step first. The outputs then come in the order of reading: the first is that
        of step T.
    dtype : "float64" or "float32"
        Of the weights; inputs are converted to it.
    rng : numpy.random.Generator
        Draws the weights.

    Attributes
    ----------
    W : numpy.ndarray, shape (d, gates · units)
        What the input is multiplied by; None until the first batch.
    U : numpy.ndarray, shape (units, gates · units)
        What the state is multiplied by.
    b : numpy.ndarray, shape (gates · units,)
        The bias.
    dW, dU, db : numpy.ndarray
        The gradients of the loss, of the same shapes.
    final_state, dinitial_state : list of numpy.ndarray, shape (n, units)
        The state after the last step, and the gradient with respect to the one before the first.
    first : bool
        Whether ``x`` is the data itself, whose gradient nobody needs: ``backward`` then leaves it out.
    """

    gates = states = 1

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        return_sequences=False,
        go_backwards=False,
        dtype="float64",
        *,
        rng,
    ):
        self.units = positive_integer("units", units)
        self.f, self.df = choice("activation", activation or "linear", ELEMENTWISE)
        self.use_bias = use_bias
        self.draw_W = choice("kernel_initializer", kernel_initializer, INITIALIZERS)
        self.draw_U = choice("recurrent_initializer", recurrent_initializer, INITIALIZERS)
        self.return_sequences, self.go_backwards = return_sequences, go_backwards
        self.dtype, self.rng = float_type("dtype", dtype), generator("rng", rng)
        self.W, self.U, self.b, self.first = None, None, None, False

    def build(self, input_shape):
        """Draw W and U for inputs of shape (n, T, d), and set b to what ``start_b`` says."""
        columns = self.gates * self.units
        self.W = self.draw_W((input_shape[2], columns), self.rng).astype(self.dtype)
        self.U = self.draw_U((self.units, columns), self.rng).astype(self.dtype)
        self.b = self.start_b(columns).astype(self.dtype)

    def start_b(self, columns):
        """Return the bias at the start: 0."""
        return np.zeros(columns)

    def zero_state(self, n):
        """Return a state of zeros for each of n sequences."""
        return list(np.zeros((self.states, n, self.units), self.dtype))

    def in_order(self, a):
        """Return an array (n, T, …) in the order of reading; a second time undoes the first."""
        return a[:, ::-1] if self.go_backwards else a

    @takes(read_in_order, "self", "x", "training", "mask", "initial_state")
    def forward(self, x, training=False, mask=None, initial_state=None):
        """Return the outputs, (n, T, units), or the last of them, (n, units).

        The output of a step is h, its (first) state. In a masked step it is the output of the step before,
        and before the first step that counts it is 0, as in Keras, even where the initial state is not.

        Parameters
        ----------
        x : numpy.ndarray, shape (n, T, d)
            The sequences.
        training : bool
            Makes no difference.
        mask : numpy.ndarray of bool, shape (n, T)
            False where a step is padding; None is the mask that ``x`` carries, if it does.
        initial_state : sequence of numpy.ndarray, shape (n, units)
            Where the state starts, such as the ``final_state`` of the batch before; None is 0.
        """
        if self.W is None:
            self.build(x.shape)
        mask = getattr(x, "mask", None) if mask is None else mask
        self.x = self.in_order(np.asarray(x, self.dtype))
        counts = np.ones(x.shape[:2], bool) if mask is None else mask
        self.mask = self.in_order(counts)
        start = self.zero_state(len(x)) if initial_state is None else initial_state
        s = [np.asarray(a, self.dtype) for a in start]
        p = self.x @ self.W + np.atleast_2d(self.b)[0]  # of all steps at once
        h, self.final_state, self.kept = through_time(self.step, p, s, self.mask)
        self.begun = np.logical_or.accumulate(self.mask, axis=1)[:, :, None]
        a = h * self.begun
        return padded(a, mask) if self.return_sequences else a[:, -1]

    def backward(self, da, dfinal_state=None):
        """Store the gradients of the weights, and return ∂L/∂x: see `back_through_time`.

        At each step the same weights were at work, so their gradients are sums over all steps. From ∂L/∂p for
        p = xW + b on it is a `Dense` layer's, with a row for each step.

        Parameters
        ----------
        da : numpy.ndarray, shape (n, T, units) or (n, units)
            The gradient with respect to what ``forward`` returned.
        dfinal_state : sequence of numpy.ndarray, shape (n, units)
            The gradient with respect to ``final_state``, where that has been used; None is 0. Left out
            between two parts of a long sequence, it makes backpropagation through time truncated.
        """
        n, T, _ = self.x.shape
        dh = np.zeros((n, T, self.units), self.dtype)
        dh[:, slice(None) if self.return_sequences else -1] = da
        dh *= self.begun
        ds = self.zero_state(n) if dfinal_state is None else dfinal_state
        self.dU, self.db = np.zeros_like(self.U), np.zeros_like(self.b)
        back = back_through_time(self.step_backward, self.kept, dh, ds, self.mask)
        dp, self.dinitial_state = back
        self.dW = np.tensordot(self.x, dp, axes=((0, 1), (0, 1)))
        np.atleast_2d(self.db)[0] += dp.sum(axis=(0, 1))  # of a GRU's two the first
        return None if self.first else self.in_order(dp @ self.W.T)

    @property
    def params(self):
        """W, U and b."""
        return [self.W, self.U, self.b] if self.use_bias else [self.W, self.U]

    @property
    def grads(self):
        """∂L/∂W, ∂L/∂U and ∂L/∂b."""
        return [self.dW, self.dU, self.db] if self.use_bias else [self.dW, self.dU]


class SimpleRNN(Recurrent):
    """The simplest recurrent layer (Elman, 1990): zₜ = xₜW + hₜ₋₁U + b and hₜ = f(zₜ).

    The parameters are those of `Recurrent`.
    """

    def step(self, p, h):
        """Return the new state and what ``step_backward`` needs, from p = xₜW + b and h = hₜ₋₁."""
        z = p + h @ self.U
        return [self.f(z)], (h, z)

    def step_backward(self, dh, h, z):
        """Add this step's part to ∂L/∂U, and return ∂L/∂p and [∂L/∂hₜ₋₁] from ∂L/∂hₜ.

        hₜ = f(z) gives ∂L/∂z = ∂L/∂hₜ · f′(z). z = p + hₜ₋₁U is a dense layer's sum, so its part of ∂L/∂U is
        hₜ₋₁ᵀ ∂L/∂z, and ∂L/∂hₜ₋₁ = ∂L/∂z Uᵀ.
        """
        dz = dh * self.df(z)
        self.dU += h.T @ dz
        return dz, [dz @ self.U.T]


class Gated(Recurrent):
    """What LSTM and GRU share: gates, whose numbers between 0 and 1 say how much passes.

    Parameters
    ----------
    units, activation : int, str or None
        As in `Recurrent`.
    recurrent_activation : str or None
        The activation σ of the gates.
    use_bias : bool
        As in `Recurrent`.
    **options : object
        As in `Recurrent`.
    """

    def __init__(self, units, activation="tanh", recurrent_activation="sigmoid", use_bias=True, **options):
        super().__init__(units, activation, use_bias, **options)
        both = choice("recurrent_activation", recurrent_activation or "linear", ELEMENTWISE)
        self.sigma, self.dsigma = both


class LSTM(Gated):
    """Long short-term memory (Hochreiter & Schmidhuber, 1997; with the forget gate of Gers et al., 2000).

    Beside h there is a second state, the memory c, that is not multiplied by a matrix from step to step. With
    z = xₜW + hₜ₋₁U + b, whose columns are those of i, f, g and o in this order,

    - i = σ(zᵢ), f = σ(z_f) and o = σ(zₒ) are the gates of input, forgetting and output,
    - g = φ(z_g) is what could be written (Keras calls it c),
    - cₜ = f cₜ₋₁ + i g and hₜ = o φ(cₜ), number by number.

    Parameters
    ----------
    units, activation, recurrent_activation, use_bias : int, str, None or bool
        As in `Gated`; φ is the activation and σ the recurrent one.
    unit_forget_bias : bool
        Whether the bias of f starts at 1, so that at first more of the memory is kept (Jozefowicz et al.,
        2015).
    **options : object
        As in `Recurrent`.
    """

    gates, states = 4, 2

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        unit_forget_bias=True,
        **options,
    ):
        super().__init__(units, activation, recurrent_activation, use_bias, **options)
        self.unit_forget_bias = unit_forget_bias

    def start_b(self, columns):
        """Return the bias at the start: 0, and 1 for the forget gate if ``unit_forget_bias``."""
        b = np.zeros(columns)
        if self.use_bias and self.unit_forget_bias:
            b[self.units : 2 * self.units] = 1
        return b

    def step(self, p, h, c):
        """Return the new states and what ``step_backward`` needs, from p = xₜW + b, hₜ₋₁ and cₜ₋₁."""
        z = np.split(p + h @ self.U, 4, axis=1)
        i, f, g, o = self.sigma(z[0]), self.sigma(z[1]), self.f(z[2]), self.sigma(z[3])
        c_new = f * c + i * g
        return [o * self.f(c_new), c_new], (h, c, z, (i, f, g, o), c_new)

    def step_backward(self, dh, dc, h, c, z, gates, c_new):
        """Add this step's part to ∂L/∂U, and return ∂L/∂p and [∂L/∂hₜ₋₁, ∂L/∂cₜ₋₁].

        - hₜ = o φ(cₜ) gives ∂L/∂o = ∂L/∂hₜ · φ(cₜ), and adds ∂L/∂hₜ · o φ′(cₜ) to ∂L/∂cₜ.
        - cₜ = f cₜ₋₁ + i g gives ∂L/∂i = ∂L/∂cₜ · g, ∂L/∂f = ∂L/∂cₜ · cₜ₋₁, ∂L/∂g = ∂L/∂cₜ · i, and
          ∂L/∂cₜ₋₁ = ∂L/∂cₜ · f: no matrix stands on the way back through the memory.
        - The rest is as in `SimpleRNN`, gate by gate.
        """
        i, f, g, o = gates
        dc = dc + dh * o * self.df(c_new)
        dz = np.hstack(
            [
                dc * g * self.dsigma(z[0]),
                dc * c * self.dsigma(z[1]),
                dc * i * self.df(z[2]),
                dh * self.f(c_new) * self.dsigma(z[3]),
            ]
        )
        self.dU += h.T @ dz
        return dz, [dz @ self.U.T, dc * f]


class GRU(Gated):
    """The gated recurrent unit (Cho et al., 2014): two gates and no second state.

    With p = xₜW + b, q = hₜ₋₁U + b′, and columns in the order z, r, h,

    - z = σ(p_z + q_z) and r = σ(pᵣ + qᵣ) are the gates of update and reset (z is no logit here),
    - g = φ(pₕ + r qₕ) is the candidate, the reset gate acting after the product with U,
    - hₜ = z hₜ₋₁ + (1 − z) g, number by number: z keeps the old state.

    With ``reset_after=False`` the gate acts before, as in the paper: qₕ = (r hₜ₋₁)Uₕ and
    g = φ(pₕ + qₕ). Then b′ would do nothing that b does not, and is left out.

    Parameters
    ----------
    units, activation, recurrent_activation, use_bias : int, str, None or bool
        As in `Gated`; φ is the activation and σ the recurrent one.
    reset_after : bool
        Whether the reset gate acts after the product with U; b then has the rows b and b′.
    **options : object
        As in `Recurrent`.
    """

    gates = 3

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        reset_after=True,
        **options,
    ):
        super().__init__(units, activation, recurrent_activation, use_bias, **options)
        self.reset_after = reset_after

    def start_b(self, columns):
        """Return the biases at the start: 0."""
        return np.zeros((2, columns) if self.reset_after else columns)

    def step(self, p, h):
        """Return the new state and what ``step_backward`` needs, from p = xₜW + b and h = hₜ₋₁."""
        k = 2 * self.units  # where the columns of the candidate begin
        q = h @ self.U + self.b[1] if self.reset_after else h @ self.U[:, :k]
        logits = p[:, :k] + q[:, :k]
        z, r = np.split(self.sigma(logits), 2, axis=1)
        qh = q[:, k:] if self.reset_after else (r * h) @ self.U[:, k:]
        inner = p[:, k:] + (r * qh if self.reset_after else qh)
        g = self.f(inner)
        return [z * h + (1 - z) * g], (h, logits, z, r, qh, inner, g)

    def step_backward(self, dh, h, logits, z, r, qh, inner, g):
        """Add this step's part to ∂L/∂U and ∂L/∂b′, and return ∂L/∂p and [∂L/∂hₜ₋₁].

        - hₜ = z hₜ₋₁ + (1 − z) g gives ∂L/∂z = ∂L/∂hₜ · (hₜ₋₁ − g), ∂L/∂g = ∂L/∂hₜ · (1 − z), and the direct
          part of ∂L/∂hₜ₋₁, ∂L/∂hₜ · z. From ∂L/∂g comes ∂L/∂pₕ = ∂L/∂g · φ′.
        - After: r qₕ stands beside pₕ, so ∂L/∂r = ∂L/∂pₕ · qₕ and ∂L/∂qₕ = ∂L/∂pₕ · r; then q = hₜ₋₁U + b′.
        - Before: qₕ = (r hₜ₋₁)Uₕ stands there, so ∂L/∂(r hₜ₋₁) = ∂L/∂pₕ Uₕᵀ, which goes to r with the factor
          hₜ₋₁ and to hₜ₋₁ with the factor r.
        """
        k, back = 2 * self.units, dh * z
        dph = dh * (1 - z) * self.df(inner)
        if self.reset_after:
            dr, dqh, s = dph * qh, dph * r, h
        else:
            drh = dph @ self.U[:, k:].T
            dr, back, dqh, s = drh * h, back + drh * r, dph, r * h
        dlogits = np.hstack([dh * (h - g), dr]) * self.dsigma(logits)
        self.dU[:, :k] += h.T @ dlogits
        self.dU[:, k:] += s.T @ dqh
        back = back + dlogits @ self.U[:, :k].T
        if self.reset_after:
            back = back + dqh @ self.U[:, k:].T
            self.db[1] += np.hstack([dlogits, dqh]).sum(axis=0)
        return np.hstack([dlogits, dph]), [back]
