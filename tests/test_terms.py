"""No page uses a word of the glossary before the page that introduces it: the first that links it to its definition.

A word in a paragraph that also links a later page looks ahead, and introduces nothing: the next link does.
"""

import functools
import re

import pytest
import yaml

from tools import notebooks

ROOT = notebooks.ROOT
LINK = re.compile(r"\{term\}`(?:[^`<]*<([^>`]*)>|([^`<]*))`")
PAGE = re.compile(r"\{doc\}`(?:[^`<]*<)?([^>`]*)>?`")
# code, formulas, headings, addresses, what a source says, the titles of books
UNSEEN = re.compile(
    r"`[^`]*`|\$\$[^$]*\$\$|\$[^$]*\$|^#.*?$|\(https?:[^)]*\)|\"[^\"]*\"|(?<!\*)\*[A-Z][^*]*\*(?!\*)", re.MULTILINE
)
# words that also mean something else: a temperature outdoors, the seed of a plant, a residue of a fit
EVERYDAY = {
    "attention", "channel", "feature", "gate", "generator", "input", "interaction", "kernel", "lag", "layer", "leak",
    "padding",
    "precision", "proxy", "recall", "representation", "sample", "seed", "sequence", "stride", "symmetry", "tape",
    "target", "temperature", "variance",
}  # fmt: skip


def chapters():
    """List the numbered pages of the course in their order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [entry["file"] for part in toc["parts"] if part.get("numbered") for entry in part["chapters"]]


def glossary(text):
    """List the terms of a glossary."""
    return re.findall(r"^([^\s`].*)$", text.partition("```{glossary}\n")[2].rpartition("```")[0], re.MULTILINE)


def paragraphs(notebook):
    """List the paragraphs of a page: (cell, text)."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    return [
        (cell["id"], part)
        for cell in cells
        for part in re.split(r"\n\s*\n|\n(?=- )", notebooks.text_of(cell["source"]))
    ]


def looks_ahead(text, later):
    """Say whether a paragraph links one of the later pages."""
    return any(target.rsplit("/", 1)[-1] in later for target in PAGE.findall(text))


@functools.cache
def seen(text):
    """Return what a text says itself, without links to terms, and that in small letters."""
    said = UNSEEN.sub(" ", LINK.sub(" ", text))
    return said, said.lower()


def used(term, text):
    """Say whether a text uses a term without linking it; capitals count where the term has one."""
    said, small = seen(text)
    first, *_ = parts = term.split()
    if first.lower() not in small:  # a hundred times as fast as what follows
        return None
    words = r"\s+".join(map(re.escape, parts))
    flags = 0 if term != term.lower() else re.IGNORECASE
    return re.search(rf"(?<![\w-]){words}(s|es)?(?![\w-])", said, flags)


def without_longer(term, terms, text):
    """Take out the terms that hold another one: in "residual connection" nobody speaks of a residual."""
    for longer in (other for other in terms if term in other and term != other):
        text = re.sub(r"\s+".join(map(re.escape, longer.split())), " ", text, flags=re.IGNORECASE)
    return text


def introduced(pages):
    """Return {term in small letters: number of the page that introduces it}."""
    found, order = {}, list(pages)
    for number, parts in enumerate(pages.values()):
        for _, text in parts:
            if not looks_ahead(text, order[number + 1 :]):
                for named, shown in LINK.findall(text):
                    found.setdefault(" ".join((named or shown).split()).lower(), number)
    return found


def too_early(terms, pages):
    """List where each term is first used before it is introduced, if ever; `pages` is {stem: paragraphs}, in order."""
    first, order, found = introduced(pages), list(pages), []
    for term in {*terms} - EVERYDAY:
        found += [
            (term, page, cell)
            for page in order[: first.get(term.lower(), len(order))]
            for cell, text in pages[page]
            if used(term, text)
            and used(term, without_longer(term, terms, text))
            and not looks_ahead(text, order[order.index(page) + 1 :])
        ][:1]
    return sorted(found)


def test_every_link_to_a_term_finds_it_and_each_term_stands_apart():
    """Sphinx says so, too, but only when a book is built, after everything else."""
    text = (ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8")
    terms, faults = {term.lower() for term in glossary(text)}, []
    for path in notebooks.notebooks():
        for cell, part in paragraphs(notebooks.load(path)):
            linked = [one or other for one, other in LINK.findall(part)]
            faults += [(path.stem, cell, term) for term in linked if " ".join(term.lower().split()) not in terms]
    assert faults == []
    assert re.findall(r"^  .*\n([^\s`].*)$", text.partition("```{glossary}\n")[2], re.MULTILINE) == []


def test_no_page_uses_a_word_before_it_is_introduced():
    pages = {name.rsplit("/", 1)[-1]: paragraphs(notebooks.load(ROOT / f"{name}.ipynb")) for name in chapters()}
    terms = glossary((ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8"))
    assert too_early(terms, pages) == []


TERMS = ["gradient", "step", "ReLU", "seed"]
COURSE = {
    "one": [("a", "You meet the {term}`gradient` in {doc}`two`."), ("b", "A {term}`step`, and steps. Sow a seed.")],
    "two": [("c", "The {term}`gradients <gradient>`, and `ReLU` in code."), ("d", "A gradient is $ReLU$; relu.")],
    "three": [("e", "A {term}`ReLU`. Gradients.")],
}


def test_a_course_in_order_is_accepted():
    assert glossary("# G\n\n```{glossary}\nstep\n  A b.\n\nReLU\n  C.\n```\n") == ["step", "ReLU"]
    assert too_early(TERMS, COURSE) == []


@pytest.mark.parametrize(
    ("page", "text", "term"),
    [
        ("one", "Gradients point up.", "gradient"),
        ("one", "Use ReLUs.", "ReLU"),
        ("two", "Use a ReLU; see {doc}`one`.", "ReLU"),
    ],
)
def test_a_word_that_comes_too_early_is_found(page, text, term):
    assert too_early(TERMS, COURSE | {page: [*COURSE[page], ("new", text)]}) == [(term, page, "new")]


def test_a_look_ahead_introduces_nothing():
    ahead = {"zero": [("z", "One day {term}`gradients <gradient>`, {doc}`../part/two`."), ("y", "A gradient.")]}
    assert too_early(TERMS, ahead | COURSE) == [("gradient", "zero", "y")]


GREEK = re.compile(
    r"\\(alpha|beta|gamma|delta|(?:var)?epsilon|zeta|eta|theta|kappa|lambda|mu|nu|xi|rho|sigma|tau|phi|chi|psi|omega"
    r"|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega|ell|nabla)(?![a-zA-Z])"
)


def test_every_greek_letter_of_a_formula_is_in_the_table_of_symbols():
    table = (ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8").partition("## Terms")[0]
    used_in = {}
    for name in chapters():
        for _, text in paragraphs(notebooks.load(ROOT / f"{name}.ipynb")):
            for letter in GREEK.findall(text):
                used_in.setdefault(letter, name)
    assert len(used_in) > 12
    assert {letter: name for letter, name in used_in.items() if letter not in GREEK.findall(table)} == {}
