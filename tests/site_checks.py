"""Checks of a page in a real browser: each returns the list of what is wrong, empty if nothing is."""

import functools
import gzip
import io
import os
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"

LIGHT = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
DARK = {**LIGHT, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

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


def find(variable, names, applications=()):
    """Return the path of a program: as the environment names it, by the first of its names that is there, or None."""
    named = os.environ.get(variable)
    if named:
        return shutil.which(named)
    found = (shutil.which(name) for name in names)
    return next(filter(None, found), None) or next((app for app in applications if Path(app).exists()), None)


def find_browser():
    """Return the path of a Chromium or Chrome on this machine, or None."""
    return find("CHROMIUM", BROWSERS, APPLICATIONS)


def missing(reason):
    """Skip a test for want of a program, but never in CI."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def pages():
    """List the pages of the built site; that for wrong addresses has no place of its own, hence no links to files."""
    all_pages = (page for page in SITE.rglob("*.html") if "_static" not in page.relative_to(SITE).parts)
    return sorted(page for page in all_pages if page != SITE / "404.html")


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


# the theme and the size of letters when there is something to paint, and how far things jump after that
WATCH = """
window.shift = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({type: 'layout-shift', buffered: true});
window.look = () => JSON.stringify([
  document.documentElement.dataset.theme, getComputedStyle(document.documentElement).fontSize,
  getComputedStyle(document.body).backgroundColor]);
new MutationObserver((_, watcher) => {
  if (document.body) { window.firstLook = window.look(); watcher.disconnect(); }
}).observe(document, {childList: true, subtree: true});
"""


class Watched:
    """A page opened as a file with the network cut; `faults` holds what the browser complained about.

    It has a browser context of its own, or is opened in one that is kept, and then forgets what it has stored there.
    """

    def __init__(self, browser, path, settings=LIGHT, query="", context=None):
        self.faults, self.loaded, self.is_kept = [], set(), context is not None
        self.context = context or browser.new_context(offline=True, **settings)
        self.page = self.context.new_page()
        self.page.add_init_script(WATCH)
        self.page.set_default_timeout(10_000)
        self.page.on("request", self._request)
        self.page.on("requestfailed", lambda request: self.faults.append(f"could not load {request.url[:120]}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"error on the page: {error}"))
        self.page.on("console", self._console)
        self.page.goto(Path(path).resolve().as_uri() + query, wait_until="load")
        self.page.evaluate(READY)

    def _request(self, request):
        self.loaded.add(request.url.split("?")[0].split("#")[0])
        if not request.url.startswith(LOCAL):
            self.faults.append(f"request leaves the machine: {request.url[:120]}")

    def _console(self, message):
        if message.type == "error":
            self.faults.append(f"error in the console: {message.text[:300]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.is_kept:
            self.page.evaluate("localStorage.clear()")
            self.page.close()
        else:
            self.context.close()


# Resolves when every picture in sight is there (or after a few seconds, for checks to complain).
READY = """async () => {
  for (let frame = 0; frame < 300; frame++) {
    if (![...document.images].some(image => image.loading !== 'lazy' && !image.complete)) break;
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
  const drawn = formula.querySelector('.katex-html'), heard = formula.querySelector('math');
  if (!drawn || !heard) return ['formula not typeset: ' + formula.textContent.slice(0, 60)];
  if (formula.querySelector('.katex-error, merror')) return ['formula with an error: ' + formula.textContent];
  if (!formula.checkVisibility()) return [];
  if (drawn.getBoundingClientRect().width === 0) return ['formula without size: ' + formula.textContent];
  const fonts = [...drawn.querySelectorAll('*')].map(part => getComputedStyle(part).fontFamily.split(',')[0]);
  const there = [...document.fonts].map(face => face.family.replaceAll('"', ''));
  const missing = fonts.filter(font => font.startsWith('KaTeX') && !there.includes(font));
  return missing.map(font => `formula without its font ${font}: ` + formula.textContent);
})"""


def formula_faults(page):
    """List formulas that are still TeX, that a screen reader could not read, or whose fonts the page does not have."""
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


# What is put aside, and put back after, for it makes four fifths of a page and takes as much of the time:
# - what is drawn of formulas: hidden from screen readers, in the colour of the text around it, and what is heard;
# - of the words of a program all but the first of each kind, by which they are coloured;
# - the table of contents beside the page, which is the same on all pages, but for where one stands.
RUN_AXE = """async rules => {
  const kinds = new Set();
  const isNew = item => item.nodeType !== 1 || (!kinds.has(item.className) && kinds.add(item.className));
  const kept = [
    ['.katex-html', () => false],
    ['.katex-mathml math', () => false],
    ['.highlight pre', isNew],
    ['.bd-links ul', item => item.matches?.('.current, .active')],
  ].flatMap(([where, keep]) => [...document.querySelectorAll(where)].map(e => [e, [...e.childNodes], keep]));
  for (const [element, parts, keep] of kept) element.replaceChildren(...parts.filter(keep));
  const options = {runOnly: rules, preload: false, resultTypes: ['violations']};
  const found = await axe.run({exclude: ['.katex-html']}, options);
  for (const [element, parts] of kept) element.replaceChildren(...parts);
  return found.violations;
}"""


def axe_faults(page, rules=("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")):
    """List what axe-core finds against the Web Content Accessibility Guidelines, level AA."""
    lay_out(page)
    page.add_script_tag(path=AXE)
    found = page.evaluate(RUN_AXE, list(rules))
    return [
        f"{violation['id']} ({len(violation['nodes'])}×): {violation['help']}, as in {node['html'][:150]}"
        for violation in found
        for node in violation["nodes"][:1]
    ]


# --- figures that move ------------------------------------------------------------------------------------------

FIGURES = "figure.explore"
CONTROLS = ":is(input, select, button, textarea, [contenteditable=true], [tabindex='0'])"

# What a figure shows: the picture of the theme, once it is there, or html; the words of its picture; and the number of
# its state, by the positions of its controls.
SHOWN = """async root => {
  const box = root.querySelector('.explore-picture');
  const listed = JSON.parse(root.querySelector('script').textContent);
  const at = [...root.querySelectorAll('[data-key]')].map(control => {
    const choice = control.querySelector('input[type=range], input:checked, select');
    return Number(choice.value);
  });
  let state = 0;
  listed.texts.forEach((texts, i) => { state = state * texts.length + at[i]; });
  const look = listed.looks[listed.shown[state]];
  const image = () => [...box.querySelectorAll('img')].find(image => image.checkVisibility());
  const wanted = document.documentElement.dataset.theme === 'dark' ? look.dark : look.light;
  const right = () => 'html' in look ? box.innerHTML === look.html
    : image() && image().getAttribute('src') !== null && image().complete && image().naturalWidth > 0
      && image().src === new URL(wanted, location.href).href;
  for (let frame = 0; frame < 200 && !right(); frame++) await new Promise(requestAnimationFrame);
  const slider = root.querySelector('input[type=range]:focus');
  const value = slider?.getAttribute('aria-valuetext') ?? null, position = slider && Number(slider.value);
  return {right: Boolean(right()), alt: image()?.alt ?? null, words: listed.alts[state], state, value, position};
}"""


def explorer_faults(page):
    """Move each control of each figure by keyboard through all its positions; list where the wrong picture is shown."""
    faults = []
    for number, root in enumerate(page.locator(FIGURES).all(), start=1):
        if not root.is_visible():
            # in a folded part: open what folds it
            root.evaluate("e => { for (let d = e; (d = d.parentElement.closest('details')); ) d.open = true }")
        root.scroll_into_view_if_needed()
        faults += [f"figure {number}: {fault}" for fault in [*_unreached(page, root), *_unmoved(root)]]
    return faults


def _unreached(page, root):
    """Walk through a figure with the Tab key; list controls that were not met."""
    root.evaluate(
        """root => {
          const start = document.createElement('span');
          start.tabIndex = 0;
          root.before(start);
          start.focus();
          root.met = new Set();
        }"""
    )
    # of a group of radio buttons, Tab reaches the one that is chosen
    reachable = f"{CONTROLS}:not(input[type=radio]:not(:checked))"
    wanted = len(_visible(root, reachable))
    met = 0
    for _ in range(wanted + 1):
        page.keyboard.press("Tab")
        inside = root.evaluate(
            "root => root.contains(document.activeElement) && root.met.add(document.activeElement).size"
        )
        if not inside:
            break
        met = inside
        if not page.evaluate(OUTLINED):
            return ["a control shows no focus"]
    return [] if met == wanted else [f"Tab reaches {met} of its {wanted} controls"]


# an unseen radio button shows its focus on the text beside it
OUTLINED = """(e => {
  const seen = getComputedStyle(e).opacity === '0' ? e.nextElementSibling : e;
  return getComputedStyle(seen).outlineStyle !== 'none';
})(document.activeElement)"""


def _unmoved(root):
    faults, known = [], 0
    for slider in _visible(root, "input[type=range]"):
        faults += _slider_faults(root, slider)
        known += 1
    if faults:  # to wait for pictures that do not come takes seconds each
        return faults
    for group in _visible(root, "fieldset"):
        buttons = _visible(group, "input[type=radio]")
        _checked(root, "start", faults)
        for button in [*buttons[1:], buttons[0]]:
            root.page.keyboard.press("Tab")
            group.locator("input:checked").focus()
            root.page.keyboard.press("ArrowRight")
            _checked(root, f"choice {button.get_attribute('value')}", faults)
        known += len(buttons)
    for select in _visible(root, "select"):
        count = select.evaluate("e => e.options.length")
        steps = ["ArrowDown"] * (count - 1 - select.evaluate("e => e.selectedIndex")) + ["ArrowUp"] * (count - 1)
        for key in steps:
            select.press(key)
            _checked(root, "menu", faults)
        known += 1
    for player in _visible(root, "button.explore-play"):
        faults += _play_faults(root, player)
        known += 1
    known += len(_visible(root, "button.explore-copy, [tabindex='0']"))
    total = len(_visible(root, CONTROLS))
    return faults + ([] if known == total else [f"{total} controls, of which this test knows how to move {known}"])


def _visible(root, selector):
    return [found for found in root.locator(selector).all() if found.is_visible()]


def _checked(root, what, faults):
    """Add what is wrong with the state that a figure is in, and return it."""
    shown = root.evaluate(SHOWN)
    if not shown["right"]:
        faults.append(f"{what}: the picture of state {shown['state']} is not shown")
    elif shown["alt"] is not None and shown["alt"] != shown["words"]:
        faults.append(f"{what}: state {shown['state']} is described as {shown['alt']!r}")
    return shown


def _slider_faults(root, slider):
    name = slider.evaluate("e => e.labels[0]?.textContent") or "without a name"
    last = int(slider.get_attribute("max"))
    slider.focus()
    faults, said = [], set()
    # one script moves all sliders, and the book's build checks every state: a sample, unless every page is asked for
    walked = range(last + 1) if last < 5 or os.environ.get("EVERY_PAGE") else (0, 1, 2, 3, last)
    for position in walked:
        key = "Home" if position == 0 else "End" if position > 3 and position == last else "ArrowRight"
        root.page.keyboard.press(key)
        shown = _checked(root, f"slider {name} at position {position}", faults)
        said.add(shown["value"])
        if shown["position"] != position:
            faults.append(f"slider {name}: a key leads to position {shown['position']}, not {position}")
        if faults:
            return faults
    if len(said) != len(walked):
        faults.append(f"slider {name}: says {len(said)} values for {len(walked)} positions")
    return faults


# which states a figure has been through is kept by the page: a busy driver would miss some
NOTED = """root => {
  root.been = new Set();
  const values = () => [...root.querySelectorAll('input[type=range], input:checked, select')].map(e => e.value);
  root.addEventListener('input', () => root.been.add(values().join()));
}"""


def _play_faults(root, player):
    """Press play and see the state change twice by itself; pause."""
    root.evaluate(NOTED)
    player.press("Enter")
    for _ in range(200):
        been = root.evaluate("root => root.been.size")
        if been > 1:
            break
        root.page.wait_for_timeout(50)
    faults = [] if been > 1 else [f"play: {been} new pictures"]
    if player.get_attribute("aria-label").startswith("Pause"):
        player.press("Enter")
    _checked(root, "play", faults)
    return faults


# --- small screens ----------------------------------------------------------------------------------------------

TRACK = 160  # CSS pixels: a slider's shortest track
LETTER = 9  # CSS pixels: the smallest letters of a figure

SMALL = """([track, letter]) => [
  ...[...document.querySelectorAll('input[type=range]')].filter(e => e.checkVisibility())
    .filter(e => e.getBoundingClientRect().width < track)
    .map(e => `a track of ${Math.round(e.getBoundingClientRect().width)} pixels: ${e.labels[0]?.textContent}`),
  ...[...document.querySelectorAll('.explore-picture img')].filter(e => e.checkVisibility()).flatMap(e => {
    const shown = e.getBoundingClientRect().width;
    const least = parseFloat(getComputedStyle(e).getPropertyValue('--least-width'));
    if (!(least >= 0)) return ['a figure that does not say how small its letters are'];
    return shown + 1 < least ? [`letters of ${(letter * shown / least).toFixed(1)} pixels: ${e.alt.slice(0, 60)}`] : [];
  }),
]"""


def small_faults(page):
    """List sliders too short to aim at, and figures whose letters are too small to read."""
    return page.evaluate(SMALL, [TRACK, LETTER])


# --- weight, and what moves while a page loads ---------------------------------------------------------------------

OWN = 200_000  # bytes of a page's HTML with our own scripts and styles, compressed
ALL = 1_000_000  # bytes of everything that reading a page loads, text compressed
ALL_OF_SEARCH = 1_500_000  # the page of the search has the text of all others, to find words without a server
OWN_FILES = ("course.css", "course.js", "exercises.js", "explore.js", "katex.css")


def weights(page, loaded):
    """Return the bytes of (our own HTML, scripts and styles; all that was loaded) of a page, text compressed."""
    own = everything = 0
    for file in {page, *loaded}:
        data = file.read_bytes()
        size = len(data) if file.suffix in (".webp", ".png", ".jpg", ".woff2") else len(gzip.compress(data))
        everything += size
        own += size if file == page or file.name in OWN_FILES else 0
    return own, everything


# from top to bottom, a part of the page at a time, which may grow under way
READ = """async () => {
  for (let top = 0; top < document.documentElement.scrollHeight; top += 600) {
    scrollTo(0, top);
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
  }
}"""


def weigh(watched):
    """Read a page just opened to its end without touching anything; return what `weights` says of all it has loaded."""
    watched.page.evaluate(READ)
    watched.page.evaluate(READY)
    files = {Path(unquote(urlsplit(url).path)) for url in watched.loaded if url.startswith("file:")}
    return weights(Path(unquote(urlsplit(watched.page.url).path)), {file for file in files if file.is_file()})


def weight_faults(watched, own_limit=OWN, limit=ALL):
    """Say if a page just opened weighs too much."""
    own, everything = weigh(watched)
    faults = [f"HTML, scripts and styles of our own take {own:,} bytes"] if own > own_limit else []
    return faults + ([f"reading the page loads {everything:,} bytes"] if everything > limit else [])


SHIFT = 0.05  # the sum of layout shifts, as Chromium counts them


def jump_faults(page):
    """List what has changed since the first paint of a page just opened: theme, ground, size of letters, and places."""
    page.wait_for_timeout(300)  # whatever scripts still do
    first, last, shift = page.evaluate("[window.firstLook, window.look(), window.shift]")
    faults = [f"painted first as {first}, then as {last}"] if first != last else []
    return faults + ([f"things shift by {shift:.2f}"] if shift > SHIFT else [])


def lay_out(page):
    """Lay out all sections, also those out of sight: the browser says of others that they stand elsewhere."""
    page.add_style_tag(content=".bd-article section > section { content-visibility: visible !important }")


def ground_faults(page):
    """List figures that do not stand on the ground of the page, by their pixels."""
    from PIL import Image

    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
    faults = []
    lay_out(page)  # sections that are laid out only now would move the figure away from under the camera
    tallest = page.evaluate("Math.max(0, ...[...document.images].map(image => image.offsetHeight))")
    if tallest > page.viewport_size["height"] - 200:  # the camera would enlarge the window, which moves the figure, too
        page.set_viewport_size({**page.viewport_size, "height": tallest + 200})
    for box in page.locator(".explore-picture > img").all():
        if not box.is_visible():
            continue
        box.scroll_into_view_if_needed()
        box.evaluate("image => image.decode().then(() => new Promise(requestAnimationFrame))")
        shown = Image.open(io.BytesIO(box.screenshot())).convert("RGB")
        edge = {shown.getpixel((x, y)) for x in (2, shown.width - 3) for y in (2, shown.height - 3)}
        # the browser scales the picture, and may round a colour by one
        if any(abs(a - b) > 1 for pixel in edge for a, b in zip(pixel, ground, strict=True)):
            faults.append(f"a figure on {sorted(edge)}, on a page of {ground}")
    return faults
