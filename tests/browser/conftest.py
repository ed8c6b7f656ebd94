"""The built book for the tests of its pages: built once, afresh, with warnings as errors; served; opened.

pytest tests/browser
"""

from urllib.parse import urlsplit

import pytest
from browser import launch, serve
from builds import built, copy_sources, write_specimen
from playwright.sync_api import sync_playwright

LEFT = "net::ERR_ABORTED"  # what a page had still asked for when the test left it, as by a reload


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """Return the folder of the built book's pages."""
    return built(copy_sources(tmp_path_factory.mktemp("book")))


@pytest.fixture(scope="session")
def specimen(tmp_path_factory):
    """Return the folder of a built book that holds every construct a chapter may use."""
    return built(write_specimen(tmp_path_factory.mktemp("specimen")))


@pytest.fixture(scope="session")
def book_address(book):
    """Serve the built book and return its address."""
    with serve(book) as address:
        yield address


@pytest.fixture(scope="session")
def specimen_address(specimen):
    """Serve the specimen and return its address."""
    with serve(specimen) as address:
        yield address


@pytest.fixture(scope="session")
def chromium():
    """Start one Chromium for all tests; without any, fail with a sentence that says what to do."""
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except FileNotFoundError as error:
            pytest.fail(str(error), pytrace=False)
        yield browser
        browser.close()


@pytest.fixture
def complaints():
    """Return the list of what the pages of a test complained of."""
    return []


@pytest.fixture
def open_page(chromium, complaints):
    """Return a function that opens an address; what the pages complained of fails the test at its end.

    Every request to another host is stopped, and counts as a complaint like an error on the console.
    """
    contexts = []

    def open_page(url, width=1280, theme="light", **options):
        home = "{0.scheme}://{0.netloc}/".format(urlsplit(url))
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, **options
        )
        contexts.append(context)

        def judge(route):
            if route.request.url.startswith((home, "data:", "blob:")):
                route.continue_()
            else:
                complaints.append(f"asked another host: {route.request.url}")
                route.abort()

        context.route("**/*", judge)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("requestfailed", lambda r: r.failure == LEFT or complaints.append(f"failed: {r.url}"))
        page.on("response", lambda r: r.status >= 400 and complaints.append(f"{r.status}: {r.url}"))
        page.goto(url)
        page.wait_for_load_state("networkidle")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
