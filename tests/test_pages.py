"""The pages beside the chapters: they quote what the notebooks print, and list everything once, in order."""

import json
import re

import pytest
from notebooks import BOOK, LEDGERS, code_cells, notebooks, read
from reading import written

MARKDOWN = {path.name: path.read_text(encoding="utf-8") for path in sorted(BOOK.glob("*.md"))}
BIBLIOGRAPHY = (BOOK / "references.bib").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", BIBLIOGRAPHY, re.MULTILINE | re.DOTALL)
TERMS = re.findall(r"^(\S.*) \[(.+)\]\{\.language-zh\}$", MARKDOWN["glossary.md"], re.MULTILINE)
# Words of the field as a whole, which have no section of their own.
EVERYWHERE = {"artificial intelligence (AI)", "natural language processing (NLP)"}
# What stands in bold for its weight, not as a new word.
EMPHASIS = {
    "each size train to its own stop",
    "add up",
    "backward",
    "forward",
    "dense",
    "rate",
    "grid",
    "slant",
    "sparse",
    "zigzag",
    "decouple",
    "scikit-learn",
}


def test_quoted_checks_were_printed():
    printed = {
        line for path in notebooks() for cell in code_cells(read(path)) for line in written(cell).splitlines()
    }
    quoted = re.findall(r"^[✓✗] .*", "\n".join(MARKDOWN.values()), re.MULTILINE)
    assert quoted and set(quoted) <= printed


def test_the_index_says_what_the_ledger_shows():
    entries = [json.loads(line) for path in LEDGERS.glob("*.jsonl") for line in path.open(encoding="utf-8")]
    asked = {
        check: [entry["tolerance"] for entry in entries if entry["check"] == check]
        for check in ("agree", "gradient")
    }
    assert "Nine in ten of these comparisons ask for an agreement of $10^{-10}$" in MARKDOWN["index.md"]
    assert 0.85 < sum(tolerance <= 1e-10 for tolerance in asked["agree"]) / len(asked["agree"]) < 0.95
    assert "Derivatives are measured as well as derived, nearly all to $10^{-8}$" in MARKDOWN["index.md"]
    assert sum(tolerance <= 1e-8 for tolerance in asked["gradient"]) > 0.9 * len(asked["gradient"])


@pytest.mark.parametrize("name", MARKDOWN)
def test_links_to_equations_show_their_numbers(name):
    for number, target in re.findall(r"\[\(([\d.]+)\)\]\(([^)]*)\)", MARKDOWN[name]):
        assert target.endswith(f"#eq-{number.replace('.', '-')}")


def test_every_reference_is_listed_under_one_heading():
    headings = set(re.findall(r'keywords == "(\w+)"', MARKDOWN["references.md"]))
    assert {re.search(r"keywords = \{(\w+)\}", fields)[1] for _, fields in ENTRIES} == headings


def test_citations_have_entries():
    cited = {
        key
        for text in MARKDOWN.values()
        for keys in re.findall(r"\{cite:\w\}`([^`]*)`", text)
        for key in keys.split(",")
    }
    assert cited <= {key for key, _ in ENTRIES}


def test_terms_stand_in_order_and_once():
    names = [re.sub(r"\W+", " ", term).strip().lower() for term, _ in TERMS]
    assert len(names) > 100
    assert names == sorted(set(names))


def test_every_term_has_a_chinese_one():
    lines = MARKDOWN["glossary.md"].partition("```{glossary}\n")[2].splitlines()
    assert len(TERMS) == sum(bool(re.match(r"[^\s`]", line)) for line in lines)
    assert all(re.search(r"[\u4e00-\u9fff]", chinese) for _, chinese in TERMS)


def test_every_term_leads_to_its_place():
    entries = re.findall(r"^(\S.*) \[.+\]\{\.language-zh\}\n    (.*)$", MARKDOWN["glossary.md"], re.MULTILINE)
    assert {term for term, text in entries if "](" not in text} == EVERYWHERE


def stems(term):
    """Return the beginnings of a term's words, which its other forms share."""
    return tuple(re.sub("(ing|ed|es|s|e)$", "", word.lower())[:5] for word in re.findall(r"\w+", term))


def contains(words, part):
    """Return whether the words of ``part`` stand in a row among ``words``."""
    return any(words[i : i + len(part)] == part for i in range(len(words)))


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_bold_words_have_entries(path):
    texts = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    prose = re.sub(r"^```.*?^```", "", "\n".join(texts), flags=re.MULTILINE | re.DOTALL)
    bold = set(re.findall(r"(?<!\*)\*\*([a-z][\w –-]+)\*\*(?!\*)", prose)) - EMPHASIS
    listed = [stems(part) for term, _ in TERMS for part in re.split(r", | and | \(", term)]
    assert not [term for term in sorted(bold) if not any(contains(words, stems(term)) for words in listed)]
