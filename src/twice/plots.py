"""One matplotlib style for the whole book, and the figures that recur.

Blue is what NumPy made, orange is what Keras made, in every figure (colours of Okabe & Ito, 2008, safe for
the colour-blind).
"""

import sys

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap

NUMPY, KERAS, GREEN, PURPLE, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6E6E6E"
INK = "#333333"
DIVERGING = LinearSegmentedColormap.from_list("twice", [NUMPY, "#FFFFFF", KERAS])
STYLE = {
    "figure.figsize": (7, 3.5),
    "figure.dpi": 120,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "axes.facecolor": "none",  # the figure's own shows through: one ground, which the book's pages may darken
    "axes.prop_cycle": plt.cycler(color=[NUMPY, KERAS, GREEN, PURPLE, GREY]),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "text.color": INK,
    "font.size": 10,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "image.cmap": "viridis",
    "image.interpolation": "none",  # squares with sharp edges, at any size
    "image.composite_image": False,
    "svg.hashsalt": "twice",  # the same names of parts in every run
}
UNDATED = dict.fromkeys(["Creator", "Date", "Format", "Type"])  # what an SVG says of its making: nothing


def use_style():
    """Draw every figure that follows in the book's style; in a notebook as SVG, sharp at any size."""
    if in_notebook():
        from matplotlib_inline.backend_inline import set_matplotlib_formats  # it comes with every kernel

        set_matplotlib_formats("svg", metadata=UNDATED)
    plt.rcParams.update(STYLE)


def in_notebook():
    """Return whether IPython runs this program, without importing it where it does not."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def two_curves(ax, ours, theirs, x=None):
    """Draw NumPy's curve as a blue line and Keras's dashed in orange over it, each with its label.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    ours, theirs : array_like, shape (k,)
        The same quantity from the two makers.
    x : array_like, shape (k,), optional
        Positions; 1, 2, …, k when left out.
    """
    x = np.arange(1, len(ours) + 1) if x is None else x
    ax.plot(x, ours, color=NUMPY, linewidth=3.5, label="NumPy")
    ax.plot(x, theirs, color=KERAS, linestyle=(0, (3, 2)), label="Keras")
    ax.legend()


def field(ax, f, x_range, y_range, *, levels=None, cmap=DIVERGING, points=201):
    """Fill the plane with the values of ``f`` and return the filled contours.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    f : callable
        Takes points of shape (n, 2), returns values of shape (n,).
    x_range, y_range : tuple of float
        Ends of the two axes.
    levels : array_like, optional
        Borders of the colours, as in matplotlib's ``contourf``; steps of 0.05 from 0 to 1 when left out.
    cmap : str or matplotlib colormap
        Colours, from the lowest value to the highest.
    points : int
        Grid points along each axis.
    """
    u, v = np.meshgrid(np.linspace(*x_range, points), np.linspace(*y_range, points))
    values = f(np.column_stack([u.ravel(), v.ravel()])).reshape(u.shape)
    levels = np.linspace(0, 1, 21) if levels is None else levels
    colors = plt.get_cmap(cmap)(np.linspace(0, 1, len(levels) - 1))
    paler = 0.4 + 0.6 * colors  # so that points stand out
    filled = ax.contourf(u, v, values, levels=levels, colors=paler)
    filled.set_rasterized(True)  # as an SVG's outlines it would be large
    return filled


def images(pictures, *, columns=10, titles=None, cmap="gray_r", limits=(None, None), size=0.7):
    """Draw pictures in a grid without axes and return the figure.

    Parameters
    ----------
    pictures : array_like, shape (n, h, w) or (n, h, w, 3)
    columns : int
        Pictures in a row.
    titles : sequence of str, optional
        A short text above each picture.
    cmap : str or matplotlib colormap
        For pictures of one channel.
    limits : tuple of float or None
        The values that get the lowest and the highest colour; None takes each picture's own.
    size : float
        Width of one picture in inches.
    """
    rows = -(-len(pictures) // columns)
    height = size * rows * (1.3 if titles is not None else 1)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, height), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for i, (ax, picture) in enumerate(zip(axes.flat, pictures, strict=False)):
        ax.imshow(picture, cmap=cmap, vmin=limits[0], vmax=limits[1])
        if titles is not None:
            ax.set_title(titles[i], fontsize=8, pad=2)
    return figure
