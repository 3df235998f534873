"""Build the book into _build/html: execute what has changed, and treat every warning as an error."""

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from . import formulas, kernels, styles
from .notebooks import ROOT, notebooks

BUILD = ROOT / "_build"

# What a build makes out of which files. Jupyter knows a notebook by its cells alone and Sphinx knows a page by its
# source alone; a changed library must run the notebooks anew, and a changed style must write the pages anew.
CACHE, PAGES = BUILD / ".jupyter_cache", BUILD / ".doctrees"
MADE_FROM = {
    CACHE: [
        *["requirements.lock", "chapters/**/*.py", "data/*/**/*"],
        *["nnlib/**/*.py", "nnlib/**/*.json", "nnlib/**/*.js", "nnlib/**/*.css"],
    ],
    PAGES: [
        *["requirements.lock", "package-lock.json", "_config.yml", "assets/**/*"],
        *["tools/course_site.py", "tools/templates/*", "tools/formulas.py", "tools/katex.cjs"],
        *["tools/styles.py", "tools/purge.cjs"],
        *["tools/ledger.py", "data/claims.toml"],
    ],
}


def digest(patterns):
    """Sum up the contents of the files that match, and the Python and the data directory that they meet."""
    total = hashlib.sha256(f"{sys.version} {os.environ.get('NNLIB_DATA_DIR', '')}".encode())
    for file in sorted({file for pattern in patterns for file in ROOT.glob(pattern) if file.is_file()}):
        total.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes() + b"\0")
    return total.hexdigest()


def forget_what_is_outdated():
    """Remove what was made from files that have changed since."""
    for made, patterns in MADE_FROM.items():
        stamp, now = made.with_name(made.name + ".from"), digest(patterns)
        if not stamp.exists() or stamp.read_text() != now:
            shutil.rmtree(made, ignore_errors=True)
            if made == CACHE:
                shutil.rmtree(PAGES, ignore_errors=True)  # pages hold the outputs
            BUILD.mkdir(exist_ok=True)
            stamp.write_text(now)


def replace_progress_bars(notebook):
    """Put a native progress bar in the place of each widget that tqdm left: the pages have no widget manager."""
    view, state = "application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json"
    models = notebook.metadata.pop("widgets", {}).get(state, {}).get("state", {})

    def shown(model_id):
        model = models[model_id]
        if model["model_name"] == "HTMLModel":
            return f"<span>{model['state']['value']}</span>"
        if model["model_name"] == "FloatProgressModel":
            return f'<progress value="{model["state"]["value"]}" max="{model["state"]["max"]}"></progress>'
        return "".join(shown(child.removeprefix("IPY_MODEL_")) for child in model["state"]["children"])

    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        if view in output.get("data", {}):
            bar = shown(output.data.pop(view)["model_id"])
            output.data["text/html"] = f'<div class="progress-bar-of-cell">{bar}</div>'


def keep(notebook, path, seconds):
    """Put an executed notebook where the build looks for its outputs."""
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": seconds})
    get_cache(CACHE).cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def execute_side_by_side():
    """Execute the notebooks that the cache does not have, one on each core; the build then finds their outputs there.

    Sphinx would execute them one after the other. One that fails is left to Sphinx, which says where and why.
    """
    import nbformat
    import yaml
    from jupyter_cache import get_cache
    from jupyter_cache.executors.utils import single_nb_execution
    from tqdm import tqdm

    timeout = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["execute"]["timeout"]
    cache, missing = get_cache(CACHE), []
    for path in notebooks():
        notebook = nbformat.read(path, as_version=4)
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            missing.append((path, notebook))

    def execute(path, notebook):
        return path, single_nb_execution(notebook, cwd=str(path.parent), timeout=timeout, allow_errors=False)

    if not missing:
        return
    kernels.fork_kernels()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = [pool.submit(execute, *notebook) for notebook in missing]
        for future in tqdm(as_completed(futures), total=len(futures), desc="executing", unit="notebook"):
            path, result = future.result()
            if result.err is None:
                replace_progress_bars(result.nb)
                keep(result.nb, path, result.time)


def main():
    """Build the book and return the exit code."""
    os.environ["NNLIB_FOR_THE_BOOK"] = "1"  # figures are made for the page, not for a kernel (nnlib/course/explore)
    forget_what_is_outdated()
    execute_side_by_side()
    command = [Path(sys.executable).with_name("jupyter-book"), "build", str(ROOT)]
    code = subprocess.call([*command, "--warningiserror", "--nitpick", "--keep-going", "--quiet"], cwd=ROOT)
    page = BUILD / "html" / "index.html"
    if code or not page.exists():
        # Sphinx warns about a page only when it reads it: without this the next build would pass in silence.
        shutil.rmtree(PAGES, ignore_errors=True)
        print("\nThe book was not built: see the warnings above; each of them is an error.", file=sys.stderr)
        return code or 1
    try:
        formulas.typeset(page.parent)
        styles.gather(page.parent)
    except (formulas.FormulaError, styles.StyleError) as error:
        shutil.rmtree(PAGES, ignore_errors=True)
        print(f"\nThe book was not built:\n{error}", file=sys.stderr)
        return 1
    print(f"\nThe book is built. Open it in a browser, no server needed:\n\n    {page.as_uri()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
