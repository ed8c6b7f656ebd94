"""Measure the built pages with Lighthouse: a slow phone, a host that compresses, the median of three runs.

python tools/lighthouse.py                                  every page of _build/html, after `make book`
python tools/lighthouse.py --runs 5 book/05-backpropagation the pages named, five runs each

Lighthouse comes from npm, on first use. Times are those of a simulated phone and depend on the machine all
the same: compare two versions of a page on one machine, within one hour.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
from functools import cache
from io import BytesIO
from pathlib import Path
from statistics import median

from browser import QuietHandler, program, serve
from notebooks import ROOT
from platformdirs import user_cache_path
from playwright.sync_api import sync_playwright

VERSION = "12.8.2"
HTML = ROOT / "_build" / "html"
CATEGORIES = {"performance": "perf", "accessibility": "a11y", "best-practices": "best", "seo": "SEO"}
TIMES = {
    "first-contentful-paint": "FCP s",
    "largest-contentful-paint": "LCP s",
    "total-blocking-time": "TBT ms",
}
COMPRESSED = {".css", ".html", ".js", ".svg"}


@cache
def compressed(path):
    return gzip.compress(path.read_bytes())


class CompressingHandler(QuietHandler):
    """Serve text compressed, as hosts of static pages do."""

    def send_head(self):  # noqa: D102
        path = Path(self.translate_path(self.path))
        if path.suffix not in COMPRESSED or not path.is_file():
            return super().send_head()
        body = compressed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return BytesIO(body)


def installed():
    """Return the program, which npm puts into the cache of this machine."""
    folder = user_cache_path("deep-learning-twice") / f"lighthouse-{VERSION}"
    path = folder / "node_modules" / ".bin" / "lighthouse"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["npm", "install", "--silent", "--prefix", folder, f"lighthouse@{VERSION}"], check=True
        )
    return path


def report(lighthouse, chromium, url):
    """Return what one run of Lighthouse found on a page."""
    categories = ",".join(CATEGORIES)
    flags = "--headless=new --no-sandbox --disable-gpu"
    command = [lighthouse, url, "--quiet", "--output=json", f"--only-categories={categories}"]
    command.append(f"--chrome-flags={flags}")
    environment = os.environ | {"CHROME_PATH": chromium}
    process = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    if process.returncode:
        raise RuntimeError(f"lighthouse on {url}: {process.stderr[-2000:]}")
    return json.loads(process.stdout)


def row(found):
    """Return the numbers of one report that the table shows."""
    audits = found["audits"]
    requests = audits["network-requests"]["details"]["items"]

    def kilobytes(*kinds):
        return sum(r["transferSize"] for r in requests if not kinds or r["resourceType"] in kinds) / 1024

    scores = {short: 100 * found["categories"][name]["score"] for name, short in CATEGORIES.items()}
    times = {short: audits[name]["numericValue"] for name, short in TIMES.items()}
    times |= {short: times[short] / 1000 for short in ("FCP s", "LCP s")}
    return (
        scores
        | times
        | {
            "CLS": audits["cumulative-layout-shift"]["numericValue"],
            "KB": kilobytes(),
            "HTML": kilobytes("Document"),
            "fonts": kilobytes("Font"),
            "elements": audits["dom-size"]["numericValue"],
        }
    )


def written(column, value):
    digits = {"FCP s": 2, "LCP s": 2, "CLS": 3}.get(column, 0)
    return f"{value:.{digits}f}"


def pages():
    """Return the names of the built pages that the table of contents leads to."""
    names = [path.relative_to(HTML).with_suffix("").as_posix() for path in sorted(HTML.glob("book/*.html"))]
    return [*names, "search"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", help="such as book/05-backpropagation; all when left out")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    if not (HTML / "index.html").exists():
        sys.exit("no _build/html/index.html to measure: run `make book` first")
    lighthouse = installed()
    with sync_playwright() as playwright:
        chromium = program(playwright)
    titles = None
    with serve(HTML, CompressingHandler) as address:
        for page in arguments.pages or pages():
            rows = [
                row(report(lighthouse, chromium, f"{address}/{page}.html")) for _ in range(arguments.runs)
            ]
            if titles is None:
                titles = list(rows[0])
                print("| page | " + " | ".join(titles) + " |\n|---|" + "--:|" * len(titles))
            numbers = [written(column, median(one[column] for one in rows)) for column in titles]
            print(f"| {page} | " + " | ".join(numbers) + " |", flush=True)


if __name__ == "__main__":
    main()
