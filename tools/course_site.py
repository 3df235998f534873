"""A Sphinx extension for what Jupyter Book cannot configure: a site that loads nothing from elsewhere."""

import shutil
from pathlib import Path

from sphinx.errors import ExtensionError

ROOT = Path(__file__).resolve().parent.parent

# Browser packages that the site serves itself: folder below _static -> files of node_modules.
# MathJax draws with SVG: no fonts, which Firefox would refuse to load from file://.
VENDORED = {
    "mathjax": ("mathjax/es5", ["tex-svg.js", "input/tex/extensions/*.js"]),
    "html-manager": ("@jupyter-widgets/html-manager/dist", ["embed.js", "*.woff2"]),
}

# Font Awesome replaces <i> by <svg>. The widgets keep their own reference to the <i> and crash when it is
# gone; nested, the <i> stays. This runs before any deferred script.
NEST_ICONS = "window.FontAwesomeConfig = {autoReplaceSvg: 'nest'};"


def vendor_packages(app, exception):
    """Copy the browser packages into the built site."""
    if exception or app.builder.format != "html":
        return
    for folder, (package, patterns) in VENDORED.items():
        source = ROOT / "node_modules" / package
        for pattern in patterns:
            files = sorted(source.glob(pattern))
            if not files:
                raise ExtensionError(f"{source / pattern} is missing: run `make book`, which installs it")
            for file in files:
                target = Path(app.outdir, "_static", folder, file.relative_to(source))
                if not target.exists() or target.stat().st_mtime < file.stat().st_mtime:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)


def remove_stale_pages(app, exception):
    """Remove pages whose source is gone: Sphinx leaves them, and the search would still find them."""
    if exception or app.builder.format != "html":
        return
    known = {*app.env.found_docs, "genindex", "search", "index"}
    for page in Path(app.outdir).rglob("*.html"):
        name = page.relative_to(app.outdir).with_suffix("").as_posix()
        if name not in known and not name.startswith("_"):
            page.unlink()


def is_thebe(script):
    """Tell whether this script is one of Thebe's, whose address lies outside even where Thebe is off."""
    body = script.attributes.get("body") or ""
    return "thebe" in str(script.filename) or "THEBE_JS_URL" in body


def tidy_scripts(app, pagename, templatename, context, doctree):
    """Drop scripts that point outside and configure the icons before they load."""
    scripts = context.get("script_files", [])
    scripts[:] = [script for script in scripts if not is_thebe(script)]
    styles = context.get("css_files", [])
    styles[:] = [style for style in styles if "thebe" not in str(style.filename)]
    app.add_js_file(None, body=NEST_ICONS, priority=1)


def setup(app):
    """Connect the pieces to Sphinx."""
    # after the theme and the extensions have added theirs
    app.connect("html-page-context", tidy_scripts, priority=900)
    app.connect("build-finished", vendor_packages)
    app.connect("build-finished", remove_stale_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
