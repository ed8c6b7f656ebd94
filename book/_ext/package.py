"""The page of the package: of each name the signature, docstring, source, and the chapter that builds it."""

import importlib
import inspect
import re
from functools import partial

# Marks of reStructuredText that a docstring means as they stand, as in |x| and "val_".
MARKS = re.compile(r"``.*?``|\||(?<=\w)_(?!\w)")


def tell_chapter(app, what, name, thing, options, lines):
    """Add to a docstring which chapter builds the name."""
    module, _, short = name.removeprefix("twice.").rpartition(".")
    built_in, chapter = app.env.builds.get(short, (None, None))
    if built_in == module:
        lines += ["", f"Built in :doc:`/{chapter}`."]
    lines[:] = [MARKS.sub(lambda m: m[0] if len(m[0]) > 1 else "\\" + m[0], line) for line in lines]


def source(config, domain, info):
    """Return where a name's source stands on GitHub."""
    if domain != "py" or not info["module"]:
        return None
    thing = importlib.import_module(info["module"])
    path = f"src/{info['module'].replace('.', '/')}.py"
    address = f"{config.html_theme_options['repository_url']}/blob/main/{path}"
    for part in info["fullname"].split("."):
        thing = getattr(thing, part, None)
    try:
        lines, first = inspect.getsourcelines(inspect.unwrap(thing))
    except (TypeError, OSError):  # a constant
        return address
    return f"{address}#L{first}-L{first + len(lines) - 1}"


def set_source(app, config):
    config.linkcode_resolve = partial(source, config)


def setup(app):
    app.connect("config-inited", set_source)
    app.connect("autodoc-process-docstring", tell_chapter)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
