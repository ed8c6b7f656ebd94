"""What axe-core finds against a page, a part of it, or a figure's frame."""

from axe_playwright_python.sync_playwright import Axe


def assert_accessible(page, *within, **options):
    """Let axe look at a page or frame, or at what the selectors ``within`` choose; fail with its report.

    Only violations are described: on a chapter axe takes a quarter of the time that describing all else takes.
    """
    context = {"include": [[selector] for selector in within]} if within else None
    found = Axe().run(page, context, {"resultTypes": ["violations"], **options})
    assert found.violations_count == 0, found.generate_report()
