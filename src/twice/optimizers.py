"""How gradients move the parameters: update rules, clipping, and schedules (chapter 6).

The rules are Keras's to the letter; where a textbook writes one differently, its docstring says so. In each,
w is a parameter, g the gradient of the loss with respect to it, and η the learning rate.
"""

from dataclasses import dataclass
from math import cos, floor, pi

import numpy as np

from twice.arguments import between, choice, owned, takes


def clip_by_value(grads, limit):
    """Return the gradients with every number cut to ±``limit``: Keras's ``clipvalue``."""
    return [np.clip(g, -limit, limit) for g in grads]


def length(grads):
    """Return √Σg² over all gradients; in float64, as in float32 the square of 1e20 is infinite."""
    return float(np.sqrt(sum(np.square(g, dtype=float).sum() for g in grads)))


def clip_by_norm(grads, limit):
    """Return the gradients, each that is longer than ``limit`` shortened to it: Keras's ``clipnorm``."""
    return [g * (limit / max(limit, length([g]))) for g in grads]


def clip_by_global_norm(grads, limit):
    """Return the gradients, all scaled alike if together they are longer than ``limit``.

    The direction of the step stays what it was (Pascanu, Mikolov & Bengio, 2013): Keras's
    ``global_clipnorm``.
    """
    return [g * (limit / max(limit, length(grads))) for g in grads]


CLIPPING = {"clipvalue": clip_by_value, "clipnorm": clip_by_norm, "global_clipnorm": clip_by_global_norm}


class Optimizer:
    """What the update rules share: the rate of a step, clipping, weight decay, and room for their state.

    Parameters
    ----------
    learning_rate : float or callable
        η, or a schedule: a function of the number of steps taken so far.
    weight_decay : float
        λ of w ← w − ηλw, done before the rule itself: decay that is decoupled from the gradient (Loshchilov
        & Hutter, 2019). As in Keras it reaches every parameter, biases too.
    **clipping : float
        At most one of ``clipvalue``, ``clipnorm`` and ``global_clipnorm``.

    Attributes
    ----------
    slots : int
        How many arrays of its shape a rule keeps for each parameter.
    iterations : int
        The number of steps taken.
    """

    slots = 1

    def __init__(self, learning_rate, weight_decay=0.0, **clipping):
        if not callable(learning_rate):
            between("learning_rate", learning_rate, 0, np.inf)
        for name, limit in clipping.items():
            choice("clipping", name, CLIPPING)
            between(name, limit, np.finfo(float).tiny, np.inf)
        if len(clipping) > 1:
            raise ValueError(f"clipping: expected at most one kind, got {' and '.join(clipping)}")
        self.learning_rate, self.clipping = learning_rate, clipping
        self.weight_decay = between("weight_decay", weight_decay, 0, np.inf)
        self.iterations, self.state = 0, None

    @takes(owned, "self", "grads", "params")
    def apply(self, grads, params):
        """Take one step: change every parameter in place.

        Parameters
        ----------
        grads, params : sequence of numpy.ndarray
            In the same order, and the same parameters in every call: the optimizer keeps state for each.

        Raises
        ------
        ValueError
            If there is not one gradient of its shape for each parameter, or if the parameters are not those
            of the first call.
        TypeError
            If a parameter is no array of floats, which alone can be changed in place.
        """
        if self.state is None:
            self.state = [[np.zeros_like(w) for _ in range(self.slots)] for w in params]
        rate = self.learning_rate
        if callable(rate):
            rate = rate(self.iterations)
        self.iterations += 1
        for name, limit in self.clipping.items():
            grads = CLIPPING[name](grads, limit)
        for w, g, state in zip(params, grads, self.state, strict=True):
            if self.weight_decay:
                w -= rate * self.weight_decay * w
            self.step(w, g, rate, *state)


class SGD(Optimizer):
    """Gradient descent, with momentum μ (Polyak, 1964) or Nesterov's form of it.

    v ← μv − ηg and w ← w + v. Textbooks often keep η outside, v ← μv + g and w ← w − ηv, which is the same
    only while η does not change. Without momentum w ← w − ηg, and v stays 0.

    Nesterov's form looks one step ahead: w ← w + μv − ηg, with the new v.

    Parameters
    ----------
    learning_rate : float or callable
        η, or a schedule.
    momentum : float
        μ, from 0 to below 1.
    nesterov : bool
        Whether to look ahead.
    **options : float
        As in `Optimizer`.
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False, **options):
        super().__init__(learning_rate, **options)
        self.momentum, self.nesterov = between("momentum", momentum, 0, 1), nesterov

    def step(self, w, g, rate, v):
        """Change w and its velocity v."""
        if self.momentum:
            v *= self.momentum
            v -= rate * g
            w += self.momentum * v - rate * g if self.nesterov else v
        else:
            w -= rate * g


class RMSprop(Optimizer):
    """Steps divided by the root of a moving average of g² (Hinton, 2012).

    v ← ρv + (1 − ρ)g² and w ← w − ηg / √(v + ε): ε stands inside the root. Centered, v loses the square of
    the moving average ḡ, so that a variance is left; the difference of two large numbers would lose its
    digits, and the same number comes from v ← ρv + (1 − ρ)ρ(g − ḡ)², with ḡ from before the step. With
    momentum, m ← μm + ηg / √(v + ε) is what w loses.

    Parameters
    ----------
    learning_rate : float or callable
        η, or a schedule.
    rho, momentum, epsilon : float
        ρ, what the averages keep of their old value; μ; ε.
    centered : bool
        Whether to divide by the deviation of g rather than its size.
    **options : float
        As in `Optimizer`.
    """

    slots = 3

    def __init__(self, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False, **options):
        super().__init__(learning_rate, **options)
        self.rho = between("rho", rho, 0, 1)
        self.momentum = between("momentum", momentum, 0, 1)
        self.epsilon = between("epsilon", epsilon, 0, np.inf)
        self.centered = centered

    def step(self, w, g, rate, v, g_mean, m):
        """Change w, the average v of g² (centered: its variance), the average of g, and the momentum m."""
        square = self.rho * (g - g_mean) ** 2 if self.centered else g**2
        v *= self.rho
        v += (1 - self.rho) * square
        g_mean += (1 - self.rho) * (g - g_mean)
        m *= self.momentum
        m += rate * g / np.sqrt(v + self.epsilon)
        w -= m


class Adam(Optimizer):
    """Moving averages of g and of g², both corrected for their start at 0 (Kingma & Ba, 2015).

    m ← m + (1 − β₁)(g − m) and v ← v + (1 − β₂)(g² − v). After t steps at a constant g they are (1 − β₁ᵗ)g
    and (1 − β₂ᵗ)g²; the correction divides by those factors, and takes them together into one rate:
    α = η √(1 − β₂ᵗ) / (1 − β₁ᵗ) and w ← w − αm / (√v + ε). The paper's Algorithm 1 adds ε to the corrected
    root instead; this is its "ε hat".

    Parameters
    ----------
    learning_rate : float or callable
        η, or a schedule.
    beta_1, beta_2, epsilon : float
        β₁ and β₂, what the averages keep of their old value; ε.
    **options : float
        As in `Optimizer`.
    """

    slots = 2

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **options):
        super().__init__(learning_rate, **options)
        self.beta_1 = between("beta_1", beta_1, 0, 1)
        self.beta_2 = between("beta_2", beta_2, 0, 1)
        self.epsilon = between("epsilon", epsilon, 0, np.inf)

    def step(self, w, g, rate, m, v):
        """Change w and the averages m of g and v of g²."""
        t = self.iterations
        m += (1 - self.beta_1) * (g - m)
        v += (1 - self.beta_2) * (g**2 - v)
        alpha = rate * (1 - self.beta_2**t) ** 0.5 / (1 - self.beta_1**t)
        step = np.sqrt(v, out=np.empty_like(v))
        step += self.epsilon
        np.divide(m, step, out=step)
        step *= alpha
        w -= step


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019), at Keras's 0.004 unless told otherwise.

    An L2 penalty would pass through Adam's division and shrink the weights with large gradients least; the
    decay w ← w − ηλw shrinks all by the same factor.

    Parameters
    ----------
    learning_rate, weight_decay, **options : float
        As in `Adam` and `Optimizer`.
    """

    def __init__(self, learning_rate=0.001, weight_decay=0.004, **options):
        super().__init__(learning_rate, weight_decay=weight_decay, **options)


@dataclass
class ExponentialDecay:
    """The schedule η = η₀ rᵖ with p = step / decay_steps, rounded down on a staircase."""

    initial_learning_rate: float
    decay_steps: int
    decay_rate: float
    staircase: bool = False

    def __call__(self, step):
        """Return the learning rate after ``step`` steps."""
        p = step / self.decay_steps
        if self.staircase:
            p = floor(p)
        return self.initial_learning_rate * self.decay_rate**p


@dataclass
class PiecewiseConstantDecay:
    """The schedule that takes the next of ``values`` after each of ``boundaries``."""

    boundaries: list
    values: list

    def __call__(self, step):
        """Return the learning rate after ``step`` steps; at a boundary still the old one."""
        return self.values[sum(step > boundary for boundary in self.boundaries)]


@dataclass
class CosineDecay:
    """Half a cosine from η₀ down to αη₀ (Loshchilov & Hutter, 2017), if wanted after a linear warm-up.

    η = η₀ ((1 − α) ½ (1 + cos πp) + α) with p = step / decay_steps, at most 1. With a ``warmup_target`` the
    rate first climbs from η₀ to it in ``warmup_steps`` (Goyal et al., 2017), and the cosine starts there.
    """

    initial_learning_rate: float
    decay_steps: int
    alpha: float = 0.0
    warmup_target: float | None = None
    warmup_steps: int = 0

    def __call__(self, step):
        """Return the learning rate after ``step`` steps."""
        start = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                climb = self.warmup_target - start
                return start + climb * step / self.warmup_steps
            start, step = self.warmup_target, step - self.warmup_steps
        p = min(step / self.decay_steps, 1)
        return start * ((1 - self.alpha) * (1 + cos(pi * p)) / 2 + self.alpha)
