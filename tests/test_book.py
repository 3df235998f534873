"""What the build does to pages after Jupyter Book: formulas typeset, pictures in files, nothing that points outside."""

import base64
import html
import io
import json
import re
from types import SimpleNamespace

import pytest

from tools import book, course_site, formulas, notebooks

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


def test_second_build_keeps_the_whole_search(tmp_path, monkeypatch):
    """Sphinx alone forgets the index entries of pages that have not changed."""
    from sphinx.application import Sphinx

    monkeypatch.setenv("NNLIB_FOR_THE_BOOK", "1")  # the extension sets it: not for the tests that follow
    source, folders = tmp_path / "source", [str(tmp_path / name) for name in ("html", "doctrees")]
    source.mkdir()
    (source / "index.rst").write_text("Start\n=====\n\n.. toctree::\n\n   words\n\nSee :doc:`words`.\n")
    (source / "words.rst").write_text("Words\n=====\n\n.. glossary::\n\n   saturation\n      Where a slope is 0.\n")

    def build():
        settings = {"extensions": ["tools.course_site"]}
        app = Sphinx(str(source), None, *folders, "html", confoverrides=settings, status=None)
        app.build()
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
        "tools/templates/layout.html",
        "assets/explore.js",
    ):
        assert notebooks.ROOT / name in made
