"""What the build does to pages after Jupyter Book: formulas typeset, pictures in files, nothing that points outside."""

import base64
import html
import io
import json
import os
import re
from types import SimpleNamespace

import pytest

from tools import book, course_site, formulas, ledger, notebooks

pytestmark = pytest.mark.skipif(not formulas.KATEX.exists(), reason="KaTeX is not installed: run `make book`")

INLINE = '<p>so <span class="math notranslate nohighlight">\\({}\\)</span> holds</p>'
DISPLAY = '<div class="math notranslate nohighlight" id="e">\n<span class="eqno">(1)</span>\\[{}\\]</div>'


@pytest.fixture
def site(tmp_path):
    (tmp_path / "_static").mkdir()

    def write(text, name="page.html"):
        page = tmp_path / name
        page.write_text(f'<!doctype html><meta charset="utf-8">{text}', encoding="utf-8")
        return page

    return SimpleNamespace(folder=tmp_path, write=write)


def sheet(site):
    return (site.folder / "_static" / "katex.css").read_text(encoding="utf-8")


def test_formulas_become_html_for_the_eye_and_mathml_for_the_ear(site):
    page = site.write(INLINE.format("a &lt; b^2") + DISPLAY.format("\n\\frac{1}{2}\n"))
    assert formulas.typeset(site.folder) == 2
    text = page.read_text(encoding="utf-8")
    assert "\\(" not in text
    assert text.count('<span class="katex-html" aria-hidden="true">') == 2
    assert text.count("<math ") == 2
    assert "<mo>&lt;</mo>" in text
    assert '<span class="eqno">(1)</span><span class="katex-display">' in text


def test_typesetting_twice_changes_nothing(site):
    page = site.write(INLINE.format("x"))
    formulas.typeset(site.folder)
    once = page.read_text(encoding="utf-8")
    assert formulas.typeset(site.folder) == 0
    assert page.read_text(encoding="utf-8") == once


def test_the_mathml_of_a_formula_says_nothing_that_firefox_cannot_read(site):
    page = site.write(DISPLAY.format("\\begin{aligned} a \\\\ b \\end{aligned}"))
    formulas.typeset(site.folder)
    text = page.read_text(encoding="utf-8")
    assert "<mtable" in text
    assert '=""' not in text.split("<mtable")[1]


@pytest.mark.parametrize(
    ("tex", "message"),
    [
        ("\\nonsense{x}", "Undefined control sequence"),
        ("\\frac{1", "expected '}'"),
        ("x_\\min", "Got function '\\\\min' with no arguments as subscript"),
        ("größe", "unicodeTextInMathMode"),
    ],
)
def test_a_formula_that_katex_complains_of_stops_the_build(site, tex, message):
    site.write(INLINE.format("a") + INLINE.format(tex))
    with pytest.raises(formulas.FormulaError, match=re.escape(tex) + ".*" + message):
        formulas.typeset(site.folder)


def test_a_formula_in_another_form_stops_the_build(site):
    site.write('<div class="math notranslate nohighlight">\\begin{align}x\\end{align}</div>')
    with pytest.raises(formulas.FormulaError, match=r"page\.html: holds formulas in a form"):
        formulas.typeset(site.folder)


@pytest.mark.parametrize(
    ("tex", "fonts"),
    [
        ("x", {"KaTeX_Main normal 400", "KaTeX_Math italic 400"}),
        ("\\mathbf{x}", {"KaTeX_Main normal 400", "KaTeX_Main normal 700"}),
        ("\\text{\\textbf{x}}", {"KaTeX_Main normal 400", "KaTeX_Main normal 700"}),
        ("\\mathsf{T}", {"KaTeX_Main normal 400", "KaTeX_SansSerif normal 400"}),
        ("\\mathbb{R}", {"KaTeX_Main normal 400", "KaTeX_AMS normal 400"}),
    ],
)
def test_the_style_sheet_holds_the_fonts_that_the_pages_use_and_no_other(site, tex, fonts):
    site.write(INLINE.format(tex))
    formulas.typeset(site.folder)
    faces = re.findall(r"@font-face\{([^}]*)\}", sheet(site))
    found = {
        " ".join(re.search(rf'{name}:"?([^;"]*)', face)[1] for name in ("font-family", "font-style", "font-weight"))
        for face in faces
    }
    assert found == fonts
    assert all("src:url(data:font/woff;base64," in face for face in faces)
    assert "url(fonts/" not in sheet(site)


def test_a_font_keeps_the_letters_of_the_pages(site):
    """And loses the others: all of them together weigh more than a page may."""
    from fontTools.ttLib import TTFont

    site.write(INLINE.format("x + \\alpha") + "<p>some prose</p>")
    formulas.typeset(site.folder)
    face = re.search(r"KaTeX_Math\"?;[^}]*base64,([^)]*)", sheet(site))[1]
    letters = set(map(chr, TTFont(io.BytesIO(base64.b64decode(face)))["cmap"].getBestCmap()))
    assert {"x", "α"} <= letters
    assert not {"β", "Γ", "X"} & letters


# --- what a build leaves behind ------------------------------------------------------------------------------


def sphinx_build(source, folders, **settings):
    """Build with Sphinx, and return its warnings."""
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    warnings = io.StringIO()
    with docutils_namespace(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("NNLIB_FOR_THE_BOOK", "1")  # the extension sets it: not for the tests that follow
        patch.setattr(os, "cpu_count", lambda: 1)  # a process of many tests should not fork: JAX in it has threads
        Sphinx(str(source), None, *folders, "html", confoverrides=settings, status=None, warning=warnings).build()
    return warnings.getvalue()


def test_second_build_keeps_the_whole_search(tmp_path):
    """Sphinx alone forgets the index entries of pages that have not changed."""
    source, folders = tmp_path / "source", [str(tmp_path / name) for name in ("html", "doctrees")]
    source.mkdir()
    (source / "index.rst").write_text("Start\n=====\n\n.. toctree::\n\n   words\n\nSee :doc:`words`.\n")
    (source / "words.rst").write_text("Words\n=====\n\n.. glossary::\n\n   saturation\n      Where a slope is 0.\n")

    def build():
        assert sphinx_build(source, folders, extensions=["tools.course_site"]) == ""
        index = (tmp_path / "html" / "searchindex.js").read_text()
        texts = (tmp_path / "html" / "_static" / "search_texts.js").read_text()
        return re.search(r'"indexentries": ({.*?})', index)[1], json.loads(texts.partition(" = ")[2].rstrip(";\n"))

    first = build()
    assert first[0] == '{"saturation": [[1, "term-saturation", true]]}'
    assert first[1]["words"] == '<section id="words">Words saturation Where a slope is 0. </section>'
    assert "See Words." in first[1]["index"]
    (source / "index.rst").write_text((source / "index.rst").read_text() + "\nAnd more.\n")
    entries, texts = build()
    assert entries == first[0]
    assert texts["words"] == first[1]["words"]
    assert "And more." in texts["index"]


@pytest.mark.parametrize(
    ("base", "preview"), [("", ""), ("https://course.test/book/", "https://course.test/book/_static/readme.png")]
)
def test_pages_have_a_preview_where_their_address_is_known(base, preview):
    from docutils import nodes
    from docutils.utils import new_document

    page, context = new_document("page"), {}
    page += nodes.paragraph(text="About 45 minutes to read, 40 for the exercises, and you need nothing but a pencil.")
    page += nodes.paragraph(text="What does a single unit compute, and what can it not? " * 9)
    course_site.describe_page(SimpleNamespace(config=SimpleNamespace(html_baseurl=base)), "page", "", context, page)
    assert context["preview"] == preview
    assert context["description"].startswith("What does a single unit compute")
    assert len(context["description"]) == 300


# --- the ledger of claims ---------------------------------------------------------------------------------------

LEDGER = r"""
[sources.S0]
title = "A story"
about = "Told well."
[sources.S1]
title = "A text"
about = "In $n$ parts."
"""
CLAIM = r"""
[[claim]]
id = "{}"
line = {}
quote = {}
claim = "It is so."
verdict = "{}"
truth = "It is $a_1$."
"""


def checked(name, *tags):
    nbformat = pytest.importorskip("nbformat")
    cells = [nbformat.v4.new_markdown_cell(f"*A line.*\n\n# {name}")]
    cells += [nbformat.v4.new_code_cell(f"{n}", metadata={"tags": [*tag]}) for n, tag in enumerate(tags)]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells, metadata=notebooks.METADATA))


@pytest.fixture
def claims_page(tmp_path):
    """Build a book of two notebooks and the page of claims; return the text of its pages."""
    pytest.importorskip("myst_nb")
    source, folders = tmp_path / "source", [str(tmp_path / name) for name in ("html", "doctrees")]
    (source / "part").mkdir(parents=True)
    (source / "index.md").write_text("# Start\n\n```{toctree}\none\npart/two\nclaims\n```\n")
    (source / "claims.md").write_text("# Claims\n\n```{claims} claims.toml\n```\n")
    one = checked("One `f`", ["claim-S1-01", "claim-S1-02"], ["claim-S1-02"], ["hide-cell", "claim-S0-01"], ["slider"])
    (source / "one.ipynb").write_text(one)
    (source / "part" / "two.ipynb").write_text(checked("Two", ["claim-S1-02"]))
    rows = [
        CLAIM.format("S0-01", 4, '"so it is."', "right"),
        'elsewhere = { line = 5, quote = "not", note = "or not." }\n',
        CLAIM.format("S1-01", 30, "'$x_1 = 2$'", "wrong"),
        CLAIM.format("S1-02", "[4, 20]", "'`f(x)`'", "wrong"),
    ]
    table = source / "claims.toml"
    table.write_text(LEDGER + "".join(rows))

    def build():
        settings = {
            "extensions": ["myst_nb", "tools.course_site", "tools.ledger"],
            "nb_execution_mode": "off",
            "myst_enable_extensions": ["dollarmath"],
        }
        assert sphinx_build(source, folders, **settings) == ""
        return {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "html").rglob("*.html")}

    return SimpleNamespace(build=build, ledger=table, notebook=source / "part" / "two.ipynb")


def rows_of(page):
    """Return the claims on the page, {id: its HTML}, in their order."""
    return {item[1]: item[0] for item in re.finditer(r'<li class="claim [^"]*" id="([^"]*)">.*?</li>', page, re.DOTALL)}


def test_claim_that_no_cell_checks_is_named(claims_page):
    with claims_page.ledger.open("a") as ledger:
        ledger.write(CLAIM.format("S1-03", 1, '"later"', "wrong"))
    with pytest.raises(AssertionError, match="no cell is tagged claim-S1-03"):
        claims_page.build()


def test_page_of_claims_counts_quotes_and_leads_to_the_cells(claims_page):
    pages = claims_page.build()
    page, rows = pages["claims"], rows_of(pages["claims"])
    assert "3 statements are checked." in page
    assert "<em>right</em>, it holds as said; <em>depends</em>, it holds under" in page
    table = [re.findall(r"<p>(.*?)</p>", row) for row in re.findall(r"<tr.*?</tr>", page, re.DOTALL)]
    assert table[0] == ["verdict", "S0", "S1", "all"]
    assert ["right", "1", "0", "1"] in table
    assert ["wrong", "0", "2", "2"] in table
    assert table[-1] == ["together", "1", "2", "3"]
    assert list(rows) == ["s0-01", "s1-02", "s1-01"]  # by line
    assert [re.search(r'class="claim (.*?)"', row)[1] for row in rows.values()] == ["claim-right"] + 2 * ["claim-wrong"]
    assert "<p>It says: “so it is”</p>\n<p>Elsewhere: “not”; or not.</p>" in rows["s0-01"]
    assert re.search(r'It says: <span class="math[^"]*">\\\(x_1 = 2\\\)</span></p>', rows["s1-01"])
    assert re.search(r"It says: <code.*?f\(x\)</span></code></p>", rows["s1-02"])
    assert all(re.search(r"What holds: It is <span class=\"math[^>]*>\\\(a_1", row) for row in rows.values())
    links = {name: re.findall(r'href="([^"]*)">(.*?)</a>', row) for name, row in rows.items()}
    assert links == {
        "s0-01": [("one.html#claim-s0-01", "One f")],
        "s1-02": [("one.html#claim-s1-02", "One f"), ("part/two.html#claim-s1-02", "Two")],
        "s1-01": [("one.html#claim-s1-01", "One f")],
    }
    for address, _ in (link for found in links.values() for link in found):
        name, cell = re.search(r"(\w+)\.html#(.*)", address).groups()
        assert pages[name].count(f'id="{cell}"') == 1, address
    assert re.findall(r'id="s\d">\s*<h2>(.*?)<', page) == ["S0: A story", "S1: A text"]
    assert re.findall(r'claims-none claim-(\w+)">None of the statements from (S\d)', page).count(("right", "S1")) == 1


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        ("it is so.", "“it is so”"),
        ('a “weight” and a "bias."', "“a ‘weight’ and a ‘bias.’”"),
        ('`f("x")`', '`f("x")`'),
        ('$x$ … `y("x")`', '“$x$ … `y("x")`”'),
    ],
)
def test_quote_within_a_quote_has_marks_of_its_own(quote, shown):
    assert ledger.quoted(quote) == shown


def test_filter_of_the_claims_has_a_rule_in_the_style_sheet_for_each_of_its_buttons(claims_page):
    page = claims_page.build()["claims"]
    style = (notebooks.ROOT / "assets" / "course.css").read_text(encoding="utf-8")
    buttons = re.findall(r'<input type="radio" name="([\w-]*)" id="([\w-]*)"( checked)?>', page)
    assert [name for _, name, on in buttons if on] == ["claims-of-all", "claims-being-all"]
    for group, name, on in buttons:
        assert on or f"#{name}:checked) {'.claims' if group == 'claims-of' else '.claim'}:not(" in style
    assert len(buttons) == 9


def test_page_of_claims_follows_notebooks_and_ledger(claims_page):
    """Sphinx alone would read the page again only when the page itself has changed."""
    assert "claim-s1-03" not in claims_page.build()["claims"]
    with claims_page.ledger.open("a") as ledger:
        ledger.write(CLAIM.format("S1-03", 1, '"later"', "wrong"))
    claims_page.notebook.write_text(checked("Two", ["claim-S1-02"], ["claim-S1-03"]))
    page = claims_page.build()["claims"]
    assert "4 statements are checked.</p>" in page
    assert "part/two.html#claim-s1-03" in rows_of(page)["s1-03"]
    claims_page.ledger.write_text(claims_page.ledger.read_text().replace('quote = "so it is."', 'quote = "it was"'))
    assert "“it was”" in claims_page.build()["claims"]


# --- pictures ------------------------------------------------------------------------------------------------


def page_context(body):
    return {"body": body, "pathto": lambda name, resource: f"../../{name}"}


def test_pictures_move_into_files_named_by_their_contents(tmp_path):
    app = SimpleNamespace(outdir=tmp_path)
    one, other = (base64.b64encode(data).decode() for data in (b"one", b"other"))
    one, other = f"data:image/webp;base64,{one}", f"data:image/svg+xml;base64,{other}"
    body = f'<img src="{one}"> {{"light":"{other}"}} {one}'
    context = page_context(body)
    course_site.move_pictures_into_files(app, "page", "page.html", context, None)
    files = sorted((tmp_path / "_pictures").iterdir(), key=lambda file: file.suffix)
    assert [(file.suffix, file.read_bytes()) for file in files] == [(".svg", b"other"), (".webp", b"one")]
    svg, webp = (f"../../_pictures/{file.name}" for file in files)
    assert context["body"] == f'<img src="{webp}"> {{"light":"{svg}"}} {webp}'


def test_pictures_that_no_page_shows_are_removed(tmp_path):
    app = SimpleNamespace(outdir=tmp_path, builder=SimpleNamespace(format="html"))
    (tmp_path / "_pictures").mkdir()
    for name in ("abc.webp", "def.webp"):
        (tmp_path / "_pictures" / name).write_bytes(b"")
    (tmp_path / "page.html").write_text('<img src="_pictures/abc.webp">')
    course_site.remove_stale_pictures(app, None)
    assert [file.name for file in (tmp_path / "_pictures").iterdir()] == ["abc.webp"]


@pytest.mark.parametrize(
    ("script", "body", "dropped"),
    [
        ("_static/sphinx-thebe.js", None, True),
        (None, 'const THEBE_JS_URL = "https://unpkg.com/thebe"', True),
        ("mathjax/tex-svg.js", None, True),
        (None, "window.MathJax = {}", True),
        ("https://cdnjs.cloudflare.com/ajax/libs/require.js/2.3.4/require.min.js", None, True),
        ("_static/explore.js", None, False),
        (None, "let toggleHintShow = 'Show';", False),
    ],
)
def test_scripts_that_pages_go_without(script, body, dropped):
    assert course_site.is_dropped(SimpleNamespace(filename=script, attributes={"body": body})) is dropped


def test_a_progress_bar_of_tqdm_becomes_a_native_one():
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    code = "from tqdm.auto import tqdm\nfor i in tqdm(range(3), desc='<train>'):\n    pass"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, timeout=120).execute()
    book.replace_progress_bars(notebook)
    (data,) = (output["data"] for output in notebook.cells[0].outputs if output["output_type"] == "display_data")
    assert "widgets" not in notebook.metadata
    assert "application/vnd.jupyter.widget-view+json" not in data
    assert re.search(r'<progress value="3(\.0)?" max="3(\.0)?"', data["text/html"])
    assert "3/3" in html.unescape(data["text/html"])


def test_the_pages_are_made_anew_when_what_makes_them_changes():
    """Else a page would keep what an earlier version of a tool wrote."""
    patterns = book.MADE_FROM[book.PAGES]
    made = {path for pattern in patterns for path in notebooks.ROOT.glob(pattern)}
    for name in (
        "tools/formulas.py",
        "tools/katex.cjs",
        "tools/course_site.py",
        "tools/ledger.py",
        "data/claims.toml",
        "tools/templates/layout.html",
        "assets/explore.js",
    ):
        assert notebooks.ROOT / name in made


def test_the_ledger_of_claims_lets_no_notebook_run_anew():
    """It is no data of theirs."""
    read = {path for pattern in book.MADE_FROM[book.CACHE] for path in notebooks.ROOT.glob(pattern)}
    assert notebooks.ROOT / "data/claims.toml" not in read
    assert notebooks.ROOT / "data/insurance/sweep_twin.csv" in read


def test_the_notebooks_run_anew_when_what_they_write_into_pages_changes():
    """A recogniser's figure holds its script and its style."""
    read = {path for pattern in book.MADE_FROM[book.CACHE] for path in notebooks.ROOT.glob(pattern)}
    assert {notebooks.ROOT / f"nnlib/course/recogniser/page.{kind}" for kind in ("js", "css")} <= read
