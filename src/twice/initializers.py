"""How the weights of a layer start (chapters 4 and 14).

An initializer takes the shape of a weight and a generator of random numbers, and returns the weight.
"""

import numpy as np

TRUNCATED_STD = 0.87962566103423978  # of a standard normal cut off at ±2: √(1 − 4φ(2) / (2Φ(2) − 1))


def zeros(shape, rng=None):
    """Return a weight of zeros: right for biases, wrong for kernels, whose units would all stay alike."""
    return np.zeros(shape)


def fans(shape):
    """Return how many inputs a unit adds up, and how many units an input reaches.

    Parameters
    ----------
    shape : tuple of int
        Of the kernel: (inputs, units), or (height, width, inputs, filters) for a convolution.

    Returns
    -------
    fan_in, fan_out : int
    """
    *window, inputs, units = shape
    return int(np.prod(window, initial=inputs)), int(np.prod(window, initial=units))


def glorot_uniform(shape, rng):
    """Return a weight drawn evenly from ±√(6 / (fan_in + fan_out)) (Glorot & Bengio, 2010).

    A uniform distribution on ±a has the variance a²/3, here 2 / (fan_in + fan_out): a compromise between
    1/fan_in, which keeps the variance of the signal going forward, and 1/fan_out, which keeps that of the
    gradient going back.

    Parameters
    ----------
    shape : tuple of int
        Of the kernel.
    rng : numpy.random.Generator
        The source of randomness.
    """
    fan_in, fan_out = fans(shape)
    limit = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, size=shape)


def truncated_normal(shape, rng):
    """Return standard normal numbers, those beyond ±2 drawn again until none is left."""
    z = rng.normal(size=shape)
    while (far := np.abs(z) > 2).any():
        z[far] = rng.normal(size=far.sum())
    return z


def he_normal(shape, rng):
    """Return a weight from a truncated normal of variance 2 / fan_in (He et al., 2015).

    A ReLU keeps half of the mean square of its input, so 2 / fan_in keeps the size of the signal from layer
    to layer. The paper draws from a plain normal distribution. Keras, and so this function, cuts it off at
    two standard deviations and divides by `TRUNCATED_STD`, so that the variance is again 2 / fan_in.

    Parameters
    ----------
    shape : tuple of int
        Of the kernel.
    rng : numpy.random.Generator
        The source of randomness.
    """
    fan_in, _ = fans(shape)
    return np.sqrt(2 / fan_in) / TRUNCATED_STD * truncated_normal(shape, rng)


INITIALIZERS = {"zeros": zeros, "glorot_uniform": glorot_uniform, "he_normal": he_normal}


def uniform(shape, rng):
    """Return a weight drawn evenly from ±0.05, Keras's "uniform", with which an embedding starts there."""
    return rng.uniform(-0.05, 0.05, size=shape)


def orthogonal(shape, rng):
    """Return a weight with orthonormal columns, or rows if they are fewer (Saxe, McClelland & Ganguli, 2014).

    A square Q with QᵀQ = I keeps the length of every vector, however often it is applied: a state that passes
    through it at each of a thousand steps neither vanishes nor explodes.

    The columns of a matrix of normal numbers, made orthonormal one after the other, are Q of A = QR. Any
    column may have either sign; the one that makes the diagonal of R positive is unique, and with it all
    rotations and reflections are equally likely (Mezzadri, 2007).

    Parameters
    ----------
    shape : tuple of int
        Of the kernel; all axes but the last count as rows.
    rng : numpy.random.Generator
        The source of randomness.
    """
    rows, columns = int(np.prod(shape[:-1])), shape[-1]
    A = rng.normal(size=(max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(A)
    Q *= np.sign(np.diag(R))
    return (Q if rows >= columns else Q.T).reshape(shape)


INITIALIZERS.update(uniform=uniform, orthogonal=orthogonal)
