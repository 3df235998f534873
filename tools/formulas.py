"""Typeset the formulas of the built pages with KaTeX, once, so that no page has to do it.

A formula becomes HTML for the eye and MathML for screen readers. The fonts become part of the style sheet, because
Firefox refuses font files to pages opened as files, and hold only the letters that the pages use.
"""

import base64
import html
import io
import json
import logging
import re
from pathlib import Path

from . import npm
from .notebooks import ROOT

KATEX = ROOT / "node_modules" / "katex" / "dist"
MATH = "math notranslate nohighlight"  # the class that Sphinx gives a formula
INLINE = re.compile(rf'(<span class="{MATH}">)\\\((.*?)\\\)(?=</span>)', re.DOTALL)
DISPLAY = re.compile(
    rf'(<div class="{MATH}"[^>]*>\s*(?:<span class="eqno">.*?</span>\s*)?)\\\[(.*?)\\\](?=\s*</div>)', re.DOTALL
)
TYPESET = '<span class="katex">'


class FormulaError(Exception):
    """Formulas that cannot be typeset, a line each."""


def rendered(formulas):
    """Return the HTML of each (TeX, whether it stands on a line of its own)."""
    answers = json.loads(npm.node(str(ROOT / "tools" / "katex.cjs"), json.dumps(formulas)))
    wrong = [
        f"{tex.strip()}: {answer['error']}"
        for (tex, _), answer in zip(formulas, answers, strict=True)
        if "error" in answer
    ]
    if wrong:
        raise FormulaError("\n".join(wrong))
    return {formula: answer["html"] for formula, answer in zip(formulas, answers, strict=True)}


def typeset(site):
    """Replace the TeX in all pages of the site and write the style sheet that they need; return how many there were."""
    pages = {page: page.read_text(encoding="utf-8") for page in sorted(site.rglob("*.html"))}
    kinds = [(INLINE, False), (DISPLAY, True)]
    found = {
        (html.unescape(match[2]), display): None
        for text in pages.values()
        for pattern, display in kinds
        for match in pattern.finditer(text)
    }
    made, count = rendered(list(found)) if found else {}, 0
    for page, text in pages.items():
        before = text
        for pattern, display in kinds:
            text, replaced = pattern.subn(lambda match, d=display: match[1] + made[html.unescape(match[2]), d], text)
            count += replaced
        if text.count(f'class="{MATH}"') != text.count(TYPESET):
            raise FormulaError(f"{page.name}: holds formulas in a form that is not recognised")
        if text != before:
            page.write_text(text, encoding="utf-8")
            pages[page] = text
    sheet = Path(site, "_static", "katex.css")
    sheet.write_text(style_sheet("".join(pages.values())), encoding="utf-8")
    return count


# --- the style sheet -------------------------------------------------------------------------------------------

FONT_FACE = re.compile(r"@font-face\{[^}]*?font-family:([^;}]+)[^}]*\}")
RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")


def style_sheet(text):
    """Return KaTeX's style sheet with the fonts that the pages' text needs inside."""
    source = (KATEX / "katex.min.css").read_text(encoding="utf-8")
    classes = {frozenset(value.split()) for value in set(re.findall(r'class="([^"]*)"', text))}
    letters = set(html.unescape(text)) | {"\u200b", " "}

    def embedded(match):
        face = match[0]
        if not is_used(face, source, classes):
            return ""
        file = KATEX / re.search(r"url\((fonts/[\w-]+\.ttf)\)", face)[1]
        data = base64.b64encode(with_letters(file, letters)).decode()
        return re.sub(r"src:[^;}]*", f"src:url(data:font/woff;base64,{data}) format('woff')", face)

    return FONT_FACE.sub(embedded, source)


def is_used(face, source, classes):
    """Tell whether a rule that asks for this font matches anything in the pages."""
    family, weight, style = (
        re.search(rf"{name}:\"?([^;}}\"]+)", face)[1] for name in ("font-family", "font-weight", "font-style")
    )
    bold, italic = weight in ("700", "bold"), style == "italic"
    for selectors, body in RULE.findall(FONT_FACE.sub("", source)):
        # bold and italic words are in the main font without saying so
        named = family in body or (family == "KaTeX_Main" and "font-family" not in body and "font-" in body)
        if not named:
            continue
        # `font: normal …` and the like say nothing about weight and style, and the rule holds for the upright one
        is_bold, is_italic = bool(re.search(r"font-weight:(?:700|bold)", body)), "font-style:italic" in body
        if (is_bold, is_italic) != (bold, italic):
            continue
        for selector in selectors.split(","):
            wanted = set(re.findall(r"\.([\w-]+)", selector.split()[-1]))
            if any(wanted <= found for found in classes):
                return True
    return False


def with_letters(file, letters):
    """Return a font that holds only these letters, as WOFF."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns of the date that is written in KaTeX's fonts
    options = subset.Options(layout_features=["*"], notdef_outline=True, hinting=False)
    font = TTFont(io.BytesIO(file.read_bytes()))
    chooser = subset.Subsetter(options)
    chooser.populate(text="".join(letters))
    chooser.subset(font)
    packed = io.BytesIO()
    font.flavor = "woff"
    font.save(packed, reorderTables=False)
    return packed.getvalue()
