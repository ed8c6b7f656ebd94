"""The pictures that cells drew: dark on a dark page, each from one file.

Matplotlib writes its colours into an SVG one by one. Here each becomes a variable that has another value
where the picture's address ends in #dark; a page holds the picture at both addresses and shows one of them.
What lies on a photograph, a heat map or a field keeps its colours, as do these themselves.
"""

import re
from pathlib import Path

# The colours of twice.plots and what stands for them on a dark page: the colours of book.css and page.css.
DARK = {
    "#ffffff": "#14171b",
    "#000000": "#dde1e6",
    "#333333": "#dde1e6",
    "#6e6e6e": "#a0a9b4",
    "#0072b2": "#3d9bd6",
    "#d55e00": "#f0803a",
    "#009e73": "#1fb58a",
    "#cc79a7": "#cc79a7",
}
PAPER, INK = DARK["#ffffff"], DARK["#000000"]
CONTRAST = 3  # which WCAG 2 asks of what one must see to understand a picture
STYLE = """\
<style>
svg:target {{ fill: {ink}; {dark} }}
svg:target g[id^="axes"]:has(image) > g {{ fill: #000000; }}
svg:target g[id^="axes"]:has(image) > g:not([id^="matplotlib"], [id^="patch"], [id^="text"]) {{ {light} }}
</style>
"""


def themed(svg):
    """Return a picture of matplotlib's that is dark where its address ends in #dark."""
    colours = sorted(set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", svg)))
    changed = {colour: dark for colour in colours if (dark := on_dark(colour)) != colour}
    style = STYLE.format(
        ink=INK,
        dark=" ".join(f"{variable(colour)}: {dark};" for colour, dark in changed.items()),
        light=" ".join(f"{variable(colour)}: initial;" for colour in changed),
    )
    for colour in changed:
        svg = re.sub(rf"(fill|stroke): {colour}", rf"\1: var({variable(colour)}, {colour})", svg)
    return svg.replace("<svg ", '<svg id="dark" ', 1).replace("</svg>", f"{style}</svg>")


def variable(colour):
    """Return the name of the variable that stands for a colour."""
    return f"--x{colour.removeprefix('#')}"


def on_dark(colour):
    """Return what stands for a colour on a dark page: one of the book's, or the colour made light enough."""
    if colour in DARK:
        return DARK[colour]
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    for whiteness in range(0, 100, 5):
        lighter = [round(part + (255 - part) * whiteness / 100) for part in rgb]
        if contrast(lighter) >= CONTRAST:
            break
    return "#" + "".join(f"{part:02x}" for part in lighter)


def contrast(rgb):
    """Return the contrast of a colour with the dark page, as WCAG 2 defines it."""
    paper = [int(PAPER[i : i + 2], 16) for i in (1, 3, 5)]
    return (luminance(rgb) + 0.05) / (luminance(paper) + 0.05)


def luminance(rgb):
    """Return how bright a colour is, from 0 (black) to 1 (white)."""
    shares = (part / 255 for part in rgb)
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def framed(image):
    """Return the HTML of a picture for both themes, of which the style sheet shows one."""
    if '.svg"' in image:
        light, dark = (image.replace("<img ", f'<img class="on-{theme}" ') for theme in ("light", "dark"))
        image = light + dark.replace('.svg"', '.svg#dark"')
    return f'<div class="picture">{image}</div>\n'


def write_pictures(app, exception):
    """Write the pictures of the cells, as they are shown, over those that Sphinx copied."""
    if exception or app.builder.format != "html":
        return
    for source, (_, name) in app.env.images.items():
        shown = Path(app.outdir, "_images", name)
        svg = Path(app.srcdir, source).read_text(encoding="utf-8") if name.endswith(".svg") else ""
        if 'id="figure_1"' in svg and shown.exists():
            shown.write_text(themed(svg), encoding="utf-8")


def setup(app):
    app.connect("build-finished", write_pictures)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
