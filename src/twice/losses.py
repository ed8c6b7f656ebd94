"""Loss functions and their gradients, with Keras's means (chapters 2 and 3).

Every loss is one number, the mean over the batch; every gradient has the shape of the prediction.
"""


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
