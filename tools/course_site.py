"""A Sphinx extension for what Jupyter Book cannot configure: light pages that load nothing from elsewhere."""

import base64
import hashlib
import html
import json
import os
import re
from pathlib import Path
from urllib.parse import urljoin

from docutils import nodes

PICTURES = "_pictures"
DATA_ADDRESS = re.compile(r"data:image/(png|webp|svg\+xml);base64,([A-Za-z0-9+/]+=*)")


def move_pictures_into_files(app, pagename, templatename, context, doctree):
    """Write each picture that a page holds as a data: address into a file, named by its contents, beside the pages."""
    folder = Path(app.outdir, PICTURES)

    def moved(found):
        data = base64.b64decode(found[2])
        kind = found[1].removesuffix("+xml")
        file = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.{kind}"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        return context["pathto"](f"{PICTURES}/{file.name}", resource=True)

    if "body" in context:
        body = re.sub(
            r'<script type="text/x-thebe-config">.*?</script>|<script>kernelName = .*?</script>',
            "",
            context["body"],
            flags=re.DOTALL,
        )
        context["body"] = DATA_ADDRESS.sub(moved, body)


def write_all_pages(app, env):
    """Write every page at every build: the search would lose the index entries of those that Sphinx leaves alone."""
    return sorted(env.found_docs)


def describe_page(app, pagename, templatename, context, doctree):
    """Give the page its first words and a picture, for those who find it by a search or a link."""
    if doctree is None:
        return
    paragraphs = (" ".join(node.astext().split()) for node in doctree.findall(nodes.paragraph))
    # not the line of minutes
    context["description"] = next((text for text in paragraphs if "minutes" not in text and len(text) > 60), "")[:300]
    context["preview"] = app.config.html_baseurl and urljoin(app.config.html_baseurl, "_static/readme.png")


def searchable(node):
    """Return what there is to read in a page as HTML, its sections with their addresses and without anything else."""
    if isinstance(node, nodes.section):
        return f'<section id="{node["ids"][0]}">{"".join(map(searchable, node.children))}</section>'
    if isinstance(node, nodes.raw | nodes.comment):
        return ""
    if isinstance(node, nodes.Text | nodes.TextElement):
        return f"{html.escape(' '.join(node.astext().split()), quote=False)} "
    return "".join(map(searchable, node.children))


def note_search_text(app, doctree, pagename):
    """Keep the text of the page for `write_search_texts`."""
    app.search_texts[pagename] = searchable(doctree)


def write_search_texts(app, exception):
    """Write the text of all pages into a script: a page opened as a file may not fetch the others."""
    if exception or app.builder.format != "html":
        return
    script = f"window.searchTexts = {json.dumps(app.search_texts, ensure_ascii=False)};\n"
    Path(app.outdir, "_static", "search_texts.js").write_text(script, encoding="utf-8")


def remove_stale_pictures(app, exception):
    """Remove pictures that no page shows any more."""
    if exception or app.builder.format != "html":
        return
    pages = (page.read_text(encoding="utf-8") for page in Path(app.outdir).rglob("*.html"))
    shown = {name for page in pages for name in re.findall(rf"{PICTURES}/([0-9a-f]+\.\w+)", page)}
    for file in Path(app.outdir, PICTURES).glob("*"):
        if file.name not in shown:
            file.unlink()


def remove_stale_pages(app, exception):
    """Remove pages whose source is gone: Sphinx leaves them, and the search would still find them."""
    if exception or app.builder.format != "html":
        return
    known = {*app.env.found_docs, "genindex", "search", "index", "404"}
    for page in Path(app.outdir).rglob("*.html"):
        name = page.relative_to(app.outdir).with_suffix("").as_posix()
        if name not in known and not name.startswith("_"):
            page.unlink()


def is_dropped(script):
    """Tell whether a page goes without this script.

    Thebe's has an address outside even where Thebe is off; formulas are typeset when the book is built, so MathJax has
    nothing to do; and the page has no widgets that would need a manager.
    """
    text = f"{script.filename} {script.attributes.get('body') or ''}"
    return re.search(r"thebe|mathjax|require(\.min)?\.js|html-manager|embed-amd", text, re.IGNORECASE) is not None


AT_ONCE = r"/(documentation_options|doctools|explore|course)\.js"


def tidy_scripts(app, pagename, templatename, context, doctree):
    """Drop what pages do not need, and let nothing but the sliders' script come before the text.

    And Sphinx's small doctools, which the script of the search page calls at once.
    """
    scripts = context.get("script_files", [])
    scripts[:] = [script for script in scripts if not is_dropped(script)]
    for script in scripts:
        if script.filename and not re.search(AT_ONCE, str(script.filename)):
            script.attributes["defer"] = "defer"
    styles = context.get("css_files", [])
    styles[:] = [style for style in styles if "thebe" not in str(style.filename)]


# They do not say whether pages may be read side by side: one numbers the sections of pages that have all been read, the
# other makes LaTeX, which this book is not made into.
UNDECLARED = {"sphinx_multitoc_numbering", "sphinx_jupyterbook_latex"}


def allow_side_by_side(app, env, docnames):
    """Declare what extensions forgot to."""
    for name in UNDECLARED & set(app.extensions):
        app.extensions[name].parallel_read_safe = True


def setup(app):
    """Connect the pieces to Sphinx."""
    os.environ["NNLIB_FOR_THE_BOOK"] = "1"  # where the book is built without `make book`
    app.parallel = os.cpu_count()  # Jupyter Book has no option for it
    app.connect("env-before-read-docs", allow_side_by_side)
    # after the theme and the extensions have added theirs
    app.connect("html-page-context", tidy_scripts, priority=900)
    app.search_texts = {}
    app.connect("env-updated", write_all_pages)
    app.connect("html-page-context", describe_page)
    # in the process that writes the search texts: pages are written by others
    app.connect("doctree-resolved", note_search_text, priority=900)
    app.connect("html-page-context", move_pictures_into_files)
    app.connect("build-finished", write_search_texts)
    app.connect("build-finished", remove_stale_pages)
    app.connect("build-finished", remove_stale_pictures, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
