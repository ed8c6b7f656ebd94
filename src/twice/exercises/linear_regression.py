"""The exercises of chapter 2."""

import numpy as np

from twice.exercises import function, value

RNG = np.random.default_rng(2)
X = (RNG.normal(size=(8, 2)) * [1, 3] + [2, -1]).round(2)
Y = (X @ [[1.5], [-0.5]] + 3 + RNG.normal(size=(8, 1))).round(2)
MEAN, STD = np.array([200.0, 17.0]), np.array([14.0, 2.0])
A, B = np.eye(3)[[0, 2, 1, 1]], np.eye(2)[[0, 1, 1, 0]]
WEIGHTS, BIAS = np.array([[0.7], [-0.2]]), np.array([4.2])


def with_ones(x):
    """Return the features with a column of ones at the end."""
    return np.hstack([x, np.ones((len(x), 1))])


def least_squares(x, y):
    """Return the least-squares W and b as one column."""
    return np.linalg.lstsq(with_ones(x), y, rcond=None)[0]


def unstandardise(W, b, mean, std):
    """Return W and b for the raw features."""
    return W / std[:, None], b - (mean / std) @ W


def largest_rate(x, *, factor=2, bias=True, mean=True):
    """Return 2/λ_max of the Hessian, or with other options what a slip in it gives."""
    X = with_ones(x) if bias else x
    H = factor * X.T @ X / (len(X) if mean else 1)
    return 2 / np.linalg.eigvalsh(H).max()


def absolute_error_gradient(y, y_hat):
    """Return the gradient of the mean absolute error."""
    return np.sign(y_hat - y) / y.size


def ridge(x, y, penalty, *, mean=True):
    """Return W and b of ridge regression; without ``mean``, those for the sum of squares."""
    x_c, y_c = x - x.mean(axis=0), y - y.mean(axis=0)
    A = x_c.T @ x_c + (len(x) if mean else 1) * penalty * np.eye(x.shape[1])
    W = np.linalg.solve(A, x_c.T @ y_c)
    return W, y.mean(axis=0) - x.mean(axis=0) @ W


def ridge_with_penalised_bias(x, y, penalty):
    """Return W and b where the bias is penalised like a weight."""
    X = with_ones(x)
    theta = np.linalg.solve(X.T @ X + len(X) * penalty * np.eye(X.shape[1]), X.T @ y)
    return theta[:-1], theta[-1]


def leave_one_out(x, y):
    """Return each row's residual from the fit to the other rows, one fit a row."""
    rows = range(len(x))
    fits = [least_squares(np.delete(x, i, axis=0), np.delete(y, i, axis=0)) for i in rows]
    return y - np.vstack([with_ones(x)[i] @ fits[i] for i in rows])


def products(a, b):
    """Return the products of every column of ``a`` with every column of ``b``."""
    return np.hstack([column[:, None] * b for column in a.T])


EXERCISES = {
    "2.1": value(
        (1.0, 1.5),
        mistakes={
            "that is the line through the origin": (23 / 14, 0.0),
            "that divides by the squares of y: it predicts x from y": (5 / 6, 1.75),
            "the bias is ȳ − w x̄": (1.0, 3.0),
        },
    ),
    "2.2": value(
        0.1,
        mistakes={
            "the ½ counts too": 0.2,
            "the other way round: Keras's gradient is the shorter one": 1e-5,
            "the sum and the mean differ by N": 5e-4,
        },
    ),
    "2.3": function(
        unstandardise,
        (WEIGHTS, BIAS, MEAN, STD),
        (np.array([[2.0]]), np.array([-1.0]), np.array([5.0]), np.array([0.5])),
        mistakes={
            "the bias changes too": lambda W, b, mean, std: (W / std[:, None], b),
            "divide by the standard deviation": lambda W, b, mean, std: (
                W * std[:, None],
                b - (mean * std) @ W,
            ),
            "the mean is in the old unit: it needs the new weights": lambda W, b, mean, std: (
                W / std[:, None],
                b - mean @ W,
            ),
        },
    ),
    "2.4": function(
        largest_rate,
        (X,),
        (X[:, :1],),
        mistakes={
            "the bias has a column too": lambda x: largest_rate(x, bias=False),
            "the loss is a mean": lambda x: largest_rate(x, mean=False),
            "the loss has no ½, so its second derivative has a 2": lambda x: largest_rate(x, factor=1),
        },
    ),
    "2.5": function(
        absolute_error_gradient,
        (np.array([[1.0], [2.0], [3.0]]), np.array([[1.5], [2.0], [-4.0]])),
        (Y, Y[::-1]),
        mistakes={
            "take the mean over all N targets": lambda y, y_hat: np.sign(y_hat - y),
            "it should point away from the target": lambda y, y_hat: np.sign(y - y_hat) / y.size,
            "that is the gradient of the squared error": lambda y, y_hat: 2 * (y_hat - y) / y.size,
            "where ŷ = y it should be 0": lambda y, y_hat: np.where(y_hat >= y, 1, -1) / y.size,
        },
    ),
    "2.6": function(
        ridge,
        (X, Y, 0.5),
        (X, Y, 0.0),
        mistakes={
            "the bias is not penalised": ridge_with_penalised_bias,
            "the loss is a mean: n belongs to λ": lambda x, y, penalty: ridge(x, y, penalty, mean=False),
        },
    ),
    "2.7": function(
        leave_one_out,
        (X, Y),
        (X[:5, :1], Y[:5]),
        mistakes={
            "those are the residuals of the fit to all rows": lambda x, y: (
                y - with_ones(x) @ least_squares(x, y)
            ),
            "the sign: measured minus predicted": lambda x, y: -leave_one_out(x, y),
        },
    ),
    "2.8": function(
        products,
        (A, B),
        (X, Y),
        mistakes={
            "a's column stays while b's run through": lambda a, b: products(b, a),
            "flatten the last two axes": lambda a, b: a[:, :, None] * b[:, None, :],
            "the rows belong together: multiply within each": lambda a, b: np.kron(a, b),
        },
    ),
}
