"""The figures that recur: the right numbers, in the right places, in the two makers' colours."""

import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

mpl.use("Agg")

import matplotlib.pyplot as plt

from twice.plots import (
    DIVERGING,
    GREEN,
    GREY,
    KERAS,
    NUMPY,
    PURPLE,
    STYLE,
    UNDATED,
    field,
    images,
    two_curves,
    use_style,
)

RNG = np.random.default_rng(1)


@pytest.fixture(autouse=True)
def settings():
    """Leave matplotlib's settings, and no open figure, behind."""
    with mpl.rc_context():
        use_style()
        yield
    plt.close("all")


@pytest.fixture
def ax():
    return plt.subplots()[1]


def luminance(color):
    """Return the relative luminance of a colour, from 0 (black) to 1 (white), as WCAG 2 defines it."""
    rgb = np.array(to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


# the style


def test_two_makers_have_two_colours():
    assert (NUMPY, KERAS, GREEN, PURPLE) == ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def test_the_first_line_is_numpys_and_the_second_keras(ax):
    lines = [ax.plot([0, 1])[0].get_color() for _ in range(5)]
    assert lines == [NUMPY, KERAS, GREEN, PURPLE, GREY]


def test_figures_are_white_cards_with_two_spines(ax):
    assert tuple(ax.figure.get_size_inches()) == (7, 3.5)
    assert to_hex(ax.figure.get_facecolor()) == "#ffffff"
    assert {side for side, spine in ax.spines.items() if spine.get_visible()} == {"left", "bottom"}


@pytest.mark.parametrize("name", ["axes.labelcolor", "xtick.color", "ytick.color"])
def test_text_can_be_read_on_white(name):
    """A contrast of 4.5 to 1, which WCAG 2 asks for."""
    assert 1.05 / (luminance(STYLE[name]) + 0.05) >= 4.5


def test_the_diverging_map_is_white_between_the_two_makers():
    assert [to_hex(DIVERGING(v)) for v in (0.0, 1.0)] == [NUMPY.lower(), KERAS.lower()]
    assert min(DIVERGING(0.5)) > 0.99


def svg(figure):
    """Return a figure as SVG, as a notebook stores it."""
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata=UNDATED)
    return written.getvalue()


def test_pictures_say_nothing_of_their_making(ax):
    two_curves(ax, [1, 2], [1, 2])
    field(ax, lambda p: p[:, 0], (0, 1), (0, 1), points=3)
    assert svg(ax.figure) == svg(ax.figure)
    assert "<metadata>" not in svg(ax.figure)


def test_pixels_stay_pixels(ax):
    """Four numbers are stored as four, to be drawn sharp at any size."""
    ax.imshow([[0, 1], [2, 3]])
    assert 'width="2" height="2"' in svg(ax.figure) and "image-rendering:pixelated" in svg(ax.figure)


def test_outside_a_notebook_ipython_is_not_needed():
    code = "import sys; from twice.plots import use_style; use_style(); print({'IPython'} & set(sys.modules))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (process.stdout, process.stderr) == ("set()\n", "")


# two_curves


def test_two_curves_draws_both_orange_dashed_over_blue(ax):
    ours, theirs = RNG.normal(size=(2, 5))
    two_curves(ax, ours, theirs)
    blue, orange = ax.lines
    assert np.array_equal(blue.get_xydata(), np.column_stack([[1, 2, 3, 4, 5], ours]))
    assert np.array_equal(orange.get_xydata(), np.column_stack([[1, 2, 3, 4, 5], theirs]))
    assert (blue.get_color(), orange.get_color()) == (NUMPY, KERAS)
    assert blue.get_linestyle() == "-" and orange.get_linestyle() == "--"
    assert blue.get_linewidth() > orange.get_linewidth()  # blue shows on both sides and in the gaps
    assert blue.get_zorder() <= orange.get_zorder()


def test_two_curves_are_labelled(ax):
    two_curves(ax, [1, 2], [1, 2])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["NumPy", "Keras"]


def test_two_curves_can_stand_anywhere(ax):
    two_curves(ax, [1, 2], [3, 4], x=[10, 20])
    assert [list(line.get_xdata()) for line in ax.lines] == [[10, 20], [10, 20]]


def test_equal_curves_show_both_colours(ax):
    """Where the two agree, neither hides the other."""
    two_curves(ax, [0.0, 1.0], [0.0, 1.0])
    ax.get_legend().remove()
    ax.axis("off")
    ax.figure.canvas.draw()
    seen = {tuple(p) for p in np.asarray(ax.figure.canvas.buffer_rgba())[..., :3].reshape(-1, 3)}
    for color in (NUMPY, KERAS):
        assert tuple(int(color[i : i + 2], 16) for i in (1, 3, 5)) in seen


# field


def areas(filled):
    """Return the level below each filled area with the area's bounding box, empty ones left out."""
    paths = zip(filled.levels, filled.get_paths(), strict=False)
    return [(level, path.get_extents()) for level, path in paths if len(path.vertices)]


@pytest.mark.parametrize("axis", [0, 1])
def test_field_puts_the_values_where_they_belong(ax, axis):
    """The field x runs from left to right, the field y from bottom to top, in bands of 0.25."""
    filled = field(ax, lambda p: p[:, axis], (0, 1), (0, 1), levels=[0, 0.25, 0.5, 0.75, 1])
    bands = areas(filled)
    assert [level for level, _ in bands] == [0, 0.25, 0.5, 0.75]
    for level, box in bands:
        assert box.min[axis] == pytest.approx(level) and box.max[axis] == pytest.approx(level + 0.25)
        assert (box.min[1 - axis], box.max[1 - axis]) == (0, 1)


def test_field_asks_for_all_points_at_once_and_fills_the_ranges(ax):
    asked = []
    field(ax, lambda p: asked.append(p) or p[:, 0] * 0 + 0.5, (-3, 1), (2, 6), points=5)
    (points,) = asked
    assert points.shape == (25, 2)
    assert np.array_equal(np.unique(points[:, 0]), [-3, -2, -1, 0, 1])
    assert np.array_equal(np.unique(points[:, 1]), [2, 3, 4, 5, 6])
    assert ax.get_xlim() == (-3, 1) and ax.get_ylim() == (2, 6)


def test_field_colours_probabilities_from_blue_to_orange(ax):
    filled = field(ax, lambda p: p[:, 0], (0, 1), (0, 1))
    assert np.allclose(filled.levels, np.arange(21) / 20)
    (r0, _, b0, _), (r1, _, b1, _) = filled.get_facecolor()[[0, -1]]
    assert b0 > r0 and r1 > b1
    assert np.ptp(filled.get_facecolor()[9:11, :3]) < 0.1  # next to 0.5: nearly white


def test_field_takes_other_colours(ax):
    filled = field(ax, lambda p: 9 * p[:, 1], (0, 1), (0, 1), levels=[0, 3, 6, 9], cmap="viridis")
    dark, light = (np.array(plt.get_cmap("viridis")(v)) for v in (0.0, 1.0))
    first, _, last = filled.get_facecolor()
    assert np.linalg.norm(first - dark) < np.linalg.norm(first - light)
    assert np.linalg.norm(last - light) < np.linalg.norm(last - dark)


def test_field_is_small_in_a_picture(ax):
    field(ax, lambda p: np.sin(9 * p).sum(axis=1), (0, 1), (0, 1), levels=np.linspace(-2, 2, 40))
    assert "<image" in svg(ax.figure) and len(svg(ax.figure)) < 60_000


# images


@pytest.mark.parametrize(
    ("n", "columns", "rows"),
    [(1, 10, 1), (10, 10, 1), (11, 10, 2), (7, 3, 3), (6, 3, 2)],
)
def test_images_stand_in_rows(n, columns, rows):
    pictures = RNG.integers(0, 256, size=(n, 4, 5), dtype=np.uint8)
    figure = images(pictures, columns=columns)
    grid = np.array(figure.axes).reshape(rows, columns)
    shown = [ax.images[0].get_array() for ax in grid.flat if ax.images]
    assert np.array_equal(shown, pictures)  # all of them, row by row
    assert [bool(ax.images) for ax in grid.flat] == [i < n for i in range(rows * columns)]
    assert not any(ax.axison for ax in grid.flat)
    assert tuple(figure.get_size_inches()) == pytest.approx((0.7 * columns, 0.7 * rows))


def test_grey_pictures_are_dark_on_white_and_may_share_limits():
    figure = images(RNG.random((2, 3, 3)), columns=2, limits=(0, 1))
    for ax in figure.axes:
        (image,) = ax.images
        assert image.get_cmap().name == "gray_r" and image.get_clim() == (0, 1)


def test_without_limits_each_picture_uses_all_its_greys():
    pictures = np.array([[[0.0, 1.0]], [[5.0, 9.0]]])
    assert [ax.images[0].get_clim() for ax in images(pictures, columns=2).axes] == [(0, 1), (5, 9)]


def test_weights_get_the_map_they_are_given():
    figure = images(RNG.normal(size=(1, 2, 2)), columns=1, cmap=DIVERGING, limits=(-2, 2))
    image = figure.axes[0].images[0]
    assert image.get_cmap() == DIVERGING and image.get_clim() == (-2, 2)


def test_colour_pictures_keep_their_colours():
    pictures = RNG.integers(0, 256, size=(2, 4, 4, 3), dtype=np.uint8)
    shown = [ax.images[0].get_array() for ax in images(pictures, columns=2).axes]
    assert np.array_equal(shown, pictures)


def test_titles_stand_above_and_have_room():
    pictures = RNG.random((3, 2, 2))
    figure = images(pictures, columns=2, titles=["a", "b", "c"])
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c", ""]
    assert figure.get_size_inches()[1] > images(pictures, columns=2).get_size_inches()[1]


def test_size_is_the_width_of_one_picture():
    assert tuple(images(RNG.random((4, 2, 2)), columns=2, size=1.5).get_size_inches()) == (3, 3)
