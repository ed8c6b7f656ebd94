"""Open the built book in Chromium: what the screenshots and the tests of the pages share."""

import os
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
INSTALLED = [
    "/usr/lib/chromium/chromium",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
]
MISSING = """\
No Chromium was found. Install one with `playwright install chromium`, or set the environment variable \
CHROMIUM to the program's path."""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a line on the console for each."""

    def log_message(self, *arguments):  # noqa: D102
        pass


@contextmanager
def serve(folder, handler=QuietHandler):
    """Serve a folder on a free port of this machine; give its address."""
    handler = partial(handler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def program(playwright):
    """Return the path of Chromium: the one that CHROMIUM names, Playwright's own, or one installed here."""
    candidates = [os.environ.get("CHROMIUM"), playwright.chromium.executable_path, *INSTALLED]
    found = (path for path in candidates if path and Path(path).is_file())
    path = next(found, None)
    if path is None:
        raise FileNotFoundError(MISSING)
    return path


def launch(playwright):
    """Start Chromium without a window."""
    return playwright.chromium.launch(executable_path=program(playwright), args=ARGUMENTS)
