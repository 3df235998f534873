"""`python -m benchmarks.page`: how fast the built pages are in Chromium, as files, on a fast and on a slow processor.

Of each page it takes: when its text is painted, when its first slider answers, how far things jump while it loads, and
the time from a key press on a slider to the painted picture. A processor slowed four times stands for a cheap phone.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from pathlib import Path

from .report import PAGE_RESULTS, page_markdown

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from site_checks import LIGHT, SITE, Watched, find_browser, pages, weigh

SLOWED = (1, 4)
SAMPLE = 5  # every fifth page, in their order: all share their scripts and style, and each takes half a minute
KEYS = 12  # key presses of a slider, there and back
SLIDERS = 3  # the first ones of a page are enough: they share one script

# Moves the first slider as soon as it is there, as an impatient reader does, and notes when the picture has followed.
WATCH = """
window.shift = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: 'layout-shift', buffered: true});
window.usable = new Promise(done => {
  const attempt = () => {
    const root = [...document.querySelectorAll('figure.explore')].find(e => e.querySelector('input[type=range]'));
    if (!root?.querySelector('script')) return setTimeout(attempt, 2);
    const slider = root.querySelector('input[type=range]');
    const said = () => root.querySelector('.explore-value').textContent;
    const before = said();
    slider.value = Number(slider.value) + (slider.value < slider.max ? 1 : -1);
    slider.dispatchEvent(new Event('input', {bubbles: true}));
    if (said() === before) return setTimeout(attempt, 2);
    done(performance.now());
  };
  attempt();
});
"""

PAINTED = """() => new Promise(done => {
  const found = () => performance.getEntriesByName('first-contentful-paint')[0];
  const look = () => found() ? done(found().startTime) : setTimeout(look, 5);
  look();
})"""

# From the key press to the frame that shows the new picture: animation callbacks run right before it is painted, and a
# message posted by one arrives right after.
KEY = """slider => {
  window.answers = [];
  slider.addEventListener('keydown', event => {
    const root = slider.closest('figure.explore');
    const image = [...root.querySelectorAll('img')].find(image => image.checkVisibility());
    const before = image.getAttribute('src');
    const look = () => {
      if (image.getAttribute('src') === before || !image.complete) return requestAnimationFrame(look);
      const after = new MessageChannel();
      after.port1.onmessage = () => window.answers.push(performance.now() - event.timeStamp);
      after.port2.postMessage(0);
    };
    queueMicrotask(() => requestAnimationFrame(look));
  });
}"""


def measure(browser, path, slowed, press):
    """Return the figures of one page; press keys only if asked to, since that takes longer than all the rest."""
    context = browser.new_context(offline=True, **LIGHT)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    page.add_init_script(WATCH)
    page.goto(path.as_uri(), wait_until="load")
    found = {"text_ms": page.evaluate(PAINTED)}
    if page.locator("figure.explore input[type=range]").count():
        # answering before anything is painted is of no use
        found["slider_ms"] = max(page.evaluate("window.usable"), found["text_ms"])
    found["shift"] = page.evaluate("window.shift")
    if press and "slider_ms" in found:
        found["key_ms"] = keys(page)
    context.close()
    return found


def keys(page):
    """Press arrow keys on the first sliders of a page that can be seen; return every time from key to picture."""
    times = []
    sliders = page.locator("figure.explore:has(.explore-picture img) input[type=range]").locator("visible=true")
    for slider in sliders.all()[:SLIDERS]:
        slider.scroll_into_view_if_needed()
        slider.press("Home")
        page.wait_for_timeout(300)
        slider.evaluate(KEY)
        last = int(slider.get_attribute("max"))
        there = min(last, KEYS // 2)
        for key in ["ArrowRight"] * there + ["ArrowLeft"] * there:
            slider.press(key)
            page.wait_for_timeout(120)
        times += page.evaluate("window.answers")
    return times


def run(paths, rounds):
    """Measure these pages several times and return the medians."""
    from playwright.sync_api import sync_playwright

    rows = {}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        for path in paths:
            name = path.relative_to(SITE).with_suffix("").as_posix()
            with Watched(browser, path) as opened:
                own, everything = weigh(opened)
            rows[name] = {"own_bytes": own, "all_bytes": everything}
            for slowed in SLOWED:
                taken = [measure(browser, path, slowed, press=turn == 0) for turn in range(rounds)]
                pressed = [time for each in taken for time in each.pop("key_ms", [])]
                medians = {key: statistics.median(each[key] for each in taken) for key in taken[0]}
                if pressed:
                    medians |= {"key_ms": statistics.median(pressed), "keys": len(pressed)}
                rows[name][f"slowed_{slowed}"] = {key: round(value, 3) for key, value in medians.items()}
            print(name, rows[name], flush=True)
        version = browser.version
        browser.close()
    return {
        "date": time.strftime("%Y-%m-%d"),
        "browser": f"Chromium {version}",
        "machine": f"{platform.machine()}, {platform.system()}",
        "rounds": rounds,
        "pages": rows,
    }


def main() -> None:
    """Parse the command line, measure, print, and write benchmarks/page.json where no pages were named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of pages (default: every fifth page)")
    parser.add_argument("--rounds", type=int, default=3, help="how often each page is opened (default 3)")
    arguments = parser.parse_args()
    paths = [path.resolve() for path in pages() if path != SITE / "index.html"]
    if arguments.names:
        paths = [path for path in paths if any(name in path.name for name in arguments.names)]
        if not paths:
            parser.error(f"no page has a name with {' or '.join(arguments.names)} in it")
    else:
        paths = paths[::SAMPLE]
    results = run(paths, arguments.rounds)
    print("\n" + page_markdown(results))
    if not arguments.names:
        PAGE_RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
