"""Layers: each maps a batch forward, and the gradient of the loss backward (chapters 4, 5 and 7).

``forward(x, training)`` returns the layer's output and keeps what ``backward`` needs. ``backward`` takes the
gradient of the loss with respect to that output, stores the gradients of the layer's parameters, and returns
the gradient with respect to ``x``. Weights get their shapes when the first batch comes. After that a layer
refuses inputs that do not fit them, with a ``ValueError``, and inputs without an example at any time.
"""

import numpy as np

from twice.activations import (
    relu,
    relu_derivative,
    sigmoid,
    sigmoid_derivative,
    softmax,
    tanh,
    tanh_derivative,
)
from twice.arguments import between, choice, fitting, float_type, generator, positive_integer, takes
from twice.initializers import INITIALIZERS

ACTIVATIONS = {
    "linear": (lambda z: z, np.ones_like),
    "relu": (relu, relu_derivative),
    "sigmoid": (sigmoid, sigmoid_derivative),
    "tanh": (tanh, tanh_derivative),
    "softmax": (softmax, None),  # its outputs depend on whole rows: see Activation.backward
}


class Layer:
    """A layer with nothing to learn.

    Attributes
    ----------
    params, grads : sequence of numpy.ndarray
        The parameters, and the gradients of the loss with respect to them, in the same order.
    state : sequence of numpy.ndarray
        What training changes without a gradient.
    """

    params = grads = state = ()


class Activation(Layer):
    """A function applied to every number of its input, or with softmax to every row.

    Parameters
    ----------
    activation : str or None
        "relu", "sigmoid", "tanh", "softmax" or "linear"; None is "linear".
    """

    def __init__(self, activation):
        self.activation = activation or "linear"
        self.f, self.derivative = choice("activation", self.activation, ACTIVATIONS)

    def forward(self, z, training=False):
        """Return a = f(z), of the shape of ``z``."""
        self.z = z
        return self.f(z)

    def backward(self, da):
        """Return ∂L/∂z from ∂L/∂a.

        Each number has its own path, aᵢ = f(zᵢ), so ∂L/∂zᵢ = ∂L/∂aᵢ · f′(zᵢ).

        In softmax every aᵢ of a row depends on every zⱼ of that row, ∂aᵢ/∂zⱼ = aᵢ (δᵢⱼ − aⱼ), and so
        ∂L/∂zⱼ = Σᵢ ∂L/∂aᵢ · aᵢ (δᵢⱼ − aⱼ) = aⱼ (∂L/∂aⱼ − Σᵢ ∂L/∂aᵢ · aᵢ).
        """
        if self.activation == "softmax":
            a = softmax(self.z)
            return a * (da - (da * a).sum(axis=-1, keepdims=True))
        return da * self.derivative(self.z)

    def backward_logits(self, dz):
        """Return ∂L/∂z where the loss has already been differentiated through the activation."""
        return dz


class Dense(Layer):
    """A layer of units that are each connected to every input: a = f(xW + b).

    Parameters
    ----------
    units : int
        The number of outputs.
    activation : str or None
        As in `Activation`.
    use_bias : bool
        Whether b is learnt; otherwise it stays 0.
    kernel_initializer : str or callable
        "glorot_uniform", "he_normal", "zeros", or a function of the shape and ``rng``.
    dtype : "float64" or "float32"
        Of the weights; inputs are converted to it.
    rng : numpy.random.Generator
        Draws the weights.

    Attributes
    ----------
    W : numpy.ndarray, shape (d, units)
        The kernel, for inputs of shape (n, d); None until the first of them.
    b : numpy.ndarray, shape (units,)
        The bias.
    dW, db : numpy.ndarray
        The gradients of the loss, of the same shapes.
    first : bool
        Whether ``x`` is the data itself, whose gradient nobody needs: ``backward`` then leaves it out.
    """

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        dtype="float64",
        *,
        rng,
    ):
        self.units = positive_integer("units", units)
        self.f = Activation(activation)
        self.activation, self.use_bias = self.f.activation, use_bias
        self.initialize = choice("kernel_initializer", kernel_initializer, INITIALIZERS)
        self.dtype, self.rng = float_type("dtype", dtype), generator("rng", rng)
        self.W, self.b, self.first = None, None, False

    def build(self, input_shape):
        """Draw W for inputs of shape (n, d), and set b to 0."""
        if len(input_shape) != 2:
            raise ValueError(f"x: expected shape (n, d), got {input_shape}; Flatten makes it so")
        self.W = self.initialize((input_shape[1], self.units), self.rng).astype(self.dtype)
        self.b = np.zeros(self.units, self.dtype)

    @takes(fitting, "self", "x")
    def forward(self, x, training=False):
        """Return f(xW + b), of shape (n, units)."""
        self.x = np.asarray(x, self.dtype)
        if self.W is None:
            self.build(self.x.shape)
        self.z = self.x @ self.W + self.b
        return self.f.forward(self.z)

    def backward(self, da):
        """Store ∂L/∂W and ∂L/∂b, and return ∂L/∂x, from ∂L/∂a of shape (n, units).

        First through the activation, a = f(z): see `Activation.backward`. Then through z = xW + b, that is
        zᵢₖ = Σⱼ xᵢⱼ Wⱼₖ + bₖ:

        - Wⱼₖ acts on column k of z, in row i with the factor xᵢⱼ: ∂L/∂Wⱼₖ = Σᵢ xᵢⱼ ∂L/∂zᵢₖ, or xᵀ ∂L/∂z.
        - bₖ acts on column k of z, in every row with the factor 1: ∂L/∂bₖ = Σᵢ ∂L/∂zᵢₖ.
        - xᵢⱼ acts on row i of z, in column k with the factor Wⱼₖ: ∂L/∂xᵢⱼ = Σₖ ∂L/∂zᵢₖ Wⱼₖ, or ∂L/∂z Wᵀ.
        """
        return self.backward_logits(self.f.backward(da))

    def backward_logits(self, dz):
        """Do the same from ∂L/∂z, where the loss has already been differentiated through the activation."""
        self.dW = self.x.T @ dz
        self.db = dz.sum(axis=0)
        return None if self.first else dz @ self.W.T

    @property
    def params(self):
        """W and b."""
        return [self.W, self.b] if self.use_bias else [self.W]

    @property
    def grads(self):
        """∂L/∂W and ∂L/∂b."""
        return [self.dW, self.db] if self.use_bias else [self.dW]


class Flatten(Layer):
    """A layer that lays the numbers of each example in one row."""

    def forward(self, x, training=False):
        """Return ``x`` of shape (n, …) as shape (n, d)."""
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, da):
        """Return ∂L/∂x: the same numbers, so the same gradients, in the shape of ``x``."""
        return da.reshape(self.shape)


class Dropout(Layer):
    """A layer that in training silences each number with probability ``rate`` (Srivastava et al., 2014).

    What remains is divided by 1 − rate, so that the expected value stays the same and nothing is left to
    do outside training ("inverted" dropout).

    Parameters
    ----------
    rate : float
        The fraction silenced, from 0 to below 1.
    rng : numpy.random.Generator
        Chooses which.
    """

    def __init__(self, rate, *, rng):
        self.rate = between("rate", rate, 0, 1)
        self.rng = generator("rng", rng)

    def forward(self, x, training=False):
        """Return x · mask in training, where the mask is 0 or 1 / (1 − rate); otherwise ``x``."""
        self.mask = np.ones((), x.dtype)
        if training:
            kept = self.rng.random(x.shape) >= self.rate
            self.mask = kept.astype(x.dtype) / (1 - self.rate)
        return x * self.mask

    def backward(self, da):
        """Return ∂L/∂x = ∂L/∂a · mask: with the mask drawn, aᵢ = maskᵢ xᵢ, a product with a constant."""
        return da * self.mask


class BatchNormalization(Layer):
    """A layer that gives each channel of a batch mean 0 and variance 1, then a scale γ and a shift β.

    In training the mean and the variance are the batch's own (Ioffe & Szegedy, 2015), over all axes but the
    last; the variance divides by the number of values, not by one less. Outside training they are moving
    averages of those seen in training. The constants are Keras's.

    Parameters
    ----------
    momentum : float
        What the moving averages keep of their old value in each step.
    epsilon : float
        Added to the variance, so that a constant channel is not divided by 0.
    dtype : "float64" or "float32"
        Of all weights; inputs are converted to it.

    Attributes
    ----------
    gamma, beta, moving_mean, moving_variance : numpy.ndarray, shape (channels,)
        The scale, the shift, and the moving averages; None until the first batch.
    """

    def __init__(self, momentum=0.99, epsilon=1e-3, dtype="float64"):
        self.momentum = between("momentum", momentum, 0, 1)
        self.epsilon = between("epsilon", epsilon, 0, np.inf)
        self.dtype = float_type("dtype", dtype)
        self.gamma = self.beta = self.moving_mean = self.moving_variance = None

    def build(self, input_shape):
        """Start with γ = 1, β = 0 and, for the moving averages, mean 0 and variance 1."""
        self.gamma, self.moving_variance = np.ones((2, input_shape[-1]), self.dtype)
        self.beta, self.moving_mean = np.zeros((2, input_shape[-1]), self.dtype)

    @takes(fitting, "self", "x")
    def forward(self, x, training=False):
        """Return γx̂ + β with x̂ = (x − μ) / √(σ² + ε), and in training move the moving averages."""
        x = np.asarray(x, self.dtype)
        if self.gamma is None:
            self.build(x.shape)
        self.training, self.axes = training, tuple(range(x.ndim - 1))
        mean, variance = self.moving_mean, self.moving_variance
        if training:
            mean, variance = x.mean(self.axes), x.var(self.axes)
            step = 1 - self.momentum
            self.moving_mean += step * (mean - self.moving_mean)
            self.moving_variance += step * (variance - self.moving_variance)
        self.std = np.sqrt(variance + self.epsilon)
        self.x_hat = (x - mean) / self.std
        return self.gamma * self.x_hat + self.beta

    def backward(self, da):
        """Store ∂L/∂γ and ∂L/∂β, and return ∂L/∂x, from ∂L/∂a.

        The channels do not touch each other. Take one, with the values x₁ … xₘ, and write s = √(σ² + ε).

        a = γx̂ + β gives ∂L/∂γ = Σᵢ ∂L/∂aᵢ · x̂ᵢ, ∂L/∂β = Σᵢ ∂L/∂aᵢ, and gᵢ = ∂L/∂x̂ᵢ = ∂L/∂aᵢ · γ.

        Outside training μ and s are constants, and x̂ᵢ = (xᵢ − μ) / s gives ∂L/∂xᵢ = gᵢ / s.

        In training each xⱼ also moves μ and s, and through them every x̂ᵢ:

        - μ = (1/m) Σⱼ xⱼ, so ∂μ/∂xⱼ = 1/m.
        - s² = (1/m) Σᵢ (xᵢ − μ)² + ε. Here μ's own change drops out, as Σᵢ (xᵢ − μ) = 0, and
          2s ∂s/∂xⱼ = (2/m)(xⱼ − μ). As xⱼ − μ = s x̂ⱼ, that is ∂s/∂xⱼ = x̂ⱼ/m.
        - x̂ᵢ = (xᵢ − μ) / s, so ∂x̂ᵢ/∂xⱼ = (δᵢⱼ − ∂μ/∂xⱼ) / s − (xᵢ − μ)/s² · ∂s/∂xⱼ
          = (δᵢⱼ − 1/m − x̂ᵢ x̂ⱼ/m) / s.

        The chain rule adds the paths, ∂L/∂xⱼ = Σᵢ gᵢ ∂x̂ᵢ/∂xⱼ = (gⱼ − (1/m) Σᵢ gᵢ − x̂ⱼ · (1/m) Σᵢ gᵢ x̂ᵢ) / s:
        the gradient loses its mean, and its component along x̂.
        """
        self.dgamma = (da * self.x_hat).sum(self.axes)
        self.dbeta = da.sum(self.axes)
        g = da * self.gamma
        if self.training:
            along = (g * self.x_hat).mean(self.axes)
            g = g - g.mean(self.axes) - self.x_hat * along
        return g / self.std

    @property
    def params(self):
        """γ and β."""
        return [self.gamma, self.beta]

    @property
    def grads(self):
        """∂L/∂γ and ∂L/∂β."""
        return [self.dgamma, self.dbeta]

    @property
    def state(self):
        """The moving averages of the mean and of the variance."""
        return [self.moving_mean, self.moving_variance]
