"""Take pictures of the built book's pages: light and dark, as wide as a desktop and as a phone.

make book
python tools/screenshots.py book/01-neuron                     into the folder _build/screenshots
python tools/screenshots.py -o /tmp/look book/index search     into another one

Each page is taken from top to bottom, a screen at a time, as a reader scrolls through it.
"""

import argparse
from itertools import product
from pathlib import Path

from browser import launch, serve
from playwright.sync_api import sync_playwright

HTML = Path(__file__).resolve().parent.parent / "_build" / "html"
WIDTHS = [1280, 390]
HEIGHT = 1400
THEMES = ["light", "dark"]
STILL = ".bar { position: static !important }"


def screens(page):
    """Yield a picture of each screen, as PNG, from the top of the page to its end."""
    page.add_style_tag(content=STILL)
    bottom = page.evaluate("document.documentElement.scrollHeight")
    for top in range(0, bottom, HEIGHT):
        page.evaluate("(top) => scrollTo(0, top)", top)
        page.wait_for_load_state("networkidle")  # pictures load when they are seen
        page.wait_for_timeout(300)  # and interactive figures draw then
        yield page.screenshot()


def photograph(browser, url, width, theme):
    """Return the pictures of one page."""
    page = browser.new_page(color_scheme=theme, viewport={"width": width, "height": HEIGHT})
    page.goto(url)
    pictures = list(screens(page))
    page.close()
    return pictures


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="+", metavar="PAGE", help="without its ending, as in book/01-neuron")
    parser.add_argument("-o", "--output", type=Path, default=HTML.parent / "screenshots")
    parser.add_argument("--html", type=Path, default=HTML, help="the folder of the built book")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    with serve(options.html) as address, sync_playwright() as playwright:
        browser = launch(playwright)
        for name, width, theme in product(options.pages, WIDTHS, THEMES):
            pictures = photograph(browser, f"{address}/{name}.html", width, theme)
            for number, picture in enumerate(pictures, start=1):
                path = options.output / f"{Path(name).name}-{width}-{theme}-{number:02}.png"
                path.write_bytes(picture)
                print(path)


if __name__ == "__main__":
    main()
