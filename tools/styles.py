"""One style sheet for all pages, of the rules that they use, in the place of eleven with 665 KB.

A browser shows no word before it has read them all.
"""

import hashlib
import json
import os
import re
from urllib.parse import urlsplit

from . import npm
from .notebooks import ROOT

SHEET = "style.css"
LINK = re.compile(r'<link\b[^>]*\brel="stylesheet"[^>]*>')
IMPORT = re.compile(r'@import\s+"([^"]+)";')
RELATIVE = re.compile(r"""url\((["']?)(?!data:|https?:|[/#])([^"')]+)\1\)""")
SCRIPT = re.compile(r'<script\b[^>]*\bsrc="([^"]+)"')


class StyleError(Exception):
    """A style sheet that cannot be put together with the others."""


def gather(site):
    """Write the style sheet and let all pages of the site use it; return the bytes before and after."""
    site = site.resolve()  # as the files that the pages ask for
    static = site / "_static"
    files = sorted(file for file in site.rglob("*.html") if static not in file.parents)  # there: templates of the theme
    pages = {page: page.read_text(encoding="utf-8") for page in files}
    linked = {page: [_sheet(page, link) for link in LINK.findall(text)] for page, text in pages.items()}
    sheets = list(dict.fromkeys(sheet for found in linked.values() for sheet in found))
    if static / SHEET in sheets:
        raise StyleError(f"the pages have been given their {SHEET} before: build them anew")
    for page, found in linked.items():
        if found and found != sheets:  # what comes last wins, and all pages get the same
            raise StyleError(
                f"{page.name} links {[sheet.name for sheet in found]}, and not all of the others' in order"
            )
    rules = "\n".join(_read(sheet, static) for sheet in sheets)
    scripts = {_file(page, address) for page, text in pages.items() for address in SCRIPT.findall(text)}
    content = sorted(str(file) for file in {*pages, *scripts})
    used = npm.node(str(ROOT / "tools" / "purge.cjs"), json.dumps({"content": content, "css": rules}))
    (static / SHEET).write_text(used, encoding="utf-8")
    version = hashlib.sha256(used.encode()).hexdigest()[:8]
    for page, found in linked.items():
        if found:
            address = f"{os.path.relpath(static, page.parent)}/{SHEET}?v={version}".replace(os.sep, "/")
            links = iter([f'<link rel="stylesheet" href="{address}" />'])  # the first becomes this, the others go
            text = LINK.sub(lambda _, links=links: next(links, ""), pages[page])
            page.write_text(text, encoding="utf-8")
    return len(rules.encode()), len(used.encode())


def _sheet(page, link):
    """Return the file of a link; those for some media only would hold for all of them in one sheet."""
    if "media=" in link:
        raise StyleError(f"{page.name} links a style sheet for some media only: {link}")
    return _file(page, re.search(r'href="([^"]+)"', link)[1])


def _file(page, address):
    """Return the file of an address on a page."""
    file = (page.parent / urlsplit(address).path).resolve()
    if not file.is_file():
        raise StyleError(f"{page.name} asks for {address}, which is not among its files")
    return file


def _read(sheet, static):
    """Return the text of a style sheet with what it imports, its addresses as seen from the folder of all sheets."""
    text = IMPORT.sub(lambda found: _read(sheet.parent / found[1], static), sheet.read_text(encoding="utf-8"))
    if "@import" in text:
        raise StyleError(f"{sheet.name} imports in a form that is not recognised")
    return RELATIVE.sub(lambda found: f'url("{os.path.relpath(sheet.parent / found[2], static)}")', text)
