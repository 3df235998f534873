"""The pages' style sheets become one, which holds what the pages and their scripts use."""

import re
from types import SimpleNamespace

import pytest

from tools import styles
from tools.notebooks import ROOT

pytestmark = pytest.mark.skipif(
    not (ROOT / "node_modules" / "purgecss").exists(), reason="PurgeCSS is not installed: run `make book`"
)

THEME = '<link href="{up}_static/sub/theme.css?digest=1" rel="stylesheet" />'
OWN = '<link rel="stylesheet" href="{up}_static/own.css" />'
PAGE = """<!doctype html>
<html data-theme="auto">
<head>{links}<script src="{up}_static/page.js"></script></head>
<body><p class="used imported mask data">words</p></body>
</html>
"""


@pytest.fixture
def site(tmp_path):
    """Return a site of two pages with two style sheets, one of which imports a third."""
    static = tmp_path / "_static"
    (static / "sub").mkdir(parents=True)
    (static / "basic.css").write_text(".imported, .nowhere-1 { color: red }\n.nowhere-2 { color: blue }")
    (static / "sub" / "theme.css").write_text(
        '@import "../basic.css";\n.used { background: url(dot.svg) } .mask { mask: url(#here) }'
        ' .data { background: url("data:image/png;base64,AA==") } .nowhere-3 > .used { color: red }'
    )
    (static / "own.css").write_text(
        '.used { color: green } html[data-theme="dark"] .used { color: pink } .by-script:hover { color: tan }'
        " @media print { .used { color: black } .nowhere-4 { color: red } }"
        " @font-face { font-family: Mine; src: url(mine.woff) } .used { font: 1em Mine }"
        " :focus-visible { outline: 3px solid } .nowhere-5:focus-visible { color: red }"
    )
    (static / "template.html").write_text('<link rel="stylesheet" href="{{ pathto(sheet) }}">')
    (static / "page.js").write_text('document.body.classList.add("by-script"); root.dataset.theme = "dark";')
    (tmp_path / "deep").mkdir()

    def write(name, *links, up=""):
        text = PAGE.replace("{links}", "\n".join(links)).replace("{up}", up)
        (tmp_path / name).write_text(text, encoding="utf-8")

    write("index.html", THEME, OWN)
    write("deep/page.html", THEME, OWN, up="../")
    return SimpleNamespace(folder=tmp_path, static=static, write=write)


def rules(site):
    return (site.static / "style.css").read_text(encoding="utf-8")


def test_each_page_has_one_link_to_the_sheet_of_all(site):
    styles.gather(site.folder)
    for name, up in (("index.html", ""), ("deep/page.html", "../")):
        links = re.findall(r"<link[^>]*>", (site.folder / name).read_text(encoding="utf-8"))
        assert len(links) == 1
        address = re.fullmatch(r'<link rel="stylesheet" href="(\S+)\?v=[0-9a-f]{8}" />', links[0])[1]
        assert address == f"{up}_static/style.css"


def test_what_pages_and_scripts_use_is_kept_in_its_order_and_the_rest_is_not(site):
    before, after = styles.gather(site.folder)
    text = rules(site)
    kept = [
        ".imported",
        "url(",
        ".mask",
        ".data",
        "color: green",
        "[data-theme",
        ".by-script:hover",
        "@media print",
        "@font-face",
        ":focus-visible {",
    ]
    assert [text.find(part) for part in kept] == sorted(text.find(part) for part in kept)
    assert all(part in text for part in kept)
    assert "nowhere" not in text
    assert after == len(text.encode()) < before


def test_addresses_in_a_sheet_lead_where_they_led(site):
    styles.gather(site.folder)
    assert re.findall(r"url\([^)]*\)", rules(site)) == [
        'url("sub/dot.svg")',
        "url(#here)",
        'url("data:image/png;base64,AA==")',
        'url("mine.woff")',
    ]


def test_a_page_without_styles_of_the_site_stays_as_it_is(site):
    site.write("404.html", "<style>p { color: red }</style>")
    before = (site.folder / "404.html").read_bytes()
    styles.gather(site.folder)
    assert (site.folder / "404.html").read_bytes() == before


@pytest.mark.parametrize(
    ("links", "message"),
    [
        ([THEME, OWN.replace("own", "lost")], r"odd\.html asks for _static/lost\.css"),
        ([THEME, OWN.replace("rel", 'media="print" rel')], r"odd\.html links .* some media only"),
        ([OWN, THEME], r"odd\.html links .*own\.css.*theme\.css.* in order"),
        ([THEME, OWN, OWN.replace("own", "basic")], "not all of the others' in order"),
    ],
)
def test_pages_that_do_not_share_their_sheets_stop_the_build(site, links, message):
    site.write("odd.html", *links)
    before = {page: page.read_bytes() for page in site.folder.rglob("*.html")}
    with pytest.raises(styles.StyleError, match=message):
        styles.gather(site.folder)
    assert {page: page.read_bytes() for page in site.folder.rglob("*.html")} == before
    assert not (site.static / "style.css").exists()


def test_an_import_in_another_form_stops_the_build(site):
    (site.static / "own.css").write_text("@import url(basic.css) print;")
    with pytest.raises(styles.StyleError, match=r"own\.css imports in a form"):
        styles.gather(site.folder)


def test_a_second_time_is_refused_before_it_sifts_what_was_sifted(site):
    styles.gather(site.folder)
    once = rules(site)
    with pytest.raises(styles.StyleError, match="build them anew"):
        styles.gather(site.folder)
    assert rules(site) == once


def test_a_site_may_be_named_by_a_link(site, tmp_path_factory):
    link = tmp_path_factory.mktemp("elsewhere") / "html"
    link.symlink_to(site.folder)
    styles.gather(link)
    assert 'url("sub/dot.svg")' in rules(site)
    with pytest.raises(styles.StyleError, match="build them anew"):
        styles.gather(link)


SCRIPTS = [file for folder in ("assets", "nnlib/course") for file in sorted((ROOT / folder).rglob("*.js"))]


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_script_writes_its_classes_out(file):
    """One that it puts together from parts is no word that PurgeCSS could find."""
    assert re.findall(r"\bclass(?:List|Name)?\b[^;{}]*(?:\$\{|[\"'] *\+)", file.read_text(encoding="utf-8")) == []
