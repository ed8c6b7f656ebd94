"""Loss functions and their gradients, with Keras's means (chapters 2 and 3).

Every loss is one number, the mean over the batch; every gradient has the shape of the prediction.
"""

import numpy as np

from twice.activations import log_softmax, sigmoid, softmax

EPSILON = 1e-7  # Keras keeps probabilities inside [ε, 1 − ε], so that no logarithm is infinite


def mean_squared_error(y, y_hat):
    """Return L = (1/N) Σ (ŷ − y)², N counting every entry: Keras's mean, without the ½ of the textbooks.

    Parameters
    ----------
    y, y_hat : numpy.ndarray, shape (n, d)
        Targets and predictions.
    """
    return ((y_hat - y) ** 2).mean()


def mean_squared_error_gradient(y, y_hat):
    """Return ∂L/∂ŷ = 2 (ŷ − y) / N, of the shape of ``y_hat``."""
    return 2 * (y_hat - y) / y.size


def binary_crossentropy(y, y_hat, from_logits=False):
    """Return L = −(1/N) Σ [y log p + (1 − y) log(1 − p)], N counting every entry.

    From logits z the same number is max(z, 0) − yz + log(1 + e^−|z|), exact for any finite z. Probabilities
    are clipped to [1e-7, 1 − 1e-7] first, as Keras does.

    Parameters
    ----------
    y : numpy.ndarray, shape (n, d)
        Targets: 0, 1, or a probability between them.
    y_hat : numpy.ndarray, shape (n, d)
        Probabilities p, or logits.
    from_logits : bool
        Whether ``y_hat`` holds logits.
    """
    if from_logits:
        z = y_hat
        return (np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))).mean()
    p = np.clip(y_hat, EPSILON, 1 - EPSILON)
    return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean()


def binary_crossentropy_gradient(y, y_hat, from_logits=False):
    """Return ∂L/∂z = (σ(z) − y) / N, or ∂L/∂p = (p − y) / (p (1 − p)) / N, which is 0 where p was clipped."""
    if from_logits:
        return (sigmoid(y_hat) - y) / y.size
    p = np.clip(y_hat, EPSILON, 1 - EPSILON)
    return (p == y_hat) * (p - y) / (p * (1 - p)) / y.size


def categorical_crossentropy(y, y_hat, from_logits=False):
    """Return L = −(1/n) Σᵢ Σₖ yᵢₖ log pᵢₖ, the mean over the rows.

    As in Keras, probabilities are first divided by their sum, then clipped to [1e-7, 1 − 1e-7].

    Parameters
    ----------
    y : numpy.ndarray, shape (..., K)
        Targets, each row summing to 1: one-hot, or probabilities.
    y_hat : numpy.ndarray, shape (..., K)
        Probabilities, or logits.
    from_logits : bool
        Whether ``y_hat`` holds logits.
    """
    if from_logits:
        return -(y * log_softmax(y_hat)).sum(axis=-1).mean()
    p = np.clip(y_hat / y_hat.sum(axis=-1, keepdims=True), EPSILON, 1 - EPSILON)
    return -(y * np.log(p)).sum(axis=-1).mean()


def categorical_crossentropy_gradient(y, y_hat, from_logits=False):
    """Return ∂L/∂z = (softmax(z) − y) / n, or ∂L/∂ŷ through the division by the sum and the clipping."""
    n = y[..., 0].size
    if from_logits:
        return (softmax(y_hat) - y) / n
    total = y_hat.sum(axis=-1, keepdims=True)
    q = y_hat / total
    p = np.clip(q, EPSILON, 1 - EPSILON)
    dq = (p == q) * -y / p / n
    return (dq - (dq * q).sum(axis=-1, keepdims=True)) / total


def sparse_categorical_crossentropy(y, y_hat, from_logits=False):
    """Return L = −(1/n) Σᵢ log pᵢ, p the probability of the true class: the same loss, labels as integers.

    As in Keras, probabilities are first clipped to [1e-7, 1 − 1e-7], then divided by their sum.

    Parameters
    ----------
    y : numpy.ndarray of int, shape (...)
        The true classes, 0 to K − 1.
    y_hat : numpy.ndarray, shape (..., K)
        Probabilities, or logits.
    from_logits : bool
        Whether ``y_hat`` holds logits.
    """
    z = y_hat if from_logits else np.log(np.clip(y_hat, EPSILON, 1 - EPSILON))
    return -np.take_along_axis(log_softmax(z), y[..., None], axis=-1).mean()


def sparse_categorical_crossentropy_gradient(y, y_hat, from_logits=False):
    """Return ∂L/∂z = (softmax(z) − one-hot(y)) / n, or ∂L/∂p, which is 0 where p was clipped."""
    one_hot = np.eye(y_hat.shape[-1])[y]
    if from_logits:
        return categorical_crossentropy_gradient(one_hot, y_hat, from_logits=True)
    p = np.clip(y_hat, EPSILON, 1 - EPSILON)
    dz = categorical_crossentropy_gradient(one_hot, np.log(p), from_logits=True)
    return (p == y_hat) * dz / p
