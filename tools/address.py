"""Write the repository's address, which pyproject.toml decides, into every other place that needs it.

python tools/address.py            write it
python tools/address.py --check    only say where it differs

Whoever forks the book changes ``Repository`` in pyproject.toml and runs this once: the setup cells, the
launch buttons, the README and the links to the pages then lead to the fork.
"""

import re
import subprocess
import sys

import nbformat
import yaml
from notebooks import ROOT, address, code_cells, notebooks, read, setup_cell

SUFFIXES = (".md", ".yml", ".ipynb", ".html")
SLUG = r"([\w.-]+/[\w-]+)"
USES = re.compile(
    rf"(?:git clone |git\+|^  url: )https://github\.com/{SLUG}"
    rf"|(?:colab\.research\.google\.com/github|mybinder\.org/v2/gh)/{SLUG}",
    re.MULTILINE,
)


def slug(url):
    """Return ``owner/name`` of a repository on GitHub, the one host that Colab opens notebooks from."""
    match = re.fullmatch(rf"https://github\.com/{SLUG}", url)
    if match is None:
        raise SystemExit(f"Repository: expected https://github.com/OWNER/NAME in pyproject.toml, got {url!r}")
    return match[1]


def pages(url):
    """Return the address, without its scheme, at which GitHub publishes the repository's pages."""
    owner, name = slug(url).split("/")
    return f"{owner.lower()}.github.io/{name}"


def files():
    """Return the committed files that may name the address."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in names if name.endswith(SUFFIXES) and (ROOT / name).is_file()]


def derived(text, old, new):
    """Return ``text`` with every form of the address ``old`` replaced by that of ``new``."""
    return text.replace(pages(old), pages(new)).replace(slug(old), slug(new))


def differing(text, url):
    """Return the repositories that ``text`` uses as its own and that are not the one at ``url``."""
    used = {first or second for first, second in USES.findall(text)}
    return sorted(used - {slug(url)})


def published():
    """Return the address that _config.yml gives, the one that was written last."""
    return yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def write():
    """Bring every file up to date and print the names of those that changed."""
    old, new = published(), address()
    for path in files():
        text = path.read_text(encoding="utf-8")
        if (now := derived(text, old, new)) != text:
            path.write_text(now, encoding="utf-8", newline="\n")
            print(path.relative_to(ROOT))
    for path in notebooks():
        nb = read(path)
        first = code_cells(nb)[0]
        if "importlib.util" in first.source and first.source != setup_cell():
            first.source = setup_cell()
            nbformat.write(nb, path)
            print(path.relative_to(ROOT))


def check():
    """Print each file that uses another address; return whether there is one."""
    found = {path: differing(path.read_text(encoding="utf-8"), address()) for path in files()}
    for path, others in found.items():
        if others:
            print(f"{path.relative_to(ROOT)} names {', '.join(others)}: `make address`")
    return any(found.values())


if __name__ == "__main__":
    sys.exit(check() if "--check" in sys.argv else write())
