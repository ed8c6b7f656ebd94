"""Loss functions and their gradients, with Keras's means (chapters 2 and 3).

Each example has a loss, and ``reduction`` says what becomes of the n losses of a batch, in Keras's words:
their mean, "sum_over_batch_size" or for short "mean"; their "sum"; or, with None, the losses themselves.
Every gradient has the shape of the prediction. For None it is that of the sum, what Keras's tape returns.

Targets must have the shape of the predictions, as (n,) beside (n, 1) would compare all with all. Labels must
be integers from 0 to K − 1, one for each row. Anything else is refused with a ``ValueError``. Integers take
the type of the floats beside them, or else float64; float16 is computed in float32.
"""

import numpy as np

from twice.activations import log_softmax, sigmoid, softmax
from twice.arguments import alike, labelled, takes

EPSILON = 1e-7  # Keras keeps probabilities inside [ε, 1 − ε], so that no logarithm is infinite


def divisor(n, reduction):
    """Return what a reduction divides the sum of n losses by, and so each of their gradients: n or 1.

    Raises
    ------
    ValueError
        If ``reduction`` is none of Keras's words.
    """
    divisors = {"sum_over_batch_size": n, "mean": n, "sum": 1, None: 1}
    if reduction not in divisors:
        raise ValueError(f"reduction: expected one of {[*divisors]}, got {reduction!r}")
    return divisors[reduction]


def reduce(losses, reduction):
    """Return the mean or the sum of ``losses``, or for None the losses themselves."""
    total = losses if reduction is None else losses.sum()
    return total / divisor(losses.size, reduction)


@takes(alike, "y", "y_hat")
def mean_squared_error(y, y_hat, reduction="sum_over_batch_size"):
    """Return the mean of ℓᵢ = (1/d) Σⱼ (ŷᵢⱼ − yᵢⱼ)²: Keras's, without the ½ of the textbooks.

    Parameters
    ----------
    y, y_hat : numpy.ndarray, shape (n, d)
        Targets and predictions.
    reduction : "sum_over_batch_size", "mean", "sum" or None
        The mean of the ℓᵢ, their sum, or all of them, of shape (n,).
    """
    return reduce(((y_hat - y) ** 2).mean(axis=-1), reduction)


@takes(alike, "y", "y_hat")
def mean_squared_error_gradient(y, y_hat, reduction="sum_over_batch_size"):
    """Return ∂L/∂ŷ = 2 (ŷ − y) / (nd), of the shape of ``y_hat``; for a sum without the n."""
    n = divisor(y[..., 0].size, reduction)
    return 2 * (y_hat - y) / y.shape[-1] / n


@takes(alike, "y", "y_hat")
def binary_crossentropy(y, y_hat, from_logits=False, reduction="sum_over_batch_size"):
    """Return the mean of ℓᵢ = −(1/d) Σⱼ [yᵢⱼ log pᵢⱼ + (1 − yᵢⱼ) log(1 − pᵢⱼ)].

    From logits z each term is max(z, 0) − yz + log(1 + e^−|z|), the same number, exact for any finite z.
    Probabilities are clipped to [1e-7, 1 − 1e-7] first, as Keras does.

    Parameters
    ----------
    y : numpy.ndarray, shape (n, d)
        Targets: 0, 1, or a probability between them.
    y_hat : numpy.ndarray, shape (n, d)
        Probabilities p, or logits.
    from_logits : bool
        Whether ``y_hat`` holds logits.
    reduction : "sum_over_batch_size", "mean", "sum" or None
        As in `mean_squared_error`.
    """
    if from_logits:
        z = y_hat
        losses = np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))
    else:
        p = np.clip(y_hat, EPSILON, 1 - EPSILON)
        losses = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return reduce(losses.mean(axis=-1), reduction)


@takes(alike, "y", "y_hat")
def binary_crossentropy_gradient(y, y_hat, from_logits=False, reduction="sum_over_batch_size"):
    """Return ∂L/∂z = (σ(z) − y) / (nd), or ∂L/∂p, the same over p (1 − p), and 0 where p was clipped.

    For a sum without the n.
    """
    n = divisor(y[..., 0].size, reduction) * y.shape[-1]
    if from_logits:
        return (sigmoid(y_hat) - y) / n
    p = np.clip(y_hat, EPSILON, 1 - EPSILON)
    return (p == y_hat) * (p - y) / (p * (1 - p)) / n


@takes(alike, "y", "y_hat")
def categorical_crossentropy(y, y_hat, from_logits=False, reduction="sum_over_batch_size"):
    """Return the mean of ℓᵢ = −Σₖ yᵢₖ log pᵢₖ over the rows.

    As in Keras, probabilities are first divided by their sum, then clipped to [1e-7, 1 − 1e-7].

    Parameters
    ----------
    y : numpy.ndarray, shape (..., K)
        Targets, each row summing to 1: one-hot, or probabilities.
    y_hat : numpy.ndarray, shape (..., K)
        Probabilities, or logits.
    from_logits : bool
        Whether ``y_hat`` holds logits.
    reduction : "sum_over_batch_size", "mean", "sum" or None
        As in `mean_squared_error`.
    """
    if from_logits:
        log_p = log_softmax(y_hat)
    else:
        p = y_hat / y_hat.sum(axis=-1, keepdims=True)
        log_p = np.log(np.clip(p, EPSILON, 1 - EPSILON))
    return reduce(-(y * log_p).sum(axis=-1), reduction)


@takes(alike, "y", "y_hat")
def categorical_crossentropy_gradient(y, y_hat, from_logits=False, reduction="sum_over_batch_size"):
    """Return ∂L/∂z = (softmax(z) − y) / n, or ∂L/∂ŷ through the division by the sum and the clipping.

    For a sum without the n.
    """
    n = divisor(y[..., 0].size, reduction)
    if from_logits:
        return (softmax(y_hat) - y) / n
    total = y_hat.sum(axis=-1, keepdims=True)
    q = y_hat / total
    p = np.clip(q, EPSILON, 1 - EPSILON)
    dq = (p == q) * -y / p / n
    return (dq - (dq * q).sum(axis=-1, keepdims=True)) / total


@takes(labelled, "y", "y_hat")
def sparse_categorical_crossentropy(y, y_hat, from_logits=False, reduction="sum_over_batch_size"):
    """Return the mean of ℓᵢ = −log pᵢ, p the probability of the true class: the same, labels as integers.

    As in Keras, probabilities are first clipped to [1e-7, 1 − 1e-7], then divided by their sum.

    Parameters
    ----------
    y : numpy.ndarray of int, shape (...)
        The true classes, 0 to K − 1.
    y_hat : numpy.ndarray, shape (..., K)
        Probabilities, or logits.
    from_logits : bool
        Whether ``y_hat`` holds logits.
    reduction : "sum_over_batch_size", "mean", "sum" or None
        As in `mean_squared_error`.
    """
    z = y_hat if from_logits else np.log(np.clip(y_hat, EPSILON, 1 - EPSILON))
    log_p = np.take_along_axis(log_softmax(z), y[..., None], axis=-1)
    return reduce(-log_p[..., 0], reduction)


@takes(labelled, "y", "y_hat")
def sparse_categorical_crossentropy_gradient(y, y_hat, from_logits=False, reduction="sum_over_batch_size"):
    """Return ∂L/∂z = (softmax(z) − one-hot(y)) / n, or ∂L/∂p, which is 0 where p was clipped.

    For a sum without the n.
    """
    one_hot = np.eye(y_hat.shape[-1], dtype=y_hat.dtype)[y]
    if from_logits:
        return categorical_crossentropy_gradient(one_hot, y_hat, True, reduction)
    p = np.clip(y_hat, EPSILON, 1 - EPSILON)
    dz = categorical_crossentropy_gradient(one_hot, np.log(p), True, reduction)
    return (p == y_hat) * dz / p
