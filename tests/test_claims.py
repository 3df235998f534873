"""The ledger of claims: every claim is checked, every check is in the ledger, and nobody is misquoted."""

import os
import re
from collections import Counter
from pathlib import Path

import pytest

from tools import ledger, notebooks

ROOT = Path(__file__).parent.parent
SOURCES, CLAIMS = ledger.load(ROOT / "data" / "claims.toml")
NOTEBOOKS = {path.relative_to(ROOT).as_posix(): notebooks.load(path) for path in notebooks.notebooks()}
IDS = [claim["id"] for claim in CLAIMS]
every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=IDS)

# where a later page looks at one a second time
TWICE = {"S0-04", "S1-23", "S1-30", "S2-27", "S3-05", "S3-07", "S3-14", "S3-15"}


# --- the form -----------------------------------------------------------------------------------------------------

FIELDS = {"id": str, "line": (int, list), "quote": str, "claim": str, "verdict": str, "truth": str}
ELSEWHERE = {"line": (int, list), "quote": str, "note": str}


def entry_faults(entry, fields):
    """List what is wrong with the fields of a claim, or of its `elsewhere`."""
    if set(entry) != set(fields):
        return [f"has the fields {sorted(entry)}, not {sorted(fields)}"]
    faults = [f"{name} is a {type(entry[name]).__name__}" for name, kind in fields.items()
              if not isinstance(entry[name], kind)]  # fmt: skip
    if faults:
        return faults
    first, last = ledger.lines_of(entry)
    if not (isinstance(entry["line"], int) or first < last) or first < 1:
        faults.append(f"line is {entry['line']}")
    words = len(entry["quote"].split())
    if words not in range(1, 26):
        faults.append(f"the quote has {words} words, not 1 to 25")
    faults += [f"{name} is not a sentence: {entry[name]}" for name in ("claim", "truth", "note")
               if name in entry and not re.fullmatch(r"\S.*[.?!)]", entry[name])]  # fmt: skip
    return faults


def claim_faults(claim):
    """List what is wrong with the form of a claim."""
    bare = {name: value for name, value in claim.items() if name != "elsewhere"}
    faults = entry_faults(bare, FIELDS)
    if "elsewhere" in claim:
        faults += [f"elsewhere: {fault}" for fault in entry_faults(claim["elsewhere"], ELSEWHERE)]
    if not re.fullmatch(r"S\d-\d\d", str(claim.get("id"))) or ledger.source_of(claim) not in SOURCES:
        faults.append(f"id is {claim.get('id')}")
    if claim.get("verdict") not in ledger.VERDICTS:
        faults.append(f"verdict is {claim.get('verdict')}, not one of {[*ledger.VERDICTS]}")
    return faults


@every_claim
def test_claim_has_the_form_of_the_ledger(claim):
    assert claim_faults(claim) == []


def test_every_id_stands_once_and_in_order():
    assert Counter(IDS).most_common(1)[0][1] == 1
    assert sorted(IDS) == IDS


def test_every_source_is_described():
    assert all(set(source) == {"title", "about"} for source in SOURCES.values())
    assert {ledger.source_of(claim) for claim in CLAIMS} == {*SOURCES}


GOOD = {
    "id": "S1-09",
    "line": 345,
    "quote": "about 0.1237",
    "claim": "The loss.",
    "verdict": "wrong",
    "truth": "0.1013.",
    "elsewhere": {"line": [3, 5], "quote": "0.1", "note": "here it is right."},
}


def test_good_claim_is_accepted():
    assert claim_faults(GOOD) == []
    assert claim_faults({name: value for name, value in GOOD.items() if name != "elsewhere"}) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"verdict": "sloppy"}, "verdict is sloppy"),
        ({"chapter": "01"}, "has the fields"),
        ({"id": "S1-9"}, "id is S1-9"),
        ({"id": "S7-09"}, "id is S7-09"),
        ({"line": "345"}, "line is a str"),
        ({"line": [5, 3]}, r"line is [5, 3]"),
        ({"line": 0}, "line is 0"),
        ({"quote": ""}, "the quote has 0 words"),
        ({"quote": "word " * 26}, "the quote has 26 words"),
        ({"truth": ""}, "truth is not a sentence"),
        ({"claim": "the loss"}, "claim is not a sentence"),
        ({"elsewhere": {"line": 3, "quote": "0.1"}}, "elsewhere: has the fields"),
        ({"elsewhere": {"line": 3, "quote": "", "note": "so."}}, "elsewhere: the quote has 0 words"),
    ],
)
def test_claim_of_another_form_is_found(change, fault):
    assert fault in " ".join(claim_faults(GOOD | change))


# --- checks -------------------------------------------------------------------------------------------------------


def check_faults(claims, found, twice):
    """List what does not fit between the claims and the checks, {notebook: ids of the claims that it checks}."""
    places = {}
    for notebook, ids in found.items():
        for claim_id in ids:
            places.setdefault(claim_id, []).append(notebook)
    known = [claim["id"] for claim in claims]
    faults = [f"{where[0]}: claim-{claim_id} is not in the ledger" for claim_id, where in places.items()
              if claim_id not in known]  # fmt: skip
    for claim_id in known:
        where = places.get(claim_id, [])
        if not where:
            faults.append(f"{claim_id}: no cell is tagged claim-{claim_id}")
        if len(where) > 1 and claim_id not in twice:
            faults.append(f"{claim_id}: stands in {' and '.join(where)}")
    faults += [f"{claim_id}: stands in one notebook; take it off TWICE" for claim_id in sorted(twice)
               if len(places.get(claim_id, [])) < 2]  # fmt: skip
    return faults


def test_every_claim_is_checked_and_every_check_is_of_a_claim():
    found = {name: ledger.checks_in(notebook) for name, notebook in NOTEBOOKS.items()}
    assert check_faults(CLAIMS, found, TWICE) == []


@pytest.mark.parametrize(
    ("found", "twice", "fault"),
    [
        ({"one": ["S1-01", "S1-02"]}, set(), None),
        ({"one": ["S1-01", "S1-02"], "two": ["S1-02"]}, {"S1-02"}, None),
        ({"one": ["S1-01", "S1-02", "S9-09"]}, set(), "one: claim-S9-09 is not in the ledger"),
        ({"one": ["S1-01"]}, set(), "S1-02: no cell is tagged"),
        ({"one": ["S1-01", "S1-02"], "two": ["S1-02"]}, set(), "S1-02: stands in one and two"),
        ({"one": ["S1-01", "S1-02"]}, {"S1-02"}, "S1-02: stands in one notebook"),
    ],
)
def test_claim_without_a_check_and_check_without_a_claim_are_found(found, twice, fault):
    claims = [{"id": "S1-01"}, {"id": "S1-02"}]
    faults = check_faults(claims, found, twice)
    assert len(faults) == (fault is not None)
    assert (fault or "") in " ".join(faults)


def test_checks_are_shown_on_the_page():
    """A link leads to them."""
    for name, notebook in NOTEBOOKS.items():
        for cell in notebook["cells"]:
            if ledger.checks_in({"cells": [cell]}):
                assert cell["cell_type"] == "code", f"{name}: {cell['id']}"
                assert "remove-cell" not in notebooks.tags(cell), f"{name}: {cell['id']}"


# --- quotes -------------------------------------------------------------------------------------------------------

PLAIN = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "−": "-", "–": "-", "—": "-",
                       "$": None, "`": None, "&": None})  # fmt: skip


def plain(text):
    """Return a text without what a machine or a typesetter may change: marks of formulas and code, kinds of quotes."""
    return " ".join(text.translate(PLAIN).replace("\\_", "_").split())


def is_said(quote, text, within=None):
    """Tell whether the pieces of a quote follow each other in a text, at most so many letters apart."""
    pieces = [re.escape(plain(piece)) for piece in re.split(r"\s*(?:…|\.\.\.)\s*", quote) if plain(piece)]
    gap = ".*?" if within is None else f".{{0,{within}}}?"
    return bool(pieces) and re.search(gap.join(pieces), plain(text)) is not None


@pytest.fixture(scope="module")
def sources():
    """{S0: lines of its text}."""
    folder = os.environ.get("NNLIB_SOURCES_DIR")
    if not folder:
        pytest.skip("the texts of the sources are not here: NNLIB_SOURCES_DIR should name their folder")
    files = sorted(Path(folder).glob("*.txt"))
    assert len(files) == len(SOURCES), f"{folder}: {len(files)} texts for {len(SOURCES)} sources"
    return {name: file.read_text(encoding="utf-8").split("\n") for name, file in zip(SOURCES, files, strict=True)}


def place_faults(entry, lines):
    """Say what is wrong with the place of a quote: it stands in these lines, and needs the first and the last."""
    first, last = ledger.lines_of(entry)

    def said(start, stop):
        return is_said(entry["quote"], "\n".join(lines[start - 1 : stop]))

    if not said(first, last):
        found = [number for number in range(1, len(lines) + 1) if said(number, number)]
        return [f"“{entry['quote']}” does not stand in {entry['line']}, but in the lines {found}"]
    if first < last and (said(first + 1, last) or said(first, last - 1)):
        return [f"“{entry['quote']}” stands in fewer lines than {entry['line']}"]
    return []


@every_claim
def test_quote_stands_in_its_line(claim, sources):
    lines = sources[ledger.source_of(claim)]
    faults = place_faults(claim, lines)
    if "elsewhere" in claim:
        faults += place_faults(claim["elsewhere"], lines)
    assert faults == []


TEXT = ["A neuron is “simple”.", "It has, of course,", "one bias – and", r"$$L &= \frac{1}{2}\_x \approx 3$$"]


@pytest.mark.parametrize(
    ("line", "quote", "fault"),
    [
        (1, 'is "simple"', None),
        (4, r"$L = \frac{1}{2}_x$", None),
        ([2, 3], "It has … one bias - and", None),
        ([2, 3], "of course, one bias", None),
        (2, 'is "simple"', "does not stand in 2, but in the lines [1]"),
        (1, 'is "simpler"', "does not stand in 1, but in the lines []"),
        ([2, 3], "one bias … It has", "does not stand"),
        ([2, 3], "one bias", "stands in fewer lines"),
        (9, "one bias", "does not stand in 9, but in the lines [3]"),
    ],
)
def test_misquotation_is_found(line, quote, fault):
    faults = place_faults({"line": line, "quote": quote}, TEXT)
    assert len(faults) == (fault is not None)
    assert (fault or "") in " ".join(faults)


# what stands in quotation marks and is no quote of a source
COMMON = {
    "commonly used heuristic",  # Glorot and Bengio's words
}


def check_sections(notebook):
    """Give (cell, text) of the Markdown in the section "Check the source"."""
    inside = False
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            kept = []
            for line in notebooks.text_of(cell["source"]).split("\n"):
                if re.match(r"##? ", line):
                    inside = "Check the source" in line
                if inside:
                    kept.append(line)
            if kept:
                yield cell["id"], "\n".join(kept)


def quoted_in(text):
    """List what stands in quotation marks in the paragraphs of a text."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        # the marks in code and in HTML are none
        bare = re.sub(r"`[^`]*`|<[^<>]*>", lambda match: match[0].replace('"', "\0"), paragraph)
        strings = re.findall(r'"([^"]*)"|“([^”]*)”', bare)
        found += [" ".join((one or other).replace("\0", '"').split()) for one, other in strings]
    return found


def is_quote(string, texts):
    """Tell whether one of the texts says this: its first letter may be large, the mark at its end belong to us."""
    string = string.rstrip(".,;:!?")
    forms = {string, string[:1].lower() + string[1:], string[:1].upper() + string[1:]}
    return any(is_said(form, text, within=1000) for form in forms for text in texts)


def misquotations(chapters, texts):
    """List (chapter, cell, string) of what stands in quotation marks and in no source."""
    return [
        (name, cell, string)
        for name, notebook in chapters.items()
        for cell, text in check_sections(notebook)
        for string in quoted_in(text)
        if string not in COMMON and not is_quote(string, texts)
    ]


def test_chapters_quote_the_sources_word_for_word(sources):
    """Use no quotation marks where the words are ours, or only nearly theirs."""
    found = misquotations(NOTEBOOKS, ["\n".join(lines) for lines in sources.values()])
    assert found == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"It has … one\nbias". Well, "A neuron is \'simple\'"', ["A neuron is 'simple'"]),
        ('"it has, of course," and "One bias."', []),
        ('"it had", “one neuron”', ["it had", "one neuron"]),
        ('"one bias … it has"', ["one bias … it has"]),
        ('`print("it had")`, <a class="it had">, "`one bias`"', []),
        ("## In three lines\n\n\"it had\"", []),
    ],
)  # fmt: skip
def test_words_that_no_source_says_are_found(text, found):
    sources = {"markdown": '# Title\n\n"a"', "code": '"b"', "checks": f"## Check the source\n\n{text}"}
    cells = [
        {"id": name, "cell_type": name.replace("checks", "markdown"), "source": text} for name, text in sources.items()
    ]
    faults = misquotations({"one": {"cells": cells}}, ["nothing", "\n".join(TEXT)])
    assert faults == [("one", "checks", string) for string in found]
