"""Print the whole book as one PDF, with page numbers in its contents, bookmarks, and answers at the end.

make book
python tools/pdf.py                     into _build/deep-learning-twice.pdf
python tools/pdf.py -o book.pdf book/02-linear-regression book/notation     only these pages

The pages of the built book are put on one page and printed twice by Chromium: the first print says on which
sheet each heading stands, the second one has these numbers in its contents.
"""

import argparse
import io
from pathlib import Path

import yaml
from browser import launch, serve
from playwright.sync_api import sync_playwright
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parent.parent
HTML = ROOT / "_build" / "html"
ASSEMBLE = (ROOT / "tools" / "pdf.js").read_text(encoding="utf-8")
A4_MM, MARGINS_MM, MM_PER_INCH, CSS_PIXELS_PER_INCH = 210, 40, 25.4, 96
WIDTH = round((A4_MM - MARGINS_MM) / MM_PER_INCH * CSS_PIXELS_PER_INCH)  # pixels of text on a sheet
MINUTE = 60_000  # milliseconds

STYLE = """
@page :first { @bottom-center { content: none; } }
article, .contents, .answers { break-before: page; }
.title-page { padding-top: 60mm; text-align: center; font-family: var(--serif); }
.title-page svg { width: 40mm; fill: #fff; }
.title-page .numpy { fill: var(--numpy); }
.title-page .keras { fill: var(--keras); }
.contents p { margin: 0; break-inside: avoid; font-family: var(--sans); }
.contents .chapter { margin-top: 0.9em; font-weight: 600; break-after: avoid; }
.contents .section { padding-left: 1.5em; font-size: 0.92em; }
.contents a { display: flex; gap: 1em; text-decoration: none; }
.contents .page { margin-left: auto; font-variant-numeric: tabular-nums; }
.answers h3 { margin-top: 1.6em; }
"""

# Formulas and tables that are wider than the sheet are printed smaller, as a whole.
FIT = """() => {
  for (const part of document.querySelectorAll(".math.display, div.table")) {
    const inner = part.firstElementChild;
    const width = Math.max(part.scrollWidth, inner.scrollWidth);
    if (width > part.clientWidth + 1) inner.style.zoom = part.clientWidth / width;
  }
}"""

NUMBER = """(pages) => {
  for (const link of document.querySelectorAll(".contents a")) {
    link.querySelector(".page").textContent = pages[link.hash.slice(1)];
  }
}"""


def pages_of_the_book():
    """Return the pages in the order of the table of contents, without their ending."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def printed(page):
    """Return the page as a PDF, with bookmarks and tags."""
    return page.pdf(prefer_css_page_size=True, print_background=True, outline=True, tagged=True)


def sheets(pdf):
    """Return on which sheet of a PDF, from 1, each place that a link leads to stands."""
    reader = PdfReader(io.BytesIO(pdf))
    places = reader.named_destinations
    return {name.lstrip("/"): reader.get_destination_page_number(place) + 1 for name, place in places.items()}


def assembled(browser, address, names):
    """Return a browser's page that holds the named pages of the served book, ready to be printed."""
    page = browser.new_page(viewport={"width": WIDTH, "height": 1000}, color_scheme="light")
    page.set_default_timeout(10 * MINUTE)
    page.emulate_media(media="print")
    page.goto(f"{address}/{names[0]}.html")
    page.evaluate(ASSEMBLE, names)
    page.add_style_tag(content=STYLE)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.evaluate(FIT)
    return page


def whole_book(browser, address, names):
    """Return the named pages of the served book as one PDF."""
    page = assembled(browser, address, names)
    page.evaluate(NUMBER, sheets(printed(page)))
    return printed(page)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="without its ending; all by default")
    parser.add_argument("-o", "--output", type=Path, default=HTML.parent / "deep-learning-twice.pdf")
    parser.add_argument("--html", type=Path, default=HTML, help="the folder of the built book")
    options = parser.parse_args()
    names = options.pages or pages_of_the_book()
    if missing := [name for name in names if not (options.html / f"{name}.html").is_file()]:
        parser.error(f"no {missing[0]}.html in {options.html}: build the book first, with `make book`")
    with serve(options.html) as address, sync_playwright() as playwright:
        pdf = whole_book(launch(playwright), address, names)
    options.output.write_bytes(pdf)
    print(f"{options.output}: {len(PdfReader(io.BytesIO(pdf)).pages)} pages, {len(pdf) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
