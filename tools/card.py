"""Draw the card that is shown where somebody shares a link to the book: book/_static/card.png.

python tools/card.py
"""

from browser import launch
from notebooks import BOOK
from playwright.sync_api import sync_playwright

SIZE = {"width": 1200, "height": 630}
CARD = """\
<!DOCTYPE html><link rel="stylesheet" href="book.css"><style>
body { display: flex; align-items: center; gap: 72px; padding: 0 84px; }
svg { width: 380px; flex: none; fill: #fff; } .numpy { fill: var(--numpy); } .keras { fill: var(--keras); }
h1 { font-size: 80px; margin: 0 0 32px; } p { font: 38px/1.35 var(--serif); margin: 0; color: var(--muted); }
</style><svg viewBox="0 0 64 44"><circle class="numpy" cx="22" cy="22" r="20"/>
<circle class="keras" cx="42" cy="22" r="20"/>
<path d="M32 4.68a20 20 0 0 1 0 34.64a20 20 0 0 1 0-34.64z"/></svg>
<div><h1>Deep Learning, Twice</h1>
<p>Every idea by hand in NumPy, and again in Keras.</p></div>"""


def main():
    """Draw the card with the book's own style sheet and faces."""
    static = BOOK / "_static"
    page_file = static / "card.html"
    page_file.write_text(CARD, encoding="utf-8")
    try:
        with sync_playwright() as playwright:
            page = launch(playwright).new_page(viewport=SIZE, color_scheme="light")
            page.goto(page_file.as_uri())
            page.evaluate("document.fonts.ready")
            page.screenshot(path=static / "card.png")
    finally:
        page_file.unlink()


if __name__ == "__main__":
    main()
