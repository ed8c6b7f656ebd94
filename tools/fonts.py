"""Make the book's typefaces: Adobe's Source families, cut down to the letters that a page of this book needs.

Run it in an empty folder where ``npm pack source-serif@4.5.1 source-sans@3.52.0 source-code-pro@2.42.0`` has
left its three archives; it needs ``fonttools`` and ``brotli``. The result stands in ``book/_static/fonts``.
Their licence keeps the name "Source" for Adobe's own files, so the cut ones are called "Twice".
"""

import tarfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

OUT = Path(__file__).parent.parent / "book" / "_static" / "fonts"
SERIF = "source-serif-4.5.1.tgz"
FACES = {
    "twice-serif": (SERIF, "package/VAR/SourceSerif4Variable-Roman.ttf", {"opsz": 14}),
    "twice-serif-italic": (SERIF, "package/VAR/SourceSerif4Variable-Italic.ttf", {"opsz": 14}),
    "twice-sans": ("source-sans-3.52.0.tgz", "package/VF/SourceSans3VF-Upright.ttf", {}),
    "twice-mono": ("source-code-pro-2.42.0.tgz", "package/VF/SourceCodeVF-Upright.ttf", {}),
}
RANGES = [
    (0x20, 0x7E),  # Latin
    (0xA0, 0xFF),
    (0x152, 0x153),
    (0x160, 0x161),
    (0x174, 0x178),  # ŵ, ŷ
    (0x302, 0x304),  # combining hat, tilde, bar
    (0x391, 0x3A9),  # Greek
    (0x3B1, 0x3C9),
    (0x2010, 0x2014),  # dashes
    (0x2018, 0x201E),  # quotation marks
    (0x2020, 0x2026),
    (0x2030, 0x2033),
    (0x2070, 0x209F),  # superscripts and subscripts
    (0x20AC, 0x20AC),
    (0x2190, 0x2193),  # arrows
    (0x2200, 0x2265),  # mathematics
    (0x2500, 0x257F),  # the boxes that model.summary() draws
]
LAYOUT = ["kern", "liga", "calt", "ccmp", "locl", "mark", "mkmk", "tnum", "case"]
NAMES = {1, 3, 4, 6, 16, 25}  # where a font says what it is called


def cut(font):
    options = subset.Options(layout_features=LAYOUT, hinting=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
    subsetter.subset(font)


def rename(font, name):
    for record in font["name"].names:
        if record.nameID in NAMES:
            record.string = name


def make(name, archive, member, axes):
    unpacked = Path(f"{name}.ttf")
    with tarfile.open(archive) as tar:
        unpacked.write_bytes(tar.extractfile(member).read())
    instancer.instantiateVariableFont(TTFont(unpacked), {"wght": (400, 700), **axes}).save(unpacked)
    font = TTFont(unpacked)
    cut(font)
    rename(font, name)
    font.flavor = "woff2"
    font.save(OUT / f"{name}.woff2")


if __name__ == "__main__":
    for name, source in FACES.items():
        make(name, *source)
