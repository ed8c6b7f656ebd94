"""A notebook with every construct that a chapter may use, for the tests of the pages."""

import base64
from io import BytesIO, StringIO

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from twice.plots import DIVERGING, STYLE, UNDATED, two_curves


def shows(source, data, **metadata):
    """Return a code cell that displayed `data`."""
    output = new_output("display_data", data=data)
    return new_code_cell(source, execution_count=1, outputs=[output], metadata=metadata)


def prints(source, text):
    """Return a code cell that printed `text`."""
    return new_code_cell(source, execution_count=1, outputs=[new_output("stream", name="stdout", text=text)])


def drawing():
    """Return a figure of 7 by 3.5 inches, with two curves and a heat map, as SVG in the book's style."""
    svg = StringIO()
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2)
        two_curves(left, [1, 2], [1, 2])
        right.imshow([[0, 1], [1, 0]], cmap=DIVERGING)
        right.text(0, 0, "black on blue", color="black")
        figure.savefig(svg, format="svg", metadata=UNDATED)
        plt.close(figure)
    return svg.getvalue()


def picture(width, height, dpi):
    """Return an empty figure, in inches, as PNG in base 64."""
    png = BytesIO()
    Figure(figsize=(width, height), dpi=dpi).savefig(png, format="png")
    return base64.b64encode(png.getvalue()).decode()


# A small interactive figure: it says that it is ready, shows the theme it is told, and asks for a height.
FRAME = """\
<div class="explorable"><iframe title="A figure" sandbox="allow-scripts"
srcdoc="<html lang='en'><title>A figure</title><body>untold<script>
addEventListener('message', ({data}) => { if (data.theme) document.body.textContent = data.theme; });
parent.postMessage({twice: 'ready'}, '*'); parent.postMessage({twice: 'height', height: 321.5}, '*');
</script>"></iframe></div>"""

WIDE = r"\frac{a+b+c+d+e+f}{a} = " * 6
ONE_PIECE = r"\underbrace{" + "a + " * 40 + r"a}_{n}"

METADATA = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
SPECIMEN = [
    new_markdown_cell(
        "# 7. Specimen\n\nA page with every construct, and $\\sigma(z)$ in its first paragraph."
    ),
    new_markdown_cell(
        "## Equations\n\n[(7.1)](#eq-7-1) is below, and [the welcome](index.md) elsewhere.\n\n"
        "$$\\begin{aligned}\na &= b \\\\\n  &= c\n\\end{aligned} \\tag{7.1}$$\n\n"
        "Within a paragraph: $$x = y$$ and on. A wide one:\n\n"
        f"$${WIDE} 1 \\tag{{7.2}}$$\n\nOne in one piece:\n\n$${ONE_PIECE} \\tag{{7.3}}$$\n\n"
        "[(7.2)](07-specimen.ipynb#eq-7-2)"
    ),
    new_markdown_cell("And (7.1) once more, in words; (0.5) is a number."),
    new_markdown_cell("No line begins with the mark after $a = b$, nor with the end of the $k$-th word."),
    new_markdown_cell("> **Note.** A note with $n$ in it.\n\n> A quotation."),
    new_markdown_cell("|  | value |\n| --- | ---: |\n| $\\lvert x\\rvert$ | `1` |"),
    new_markdown_cell(
        "| name | a heading of several words in a column of numbers | shape |\n| --- | --- | --- |\n"
        "| a text that would stand one word a line in a column as narrow as it can be | 1 | `[30, 30, 32]` |"
    ),
    prints("agree(1, 1)", "✓ one: agree to 1e-10\n✗ two: rejected\nplain ✓ text\n"),
    shows("plot()", {"image/svg+xml": drawing()}, mystnb={"image": {"alt": "Two curves beside a heat map."}}),
    new_markdown_cell("*The first figure, with $L$ in its caption.*\n\n*Italic, but no caption.*"),
    shows("plot()", {"image/png": picture(3, 2, 200)}, mystnb={"image": {"alt": "A small one."}}),
    shows("display(Markdown(text))", {"text/markdown": "The slope is $k = 2$.\n\n$$k = 2$$"}),
    shows("explore()", {"text/html": FRAME}),
    new_markdown_cell(
        "*An interactive figure.*\n\n<details>\n<summary>Solution</summary>\n\nBecause $a = b$:\n\n"
        "```python\ndef f(x):\n    return x\n```\n\n</details>"
    ),
    prints('answer = ...\n\ncheck("7.1", answer)', "Exercise 7.1: not attempted yet\n"),
    prints('check("7.2", 1)', "Exercise 7.2: ✗ half of it\nExercise 7.3: not attempted yet\n"),
    new_code_cell("folded = 1", metadata={"tags": ["hide-input"]}),
    new_code_cell("x = 1  # nothing shown, in a line that is far too long for any screen" + " indeed" * 20),
]
