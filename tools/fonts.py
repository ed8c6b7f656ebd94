"""Make the book's typefaces: Adobe's Source families, cut down to the letters that a page of this book needs.

Run it in an empty folder where ``npm pack source-serif@4.5.1 source-sans@3.52.0 source-code-pro@2.42.0`` has
left its three archives; it needs ``fonttools`` and ``brotli``. The result stands in ``book/_static/fonts``.
Their licence keeps the name "Source" for Adobe's own files, so the cut ones are called "Twice".

Each face is two files: what nearly every page needs, and the rest, which a browser asks for where a page has
such a letter. The style sheet gives both ranges; where they overlap, its later rule is the one that counts.
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
    "twice-serif-italic": (SERIF, "package/VAR/SourceSerif4Variable-Italic.ttf", {"opsz": 14, "wght": 400}),
    "twice-sans": ("source-sans-3.52.0.tgz", "package/VF/SourceSans3VF-Upright.ttf", {}),
    "twice-mono": ("source-code-pro-2.42.0.tgz", "package/VF/SourceCodeVF-Upright.ttf", {}),
}
COMMON = [
    (0x20, 0x7E),  # Latin
    (0xA0, 0xA0),  # a space that does not break
    (0xA9, 0xA9),  # ©
    (0xB0, 0xB3),  # ° ± ² ³
    (0xB7, 0xB7),  # ·
    (0xBD, 0xBD),  # ½
    (0xD7, 0xD7),  # ×
    (0xE4, 0xE4),  # ä
    (0xE7, 0xE9),  # ç è é
    (0xF6, 0xF6),  # ö
    (0xFC, 0xFC),  # ü
    (0x177, 0x177),  # ŷ
    (0x302, 0x304),  # combining hat, tilde, bar
    (0x3B1, 0x3C9),  # Greek
    (0x2010, 0x2014),  # dashes
    (0x2018, 0x201E),  # quotation marks
    (0x2026, 0x2026),  # …
    (0x2032, 0x2032),  # ′
    (0x2070, 0x209F),  # superscripts and subscripts
    (0x2190, 0x2193),  # arrows
    (0x2202, 0x2202),  # ∂
    (0x2211, 0x2212),  # ∑ −
    (0x2248, 0x2248),  # ≈
    (0x2264, 0x2265),  # ≤ ≥
]
MORE = [
    (0xA1, 0xFF),
    (0x152, 0x153),
    (0x160, 0x161),
    (0x174, 0x178),
    (0x391, 0x3A9),
    (0x2020, 0x2025),
    (0x2030, 0x2033),
    (0x20AC, 0x20AC),
    (0x2200, 0x2263),  # mathematics
    (0x2500, 0x257F),  # the boxes that model.summary() draws
]
LAYOUT = ["kern", "liga", "calt", "ccmp", "locl", "mark", "mkmk", "tnum", "case"]
NAMES = {1, 3, 4, 6, 16, 25}  # where a font says what it is called


def codes(ranges):
    return {code for first, last in ranges for code in range(first, last + 1)}


def cut(font, wanted):
    options = subset.Options(layout_features=LAYOUT, hinting=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=wanted)
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
    for suffix, wanted in [("", codes(COMMON)), ("-more", codes(MORE) - codes(COMMON))]:
        font = TTFont(unpacked)
        cut(font, wanted)
        rename(font, name)
        font.flavor = "woff2"
        font.save(OUT / f"{name}{suffix}.woff2")


if __name__ == "__main__":
    for name, source in FACES.items():
        make(name, *source)
