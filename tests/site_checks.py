"""Checks of a page in a real browser: each returns the list of what is wrong, empty if nothing is."""

import functools
import os
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

LIGHT = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
DARK = {**LIGHT, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True, "is_mobile": True}

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"]
APPLICATIONS = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
]
NO_BROWSER = (
    "no Chromium or Chrome found, so the built pages are not tested. "
    "Install one (Debian: apt install chromium; macOS: brew install --cask chromium) or name it in CHROMIUM=/path"
)
LOCAL = ("file:", "data:", "blob:", "about:")


def find_browser():
    """Return the path of a Chromium or Chrome on this machine, or None."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    found = (shutil.which(name) for name in BROWSERS)
    return next(filter(None, found), None) or next((app for app in APPLICATIONS if Path(app).exists()), None)


def pages():
    """List the pages of the built site."""
    return sorted(page for page in SITE.rglob("*.html") if "_static" not in page.relative_to(SITE).parts)


# --- without a browser ----------------------------------------------------------------------------------------


class Links(HTMLParser):
    """Collects what a page loads, where it links to, and the anchors that it has."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.anchors = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes.get("id"), attributes.get("name") if tag == "a" else None}
        if tag == "a":
            self.links.append(attributes.get("href") or "")
        else:
            self.loads += filter(None, [attributes.get("src"), attributes.get("href"), attributes.get("data")])


@functools.cache
def links_of(page):
    """Read a page once, however many links lead to it."""
    return Links(page.read_text(encoding="utf-8"))


def link_faults(page, site=SITE):
    """List what a page loads from elsewhere, and its links into the site that lead nowhere."""
    read = links_of(page)
    faults = [f"loads {url[:80]}" for url in read.loads if urlsplit(url).scheme not in ("", "data") or url[:2] == "//"]
    for url in read.links:
        if urlsplit(url).scheme or url.startswith("//"):
            continue
        address, anchor = urldefrag(url)
        target = (page.parent / unquote(urlsplit(address).path)).resolve() if address else page
        if not target.is_file() or not target.is_relative_to(site.resolve()):
            faults.append(f"links to {url}, which does not exist")
        elif anchor and unquote(anchor) not in links_of(target).anchors:
            faults.append(f"links to {url}, which has no such place")
    return faults


# --- with a browser -------------------------------------------------------------------------------------------


class Watched:
    """A page opened as a file with the network cut; `faults` holds what the browser complained about."""

    def __init__(self, browser, path, settings=LIGHT):
        self.faults = []
        self.context = browser.new_context(offline=True, **settings)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("request", self._request)
        self.page.on("requestfailed", lambda request: self.faults.append(f"could not load {request.url[:120]}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"error on the page: {error}"))
        self.page.on("console", self._console)
        self.page.goto(Path(path).resolve().as_uri(), wait_until="load")
        self.page.evaluate(READY)

    def _request(self, request):
        if not request.url.startswith(LOCAL):
            self.faults.append(f"request leaves the machine: {request.url[:120]}")

    def _console(self, message):
        if message.type == "error":
            self.faults.append(f"error in the console: {message.text[:300]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()


# Resolves when the formulas are typeset and every widget is drawn (or after a few seconds, for checks to complain).
READY = """async () => {
  await (window.MathJax?.startup?.promise ?? null);
  const views = document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]').length;
  for (let frame = 0; frame < 300; frame++) {
    const drawn = document.querySelectorAll('.widget-subarea > .jupyter-widgets').length;
    const loading = [...document.images].some(image => image.loading !== 'lazy' && !image.complete);
    if (drawn >= views && !loading) break;
    await new Promise(requestAnimationFrame);
  }
  await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
}"""

# An alt text that is the image's file name is what Sphinx writes where there is none.
IMAGES = """() => [...document.querySelectorAll('img')]
  .filter(image => image.checkVisibility({visibilityProperty: true}))
  .filter(image => !/[a-z]{2}/i.test(image.alt) || /\\.(png|svg|jpe?g|gif|webp)$/i.test(image.alt))
  .map(image => 'image without alt text: ' + (image.alt || image.src.slice(0, 60)))"""


def image_faults(page):
    """List visible images that say nothing to those who cannot see them."""
    return page.evaluate(IMAGES)


FORMULAS = """() => [...document.querySelectorAll('.math')].flatMap(formula => {
  const drawn = formula.querySelector('mjx-container > svg');
  if (!drawn) return ['formula not typeset: ' + formula.textContent.slice(0, 60)];
  const error = formula.querySelector('[data-mjx-error]');
  if (error) return ['formula with an error: ' + error.getAttribute('data-mjx-error')];
  const hidden = !formula.checkVisibility();
  return hidden || drawn.getBoundingClientRect().width > 0 ? [] : ['formula without size: ' + formula.textContent];
})"""


def formula_faults(page):
    """List formulas that MathJax did not typeset."""
    return page.evaluate(FORMULAS)


OVERFLOW = """() => {
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room + 1) return [];
  const wide = [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > room + 1);
  return ['wider than the screen: ' + wide.slice(0, 3).map(e => `<${e.localName} class="${e.className}">`).join(', ')];
}"""


def overflow_faults(page):
    """Say what makes a page scroll sideways."""
    return page.evaluate(OVERFLOW)


def theme_faults(page, theme):
    """Say if the page is not shown in the theme that the reader's system asks for."""
    shown = page.evaluate("document.documentElement.dataset.theme")
    brightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    is_dark = sum(brightness) < 3 * 128
    return [] if shown == theme and is_dark == (theme == "dark") else [f"{theme} asked for, {shown} shown"]


NAMED_ROLES = {"slider", "spinbutton", "button", "combobox", "listbox", "textbox", "searchbox", "checkbox", "radio",
               "switch", "tab", "menuitem", "link"}  # fmt: skip


def name_faults(page):
    """List controls that have no accessible name in the browser's own accessibility tree."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    faults = []
    for node in nodes:
        role = node.get("role", {}).get("value")
        name = node.get("name", {}).get("value", "").strip()
        if not node["ignored"] and role in NAMED_ROLES and name in ("", "null"):
            faults.append(f"{role} without an accessible name")
    return faults


def axe_faults(page, rules=("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")):
    """List what axe-core finds against the Web Content Accessibility Guidelines, level AA."""
    page.add_script_tag(path=AXE)
    found = page.evaluate(
        "rules => axe.run({runOnly: rules, preload: false}).then(found => found.violations)", list(rules)
    )
    return [
        f"{violation['id']} ({len(violation['nodes'])}×): {violation['help']}, as in {node['html'][:150]}"
        for violation in found
        for node in violation["nodes"][:1]
    ]


# --- widgets --------------------------------------------------------------------------------------------------

ROOTS = ".widget-subarea > .jupyter-widgets"
VIEWS = 'script[type="application/vnd.jupyter.widget-view+json"]'

# what a widget shows, apart from its controls
PICTURE = """root => [...root.querySelectorAll('.widget-html-content, .widget-image, .widget-output')]
  .filter(shown => shown.checkVisibility()).map(shown => shown.src || shown.innerHTML).join('|')"""

CHANGED = f"""async ([root, before]) => {{
  const picture = {PICTURE};
  const end = performance.now() + 2000;
  while (picture(root) === before && performance.now() < end) await new Promise(requestAnimationFrame);
  return picture(root);
}}"""

CONTROLS = ":is([role=slider], select, button, input, textarea, [contenteditable=true], [tabindex='0'])"


def widget_faults(page):
    """Move each control of each widget by keyboard through all its positions; list where nothing moves."""
    roots, views = page.locator(ROOTS).all(), page.locator(VIEWS).count()
    if len(roots) != views:
        return [f"{views} widgets in the page, {len(roots)} drawn"]
    faults = []
    for number, root in enumerate(roots, start=1):
        if not root.is_visible():
            # in a folded part: open what folds it
            root.evaluate("e => { for (let d = e; (d = d.parentElement.closest('details')); ) d.open = true }")
        faults += [f"widget {number}: {fault}" for fault in [*_unreached(page, root), *_unmoved(root)]]
    return faults


def _unreached(page, root):
    """Walk through a widget with the Tab key; list controls that were not met."""
    root.evaluate(
        """root => {
          const start = document.createElement('span');
          start.tabIndex = 0;
          root.before(start);
          start.focus();
          root.met = new Set();
        }"""
    )
    wanted = len(_visible(root, CONTROLS))
    met = 0
    for _ in range(wanted + 1):
        page.keyboard.press("Tab")
        inside = root.evaluate(
            "root => root.contains(document.activeElement) && root.met.add(document.activeElement).size"
        )
        if not inside:
            break
        met = inside
    return [] if met == wanted else [f"Tab reaches {met} of its {wanted} controls"]


def _unmoved(root):
    faults, known = [], 0
    for slider in _visible(root, "[role=slider]"):
        faults += _slider_faults(root, slider)
        known += 1
    for group in _visible(root, ".widget-toggle-buttons"):
        buttons = _visible(group, "button")
        # the first one last: it is the one that is pressed at the start, as a rule
        for button in [*buttons[1:], buttons[0]]:
            if button.get_attribute("aria-pressed") != "true":
                faults += _press(root, button, "Enter", f"button {button.text_content()}")
        known += len(buttons)
    for select in _visible(root, "select"):
        count = select.evaluate("e => e.options.length")
        steps = ["ArrowDown"] * (count - 1 - select.evaluate("e => e.selectedIndex")) + ["ArrowUp"] * (count - 1)
        for key in steps:
            faults += _press(root, select, key, "menu")
        known += 1
    for player in _visible(root, ".widget-play"):
        faults += _play_faults(root, player)
        known += len(_visible(player, "button"))
    known += len(_visible(root, "[role=region]"))  # a table that scrolls is to be reached, and not to be moved
    total = len(_visible(root, CONTROLS))
    return faults + ([] if known == total else [f"{total} controls, of which this test knows how to move {known}"])


def _visible(root, selector):
    return [found for found in root.locator(selector).all() if found.is_visible()]


def _slider_faults(root, slider):
    name = slider.get_attribute("aria-label") or "without a name"
    first, last = (round(float(slider.get_attribute(f"aria-value{end}"))) for end in ("min", "max"))
    if last <= first:
        return [f"slider {name}: has a single position"]
    slider.focus()
    slider.press("Home")
    root.page.wait_for_timeout(50)
    faults, said = [], {slider.get_attribute("aria-valuetext")}
    for position in range(first + 1, last + 1):
        faults += _press(root, slider, "ArrowRight", f"slider {name} at position {position}")
        at = round(float(slider.get_attribute("aria-valuenow")))
        if at != position:
            return [*faults, f"slider {name}: an arrow key leads to position {at}, not {position}"]
        root.page.evaluate("() => new Promise(requestAnimationFrame)")
        said.add(slider.get_attribute("aria-valuetext"))
    if len(said) != last - first + 1:
        faults.append(f"slider {name}: says {len(said)} values for {last - first + 1} positions")
    return faults


def _press(root, control, key, what):
    before = root.evaluate(PICTURE)
    control.focus()
    control.press(key)
    after = root.page.evaluate(CHANGED, [root.element_handle(), before])
    return [*([f"{what}: the picture does not change"] if after == before else []), *image_faults(root.page)]


def _play_faults(root, player):
    """Press play and see the picture change twice by itself; pause, and go back to the start."""
    play, *others = _visible(player, "button")
    for slider in _visible(root, "[role=slider]")[:1]:
        slider.press("Home")
        root.page.wait_for_timeout(50)
    faults = _press(root, play, "Enter", "play")
    before = root.evaluate(PICTURE)
    if root.page.evaluate(CHANGED, [root.element_handle(), before]) == before:
        faults.append("play: stops after one picture")
    play.press("Enter")
    for other in others[:1]:
        faults += _press(root, other, "Enter", "back to the start")
    return faults
