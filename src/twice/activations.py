"""Activation functions and their derivatives (chapters 1, 3 and 15).

All of them take arrays of any shape and work element by element, except `softmax` and its relatives, which
work along the last axis: one row, one example. Integers are computed in float64 and float16 in float32; what
holds no numbers is refused.
"""

from math import erfc, pi, sqrt

import numpy as np

from twice.arguments import floats, takes


@takes(floats, "z")
def step(z):
    """Return 1 where z ≥ 0 and 0 elsewhere, the activation of the perceptron (Rosenblatt, 1958)."""
    return np.heaviside(z, 1.0)


@takes(floats, "z")
def sigmoid(z):
    """Return σ(z) = 1 / (1 + e⁻ᶻ), computed without overflow for any z."""
    e = np.exp(-np.abs(z))  # never above 1
    return np.where(np.asarray(z) >= 0, 1, e) / (1 + e)


@takes(floats, "z")
def sigmoid_derivative(z):
    """Return σ′(z) = σ(z) (1 − σ(z)), at most 1/4."""
    a = sigmoid(z)
    return a * (1 - a)


@takes(floats, "z")
def tanh(z):
    """Return tanh(z) = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ) = 2σ(2z) − 1."""
    return np.tanh(z)


@takes(floats, "z")
def tanh_derivative(z):
    """Return tanh′(z) = 1 − tanh²(z), at most 1."""
    return 1 - tanh(z) ** 2


@takes(floats, "z")
def relu(z):
    """Return max(0, z), the rectified linear unit."""
    return np.maximum(z, 0)


@takes(floats, "z")
def relu_derivative(z):
    """Return 1 where z > 0 and 0 elsewhere; at 0, where no derivative exists, Keras's choice of 0."""
    return np.greater(z, 0).astype(np.asarray(z).dtype)


@takes(floats, "z")
def normal_cdf(z):
    """Return Φ(z) = ½ erfc(−z / √2), the probability that a standard normal number is below z."""
    return np.vectorize(erfc, otypes=[float])(-z / sqrt(2)).astype(z.dtype) / 2


@takes(floats, "z")
def gelu(z, approximate=False):
    """Return zΦ(z), the Gaussian error linear unit (Hendrycks & Gimpel, 2016).

    Each number is kept with the probability that a standard normal one is below it; this is the mean.

    Parameters
    ----------
    z : numpy.ndarray
        Of any shape.
    approximate : bool
        Whether to take ½ (1 + tanh(√(2/π) (z + 0.044715 z³))) in place of Φ(z). What comes out differs
        by less than 5e-4, and sooner, as NumPy has no error function of its own.
    """
    if approximate:
        return z / 2 * (1 + np.tanh(sqrt(2 / pi) * z * (1 + 0.044715 * z**2)))
    return z * normal_cdf(z)


@takes(floats, "z")
def gelu_derivative(z, approximate=False):
    """Return Φ(z) + zφ(z), φ the normal density; with tanh t, ½ (1 + t) + ½ z (1 − t²) times its inside's."""
    if approximate:
        t = np.tanh(sqrt(2 / pi) * z * (1 + 0.044715 * z**2))
        return (1 + t) / 2 + z / 2 * (1 - t**2) * sqrt(2 / pi) * (1 + 3 * 0.044715 * z**2)
    return normal_cdf(z) + z * np.exp(-(z**2) / 2) / sqrt(2 * pi)


@takes(floats, "z")
def softmax(z):
    """Return pₖ = e^zₖ / Σⱼ e^zⱼ along the last axis: positive numbers that sum to 1.

    Adding one number to a whole row changes nothing, so the row's maximum is taken off first and no
    exponential overflows.

    Parameters
    ----------
    z : numpy.ndarray, shape (..., K)
        Logits, one row an example.

    Returns
    -------
    numpy.ndarray, shape (..., K)
    """
    e = np.exp(z - z.max(axis=-1, keepdims=True))  # never above 1
    return e / e.sum(axis=-1, keepdims=True)


@takes(floats, "z")
def log_softmax(z):
    """Return log pₖ = zₖ − log Σⱼ e^zⱼ along the last axis, finite where softmax itself rounds to 0.

    Parameters
    ----------
    z : numpy.ndarray, shape (..., K)

    Returns
    -------
    numpy.ndarray, shape (..., K)
    """
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


@takes(floats, "z")
def softmax_jacobian(z):
    """Return ∂pᵢ/∂zⱼ = pᵢ (δᵢⱼ − pⱼ), that is diag(p) − p pᵀ, one matrix for each row of ``z``.

    Parameters
    ----------
    z : numpy.ndarray, shape (..., K)

    Returns
    -------
    numpy.ndarray, shape (..., K, K)
        Symmetric; its rows and columns sum to 0.
    """
    p = softmax(z)
    return p[..., :, None] * (np.eye(p.shape[-1], dtype=p.dtype) - p[..., None, :])
