"""Activation functions and their derivatives (chapters 1 and 3).

All of them take arrays of any shape and work element by element, except `softmax` and its relatives, which
work along the last axis: one row, one example.
"""

import numpy as np


def step(z):
    """Return 1 where z ≥ 0 and 0 elsewhere, the activation of the perceptron (Rosenblatt, 1958)."""
    return np.heaviside(z, 1.0)


def sigmoid(z):
    """Return σ(z) = 1 / (1 + e⁻ᶻ), computed without overflow for any z."""
    e = np.exp(-np.abs(z))  # never above 1
    return np.where(np.asarray(z) >= 0, 1, e) / (1 + e)


def sigmoid_derivative(z):
    """Return σ′(z) = σ(z) (1 − σ(z)), at most 1/4."""
    a = sigmoid(z)
    return a * (1 - a)


def tanh(z):
    """Return tanh(z) = (eᶻ − e⁻ᶻ) / (eᶻ + e⁻ᶻ) = 2σ(2z) − 1."""
    return np.tanh(z)


def tanh_derivative(z):
    """Return tanh′(z) = 1 − tanh²(z), at most 1."""
    return 1 - tanh(z) ** 2


def relu(z):
    """Return max(0, z), the rectified linear unit."""
    return np.maximum(z, 0)


def relu_derivative(z):
    """Return 1 where z > 0 and 0 elsewhere; at 0, where no derivative exists, Keras's choice of 0."""
    return np.heaviside(z, 0.0)
