"""A number in the prose of a page stands in an output or an assertion of the page, or in its section's code or table.

Of ten numbers whose last digit is changed the test misses two or three: those that happen to stand nearby for another
reason. Numbers in formulas are worked by hand, or chosen; they count as known to the section, and are not looked up.
"""

import ast
import re

import pytest

from tools import notebooks

PAGES = [path for path in notebooks.notebooks() if re.match(r"\d", path.parent.name)]
NUMBER = re.compile(r"(?<![\w.,^])(?<!\w-)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(e[-+]?\d+)?(\s?%| percent)?(?!\w)")
SMALL = 12  # counts that are read off the page: "two lines", "the 3 columns"
EXEMPT = {1, 100}  # 100, and 100 %
ANSWERS = {"checker", "exercise", "self-check", "solution"}
DRAWS = re.compile(r"(ax|axes|axis|figure|fig|plt|plots|label|arrow|left|right|picture|settle|plane)\b")
LOOKS = {"figsize", "fontsize", "alpha", "lw", "linewidth", "markersize", "s", "zorder", "size", "width_ratios", "xlim",
         "ylim", "ncols", "nrows", "seed"}  # fmt: skip
NOT_STATED = re.compile(
    r"""
      <details.*?</details>                 # answers of a quiz
    | ^\#.*?$                               # headings
    | \$\$.*?\$\$ | ```\{math\}.*?```       # formulas: numbers worked by hand, and choices
    | \$[^$]+\$ | `[^`]+`                   # and code
    | ^\|.*?\|$                             # tables
    | \{\w+(:\w+)?\}`[^`]*`(,\ (section|chapter|part|figure|table|page|pages)s?\ [\d.,–\ and]+)?
    | \b(section|chapter|part|figure|table|page|exercise|question|equation)s?\ \(?\d[\d.,–\ and]*
    | (?<=\]\()[^)]*(?=\))                  # addresses
    | \b(1[89]|20)\d\d\b                    # years
    | ^\d+\.\                               # numbers of a list
    | About\ \d+\ minutes\ to\ read,\s\d+\ for
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


def numbers(text):
    """List the numbers of a text: (as written, value, half a unit of the last digit)."""
    found = []
    for match in NUMBER.finditer(text):
        whole, fraction, exponent, percent = match.groups()
        scale = 10.0 ** int((exponent or "e0")[1:]) / (100 if percent else 1)
        value = float(whole.replace(",", "") + (fraction or "")) * scale
        found.append((match[0].strip(), value, 0.5 * scale / 10 ** len((fraction or ".")[1:])))
    return found


def sections(notebook):
    """Split a page into its sections: lists of cells. The first holds the title."""
    found = [[]]
    for cell in notebook["cells"]:
        text = notebooks.text_of(cell["source"])
        if cell["cell_type"] == "markdown" and re.match("###? ", text):
            found.append([])
        found[-1].append(cell)
    return found


def stated(cells):
    """List the numbers that the prose of some cells states, without small counts: (cell, as written, value, half)."""
    found = []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            prose = NOT_STATED.sub(" ", notebooks.text_of(cell["source"]))
            found += [(cell["id"], *number) for number in numbers(prose)]
    return [
        (cell, written, value, half) for cell, written, value, half in found
        if value not in EXEMPT and not (value in range(SMALL + 1) and "." not in written)
    ]  # fmt: skip


def constants(node):
    """List the numbers in a piece of syntax, and in its texts, without what only says how a figure looks."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return [value for _, value, _ in numbers(node.value)]
        return [float(node.value)] if isinstance(node.value, int | float) else []
    if isinstance(node, ast.Call) and DRAWS.match(ast.unparse(node.func)):
        return []
    if isinstance(node, ast.keyword) and node.arg in LOOKS:
        return []
    parts = [node.value] if isinstance(node, ast.Subscript) else ast.iter_child_nodes(node)
    return [value for part in parts for value in constants(part)]


def evidence(cell):
    """Return what a cell knows: (values in its outputs and assertions, values in its code, tables and formulas)."""
    text = notebooks.text_of(cell["source"])
    if cell["cell_type"] == "markdown":
        known = re.findall(r"^\|.*\|$|\$\$.*?\$\$|\$[^$]+\$", text, re.DOTALL | re.MULTILINE)
        return set(), {value for part in known for _, value, _ in numbers(part.replace("{,}", ","))}
    if notebooks.tags(cell) & ANSWERS or text.startswith("%"):
        return set(), set()
    tree = ast.parse(text)
    said = "\n".join(notebooks.text_of(out.get("text") or out["data"]["text/plain"]) for out in cell["outputs"])
    asserted = [value for node in ast.walk(tree) if isinstance(node, ast.Assert) for value in constants(node)]
    return {value for _, value, _ in numbers(said)} | {*asserted}, {*constants(tree)}


def unfounded(notebook):
    """List the numbers of the prose for which the page has no evidence: (cell, number)."""
    known = {cell["id"]: evidence(cell) for cell in notebook["cells"]}
    everywhere = set().union(*(said for said, _ in known.values()))
    anything = everywhere.union(*(code for _, code in known.values()))
    found = []
    for section in sections(notebook):
        title = notebooks.text_of(section[0]["source"]) if section else ""
        if re.match(r"##+ (Exercise|Quiz)", title):
            continue
        whole = title.startswith(("# ", "## In three lines"))
        near = anything if whole else everywhere.union(*(known[cell["id"]][1] for cell in section))
        for cell, written, value, half in stated(section):
            factors = (1, 0.01) if re.search("%|percent", written) else (1,)
            if not any(abs(there * factor - value) <= half * (1 + 1e-9) for there in near for factor in factors):
                found.append((cell, written))
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_numbers_of_the_prose_stand_in_an_output_or_in_the_code(path):
    assert unfounded(notebooks.load(path)) == []


def page(*cells):
    return {"cells": [
        {"id": f"c{number}", "metadata": {"tags": tags}, "outputs": [{"text": out}] if out else [],
         "cell_type": kind, "source": text}
        for number, (kind, text, out, tags) in enumerate(cells)
    ]}  # fmt: skip


def markdown(text):
    return "markdown", text, "", []


def code(text, out="", *tags):
    return "code", text, out, list(tags)


def test_numbers_are_read_with_their_precision():
    assert numbers("about 9,100 of 1.50, or 88%, 2e-3; not x2, S1-24, v1.2.3 or 3d") == [
        ("9,100", 9100.0, 0.5),
        ("1.50", 1.5, pytest.approx(0.005)),
        ("88%", 0.88, 0.005),
        ("2e-3", 0.002, 0.0005),
    ]


FOUNDED = page(
    markdown("# Title\n\n*About 25 minutes to read, 20 for the exercises.* Up to 88%, in 300 steps."),
    markdown("## One\n\nIn 1958 it took 300 steps {cite:p}`Rosenblatt1958`, section 4.17, with 3 units, and $z = 17$."),
    code("steps = 300\nax.plot(figsize=(44, 45))\nassert loss < 0.25", "88.2% of 4,096\n"),
    markdown("That is 88%, or 4096 of them, a loss below 0.25.\n\n| a | 77 |\n\nThe table says 77, the formula 17."),
    markdown("## Two\n\nAgain 88%."),
    markdown("### Exercise 1: by hand\n\nTake 46."),
    code("check_a = 47", "", "checker"),
    markdown("## In three lines\n\n1. After 300 steps."),
)


def test_founded_numbers_are_accepted():
    assert unfounded(FOUNDED) == []


@pytest.mark.parametrize(
    ("cell", "old", "new"),
    [
        (0, "88%", "87%"),
        (1, "300 steps", "301 steps"),
        (1, "300 steps", "44 steps"),
        (1, "300 steps", "47 steps"),
        (3, "0.25", "0.26"),
        (3, "4096", "4095"),
        (3, "says 77", "says 78"),
        (3, "formula 17", "formula 18"),
        (4, "88%", "300"),
        (4, "88%", "77"),
        (7, "300", "310"),
    ],
)
def test_a_number_that_has_drifted_is_found(cell, old, new):
    drifted = {"cells": [dict(one) for one in FOUNDED["cells"]]}
    drifted["cells"][cell]["source"] = drifted["cells"][cell]["source"].replace(old, new)
    assert drifted != FOUNDED
    assert [name for name, _ in unfounded(drifted)] == [f"c{cell}"]
