"""Two engines that differentiate whatever is computed with them, by reverse mode (chapter 5).

A `Value` is a number that remembers which numbers it was made from, and the slope of itself with respect to
each. Those slopes are all that the chain rule needs. An `Array` does the same for whole arrays: in the place
of a slope it keeps a function that multiplies by the Jacobian. To read beside them: Karpathy's micrograd
(2020).
"""

import numpy as np
from matplotlib.patches import Rectangle

from twice.plots import GREEN, GREY, NUMPY


class Value:
    """A number in a graph of computations.

    It computes as NumPy does, with NumPy's warnings: what has no value is NaN, what is too large is infinite.

    Parameters
    ----------
    data : float
        The number.
    parents : sequence of tuple (Value, float)
        The values it was computed from, each with the slope ∂(this)/∂(that).
    name : str
        What the drawing calls it: the operation, or a name for an input.

    Attributes
    ----------
    grad : float
        ∂L/∂(this), once ``L.backward()`` was called.
    """

    def __init__(self, data, parents=(), name=""):
        self.data = np.float64(float(data))  # computes as NumPy does: NaN, not an error
        self.parents, self.name, self.grad = parents, name, 0.0

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)), "+")

    def __sub__(self, other):
        other = as_value(other)
        return Value(self.data - other.data, ((self, 1.0), (other, -1.0)), "−")

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)), "×")

    def __truediv__(self, other):
        other = as_value(other)
        y = self.data / other.data
        return Value(y, ((self, 1 / other.data), (other, -y / other.data)), "÷")

    def __pow__(self, n):
        if not hasattr(n, "parents"):
            slope = n * self.data ** (n - 1) if n else 0.0
            return Value(self.data**n, ((self, slope),), f"^{n}")
        y = self.data**n.data
        slopes = n.data * self.data ** (n.data - 1), y * np.log(self.data) if self.data else 0.0
        return Value(y, tuple(zip((self, n), slopes, strict=True)), "^")

    def __neg__(self):
        return 0 - self

    def __radd__(self, other):
        return as_value(other) + self

    def __rsub__(self, other):
        return as_value(other) - self

    def __rmul__(self, other):
        return as_value(other) * self

    def __rtruediv__(self, other):
        return as_value(other) / self

    def __rpow__(self, other):
        return as_value(other) ** self

    def exp(self):
        """Return eˣ, with the slope eˣ."""
        y = np.exp(self.data)
        return Value(y, ((self, y),), "exp")

    def log(self):
        """Return log x, with the slope 1/x."""
        return Value(np.log(self.data), ((self, 1 / self.data),), "log")

    def tanh(self):
        """Return y = tanh x, with the slope 1 − y²."""
        y = np.tanh(self.data)
        return Value(y, ((self, 1 - y * y),), "tanh")

    def relu(self):
        """Return max(0, x), with the slope 1 for x > 0 and 0 elsewhere."""
        return Value(np.maximum(0.0, self.data), ((self, float(self.data > 0)),), "relu")

    def sigmoid(self):
        """Return y = σ(x), as (1 + tanh(x/2)) / 2, which never overflows; with the slope y(1 − y)."""
        y = (1 + np.tanh(self.data / 2)) / 2
        return Value(y, ((self, y * (1 - y)),), "σ")

    def backward(self):
        """Fill in ``grad`` = ∂(this)/∂(that) for every value that this one depends on.

        Going from the result back to the inputs, each value passes to its parents what it has received,
        times the slope of the step between: ∂L/∂p = Σ ∂L/∂v · ∂v/∂p over all v computed from p. In this
        order a value has received everything before it passes anything on.
        """
        order = topological_order(self)
        for v in order:
            v.grad = 0.0
        self.grad = 1.0
        for v in reversed(order):
            for parent, slope in v.parents:
                parent.grad += v.grad * slope

    def __repr__(self):
        return f"Value({self.data:.6g}, grad={self.grad:.6g})"


def as_value(number):
    """Return ``number`` as a `Value`, if it is not one already: if it has no parents that it remembers."""
    return number if hasattr(number, "parents") else Value(number)


def topological_order(result):
    """Return everything that ``result`` was computed from, and ``result``: each value after its parents."""
    order, seen, todo = [], set(), [(result, False)]
    while todo:  # a list of tasks instead of recursion, so that a graph may be deep
        v, parents_done = todo.pop()
        if parents_done:
            order.append(v)
        elif v not in seen:
            seen.add(v)
            todo.append((v, True))
            todo.extend((parent, False) for parent, _ in reversed(v.parents))
    return order


class Array:
    """An array in a graph of computations.

    Parameters
    ----------
    data : array_like
        The numbers.
    parents : sequence of tuple (Array, callable)
        The arrays it was computed from, each with a function that takes ∂L/∂(this) to the part of ∂L/∂(that)
        which comes back through this step, in the shape of this array or of that one.

    Attributes
    ----------
    grad : numpy.ndarray
        ∂L/∂(this), of the shape of ``data``, once ``L.backward()`` was called.
    """

    __array_ufunc__ = None  # NumPy's arrays leave + and × to this class

    def __init__(self, data, parents=()):
        self.data, self.parents = np.array(data, float), parents
        self.grad = np.zeros_like(self.data)

    def __add__(self, other):
        other = as_array(other)
        return Array(self.data + other.data, ((self, lambda g: g), (other, lambda g: g)))

    def __sub__(self, other):
        return self + -1.0 * as_array(other)

    def __mul__(self, other):
        other = as_array(other)
        back = (self, lambda g: g * other.data), (other, lambda g: g * self.data)
        return Array(self.data * other.data, back)

    def __matmul__(self, other):
        other = as_array(other)
        x, W = self.data, other.data
        to_x, to_W = lambda g: g @ W.swapaxes(-1, -2), lambda g: x.swapaxes(-1, -2) @ g
        return Array(x @ W, ((self, to_x), (other, to_W)))

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        """Return eˣ, number by number."""
        y = np.exp(self.data)
        return Array(y, ((self, lambda g: g * y),))

    def log(self):
        """Return log x, number by number."""
        return Array(np.log(self.data), ((self, lambda g: g / self.data),))

    def relu(self):
        """Return max(0, x), number by number; the slope at 0 is 0."""
        return Array(np.maximum(0, self.data), ((self, lambda g: g * (self.data > 0)),))

    def sum(self, axis=None):
        """Return the sum of all numbers, shape (), or along an axis, which stays with length 1."""
        y = self.data.sum(axis=axis, keepdims=axis is not None)
        return Array(y, ((self, lambda g: np.broadcast_to(g, self.data.shape)),))

    def backward(self):
        """Fill in ``grad`` for every array this one depends on; of several numbers, that of their sum."""
        order = topological_order(self)
        for v in order:
            v.grad = np.zeros_like(v.data)
        self.grad = np.ones_like(self.data)
        for v in reversed(order):
            for parent, back in v.parents:
                parent.grad += unbroadcast(back(v.grad), parent.data.shape)


def as_array(numbers):
    """Return ``numbers`` as an `Array`, if they are not one already."""
    return numbers if isinstance(numbers, Array) else Array(numbers)


def unbroadcast(g, shape):
    """Return a gradient summed over the axes along which an array of that ``shape`` was stretched."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    stretched = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return g.sum(axis=stretched, keepdims=True)


def layout(result):
    """Return where each value is drawn: a dict of (column, row).

    Columns count the steps to the result, which stands at column 0 with the rest left of it. Inputs take one
    row each, in the order of their use; a computed value stands level with the middle of its parents, or
    below whatever is there already.
    """
    column, row, taken = {result: 0}, {}, set()
    order = topological_order(result)
    for v in reversed(order):
        for parent, _ in v.parents:
            column[parent] = min(column.get(parent, 0), column[v] - 1)
    for v in order:
        rows = [row[parent] for parent, _ in v.parents]
        row[v] = sum(rows) / len(rows) if rows else max(row.values(), default=-1) + 1
        while any(column[v] == c and abs(row[v] - r) < 1 for c, r in taken):
            row[v] += 1
        taken.add((column[v], row[v]))
    return {v: (column[v], row[v]) for v in order}


def draw(result, ax):
    """Draw the graph of a computation, from the inputs on the left to the result on the right.

    Parameters
    ----------
    result : Value
        The end of the computation.
    ax : matplotlib.axes.Axes
        Where to draw. A box holds a name or an operation, the value, and the gradient; a slope stands at the
        tip of its arrow.
    """
    places = layout(result)
    for v, (x, y) in places.items():
        for parent, slope in v.parents:
            draw_arrow(ax, places[parent], (x, y), f"{slope:.3g}")
        draw_box(ax, v, x, y)
    columns, rows = zip(*places.values(), strict=True)
    ax.set(xlim=(min(columns) - 0.4, 0.4), ylim=(max(rows) + 0.5, min(rows) - 0.5))
    ax.set_axis_off()


def draw_box(ax, v, x, y):
    """Draw a box that holds a name or an operation, the value, and the gradient."""
    style = {"facecolor": "white", "edgecolor": GREY, "zorder": 2}
    ax.add_patch(Rectangle((x - 0.3, y - 0.4), 0.6, 0.8, **style))
    lines = ((v.name, "black"), (f"{v.data:.4g}", NUMPY), (f"{v.grad:.4g}", GREEN))
    for place, (text, color) in zip((y - 0.24, y, y + 0.24), lines, strict=True):
        ax.text(x, place, text, color=color, ha="center", va="center_baseline", fontsize=9)


def draw_arrow(ax, start, end, text):
    """Draw an arrow between two boxes, bent where it passes others, with a text near its tip."""
    (x0, y0), (x1, y1) = (start[0] + 0.3, start[1]), (end[0] - 0.3, end[1])
    away = 0.3 if y0 > y1 else -0.3  # from the boxes between
    bend = away if end[0] - start[0] > 1 else 0.0
    arrow = {"arrowstyle": "->", "color": GREY, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", (x1, y1), (x0, y0), arrowprops=arrow | {"connectionstyle": f"arc3,rad={bend}"}, zorder=1)
    y = y1 + 0.2 * (y0 - y1) / (x1 - x0) + bend / 2
    white = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    ax.text(x1 - 0.2, y, text, ha="center", va="center", fontsize=7, color=GREY, bbox=white)
