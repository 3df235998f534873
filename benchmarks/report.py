"""Turns results.json into a table and a picture; `python -m benchmarks.report FOLDER` writes both."""

import json
import sys
from pathlib import Path

from .peers import PEERS
from .workloads import DESCRIPTIONS, WORKLOADS

PAGE_RESULTS = Path(__file__).with_name("page.json")
RESULTS = Path(__file__).resolve().parent / "results.json"


def read(path: Path = RESULTS) -> dict:
    """Read results as `make bench` wrote them."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def number(value: float) -> str:
    """Three significant digits, no exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def markdown(results: dict) -> str:
    """Return two tables (µs per step; how many times slower than nnlib), the machine and the versions."""
    names = [n for n in WORKLOADS if n in results["workloads"]]
    lines = ["| µs per training step | " + " | ".join(names) + " |", "|---" + "|---:" * len(names) + "|"]
    lines += [row(results, key, names, us_cell) for key in PEERS]
    if any("ratio" in r for rows in results["workloads"].values() for r in rows.values()):
        lines += ["", "| times nnlib | " + " | ".join(names) + " |", "|---" + "|---:" * len(names) + "|"]
        lines += [row(results, key, names, ratio_cell) for key in PEERS if key != "nnlib"]
    lines += ["", *(f"- **{key}**: {text}" for key, text in DESCRIPTIONS.items())]
    machine, imports = results["machine"], results["import_ms"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines += [
        "",
        f"Medians of {results['rounds']} interleaved rounds, in brackets the quartiles of the ratio; float32, one "
        f"core of {machine['processor']}, {machine['system']}, Python {machine['python']}; {versions}; "
        f"{results['date']}.",
    ]
    busy = machine.get("busy_cores")
    if busy and busy > machine["cores"] - 1:
        lines += [
            "",
            f"The machine was not free: {busy:.1f} programs shared its {machine['cores']} cores. The times are longer "
            "than they need to be, and the ratios less sure.",
        ]
    if "nnlib" in imports:
        lines += [
            "",
            f"`import nnlib` takes {imports['nnlib']['median']:.0f} ms in a fresh interpreter; `import numpy` alone "
            f"takes {imports['numpy']['median']:.0f} ms.",
        ]
    return "\n".join(lines) + "\n"


def row(results, key, names, cell) -> str:
    """One peer's row; a dash where it cannot express the network, a word where it is not installed."""
    cells = []
    for name in names:
        measured = results["workloads"][name].get(key)
        cells.append(cell(measured) if measured else "missing" if key in results["missing"] else "–")
    title = f"**{PEERS[key].title}**" if key == "nnlib" else PEERS[key].title
    return f"| {title} | " + " | ".join(cells) + " |"


def us_cell(measured) -> str:
    """Median µs."""
    return number(measured["us_per_step"]["median"])


def ratio_cell(measured) -> str:
    """Median ratio, and its quartiles."""
    if "ratio" not in measured:
        return "–"
    ratio = measured["ratio"]
    return f"{ratio['median']:.2f} ({ratio['low']:.2f}–{ratio['high']:.2f})"


def picture(results: dict):
    """Draw each peer's time as a multiple of nnlib's, one panel per workload.

    Returns
    -------
    matplotlib.figure.Figure
        Dots are medians of the paired ratios, bars their quartiles; left of the line is faster than nnlib.
    """
    import matplotlib.pyplot as plt

    names = [n for n in WORKLOADS if n in results["workloads"]]
    columns = min(2, len(names))
    lines = -(-len(names) // columns)
    keys = [k for k in PEERS if any(k in results["workloads"][n] for n in names)]
    figure = plt.figure(figsize=(2.7 * columns + 1.8, 2.6 * lines), layout="constrained", facecolor="white")
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False).ravel()
    for name, panel in zip(names, panels, strict=False):
        rows = results["workloads"][name]
        for y, key in enumerate(keys):
            if key not in rows or "ratio" not in rows[key]:
                panel.text(1.1, y, "–", va="center", color="#777777")
                continue
            ratio, own = rows[key]["ratio"], key == "nnlib"
            colour = "#D55E00" if own else "#0072B2" if key not in ("floor", "numpy") else "#009E73"
            panel.plot([ratio["low"], ratio["high"]], [y, y], color=colour, lw=2, alpha=0.6)
            panel.plot(ratio["median"], y, "D" if own else "o", color=colour, ms=6)
            if not own:
                panel.annotate(
                    f"{ratio['median']:.1f}",
                    (ratio["median"], y),
                    (0, 5),
                    textcoords="offset points",
                    ha="center",
                    fontsize=7,
                    color="#777777",
                )
        us = rows["nnlib"]["us_per_step"]["median"] if "nnlib" in rows else None
        panel.set_title(name if us is None else f"{name}: nnlib {number(us)} µs", fontsize=9)
        panel.axvline(1, color="#D55E00", lw=0.8)
        panel.set_xscale("log")
        panel.set_xlim(0.08, 60)
        panel.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
        panel.grid(axis="x", which="major", alpha=0.3)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    for panel in panels[::columns]:
        panel.set_yticks(range(len(keys)), [PEERS[k].title for k in keys], fontsize=8)
        panel.set_ylim(len(keys) - 0.5, -0.7)
    figure.supxlabel(
        "time per training step, as a multiple of nnlib's (log scale; right of the line: slower)", fontsize=9
    )
    return figure


def write(results: dict, folder: Path) -> None:
    """Write benchmarks.md and benchmarks.svg into `folder`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.md").write_text(markdown(results), encoding="utf-8")
    # No date in the picture's metadata: the same results give the same file.
    picture(results).savefig(folder / "benchmarks.svg", metadata={"Date": None})


if __name__ == "__main__":
    write(read(), Path(sys.argv[1]))


# --- the built pages (benchmarks/page.py) --------------------------------------------------------------------------


def read_page(path: Path = PAGE_RESULTS) -> dict:
    """Return the recorded figures of the built pages."""
    return json.loads(path.read_text(encoding="utf-8"))


def page_markdown(results):
    """Return a table of the pages: weights in KB, times in ms, at the processor's speed and slowed four times."""
    lines = [
        "| page | own KB | all KB | text | sliders | key | jumps | text ÷4 | sliders ÷4 | key ÷4 |",
        "|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in results["pages"].items():
        fast, slow = row["slowed_1"], row["slowed_4"]

        def shown(found, key):
            return f"{found[key]:.0f}" if key in found else "–"

        times = [shown(fast, key) for key in ("text_ms", "slider_ms", "key_ms")]
        times += [f"{fast['shift']:.3f}", *(shown(slow, key) for key in ("text_ms", "slider_ms", "key_ms"))]
        weights = f"{row['own_bytes'] / 1e3:.0f} | {row['all_bytes'] / 1e3:.0f}"
        lines.append(f"| {name.rsplit('/', 1)[-1]} | {weights} | {' | '.join(times)} |")
    return "\n".join(lines)
