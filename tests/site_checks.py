"""Checks of a page in a real browser: each returns the list of what is wrong, empty if nothing is."""

import base64
import contextlib
import functools
import gzip
import io
import itertools
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

    It has a browser context of its own, or is opened in the tab of one that is kept (a new tab costs as much as the
    page), and then forgets what it has stored there.
    """

    def __init__(self, browser, path, settings=LIGHT, query="", context=None):
        self.faults, self.loaded, self.asked, self.is_kept = [], set(), set(), context is not None
        self.context = context or watching(browser, settings)
        address = Path(path).resolve().as_uri() + query
        self.page = tab(self.context, address)
        self.size = self.page.viewport_size
        self.page.set_default_timeout(10_000)
        self.heard = {
            "request": self._request,
            "requestfailed": self._failed,
            "pageerror": lambda error: self.faults.append(f"error on the page: {error}"),
            "console": self._console,
        }
        for event, listener in self.heard.items():
            self.page.on(event, listener)
        try:
            self.page.goto(address, wait_until="load")
            self.page.evaluate(READY)
        except BaseException:  # a tab that has crashed shows no other page
            self.page.close()
            raise

    def _request(self, request):
        self.asked.add(request)
        self.loaded.add(request.url.split("?")[0].split("#")[0])
        if not request.url.startswith(LOCAL):
            self.faults.append(f"request leaves the machine: {request.url[:120]}")

    def _failed(self, request):
        if request in self.asked:  # what the page before was still loading is given up
            self.faults.append(f"could not load {request.url[:120]}")

    def _console(self, message):
        if message.type == "error":
            self.faults.append(f"error in the console: {message.text[:300]}")

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        if not self.is_kept:
            self.context.close()
        elif error:
            self.page.close()
        else:
            for event, listener in self.heard.items():
                self.page.remove_listener(event, listener)
            if self.page.viewport_size != self.size:
                self.page.set_viewport_size(self.size)
            leave(self.page)


def watching(browser, settings):
    """Return a new browser context whose pages watch what moves while they load."""
    context = browser.new_context(offline=True, **settings)
    context.add_init_script(WATCH)
    return context


def leave(page):
    """Make a tab forget what its page has stored; one that cannot is closed, and so is one of no use."""
    from playwright.sync_api import Error

    try:
        page.evaluate("localStorage.clear(); sessionStorage.clear()")
    except Error:
        page.close()


def tab(context, address):
    """Return a tab of a context in which to load an address: not one that shows it, and would stay as it is."""
    shown = [page for page in context.pages if page.url.split("#")[0] == address.split("#")[0]]
    free = next((page for page in context.pages if page not in shown), None) or context.new_page()
    for page in shown:
        page.close()
    return free


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


# What is put aside, and put back after, for it makes nine tenths of a page and takes as much of the time:
# - what is drawn of formulas: hidden from screen readers, in the colour of the text around it, and what is heard;
# - of the words of a program all but the first of each kind, by which they are coloured;
# - the table of contents beside the page, which is the same on all pages, but for where one stands;
# - of what is written on a page, what has nothing new: each of its elements is of a kind that is still there, by where
#   it stands, its name, whether it has words of its own, and its attributes, with their values where these are not
#   free. (With EVERY_PAGE this stays.) Names that are given twice would be overlooked, and are looked for before.
PUT_ASIDE = """all => {
  const ids = [...document.querySelectorAll('[id]')].map(e => e.id), given = new Set();
  const twice = ids.filter(id => given.size === given.add(id).size);
  const aside = [];
  const keep = (element, parts) => {
    aside.push([element, [...element.childNodes]]);
    element.replaceChildren(...parts);
  };
  window.putBack = () => {
    for (const [element, parts] of aside.reverse()) element.replaceChildren(...parts);
  };
  for (const e of document.querySelectorAll('.katex-html, .katex-mathml math')) keep(e, []);
  for (const e of document.querySelectorAll('.bd-links ul')) {
    keep(e, [...e.childNodes].filter(item => item.matches?.('.current, .active')));
  }
  const words = new Set();
  const isNew = item => item.nodeType !== 1 || words.size < words.add(item.className).size;
  for (const e of document.querySelectorAll('.highlight pre')) {
    keep(e, e.checkVisibility() ? [...e.childNodes].filter(isNew) : []);  // axe sees no colours in what is folded
  }
  if (all) return twice;

  const free = new Set(['id', 'href', 'src', 'srcset', 'alt', 'title', 'name', 'for', 'value', 'max', 'width', 'height',
    'aria-label', 'aria-labelledby', 'aria-describedby', 'aria-controls', 'aria-valuetext']);
  const kinds = new Map(), kindOf = new Map(), known = new Set();
  const sort = (e, above) => {
    let kind = above + e.localName + [...e.childNodes].some(node => node.nodeType === 3 && /\\S/.test(node.data));
    for (const {name, value} of e.attributes) {
      const any = free.has(name) && !e.matches('td, th') || name.startsWith('data-');
      kind += `\\n${name}=${any ? /\\S/.test(value) : value.replace(/tag_(claim|nbval)\\S*/g, '')}`;
    }
    if (!kinds.has(kind)) kinds.set(kind, kinds.size);
    kindOf.set(e, kinds.get(kind));
    for (const part of e.children) sort(part, kinds.get(kind));
  };
  const isKnown = e => known.has(kindOf.get(e)) && [...e.children].every(isKnown);
  const learn = e => {
    known.add(kindOf.get(e));
    [...e.children].forEach(learn);
  };
  // what is named by its parts, and what is nothing without them: rows and cells, terms and what they mean
  const whole = 'a, button, label, legend, summary, select, svg, form, [role], .explore';
  const together = 'dl, table, thead, tbody, tr, details, figure';
  const sift = e => {
    known.add(kindOf.get(e));
    const kept = [...e.childNodes].filter(part => {
      if (part.nodeType !== 1) return true;
      if (!part.matches('label, legend') && !e.matches(together) && isKnown(part)) return false;
      if (part.matches(whole)) learn(part);
      else sift(part);
      return true;
    });
    if (kept.length < e.childNodes.length) keep(e, kept);
  };
  for (const e of document.querySelectorAll('.bd-article')) {
    sort(e, -1);
    sift(e);
  }
  return twice;
}"""

RUN_AXE = """async rules => {
  const options = {runOnly: rules, preload: false, resultTypes: ['violations']};
  return (await axe.run({exclude: ['.katex-html']}, options)).violations;
}"""


def axe_faults(page, rules=("wcag2a", "wcag2aa", "wcag21a", "wcag21aa"), at_last=False):
    """List what axe-core finds against the Web Content Accessibility Guidelines, level AA, and controls without names.

    What is put aside for it comes back, if the page is not only looked at last: to lay it out again takes as long.
    """
    lay_out(page)
    page.add_script_tag(url=AXE.as_uri())  # by its address, so that the browser keeps what it has compiled
    twice = page.evaluate(PUT_ASIDE, bool(os.environ.get("EVERY_PAGE")))
    found = page.evaluate(RUN_AXE, list(rules))
    unnamed = name_faults(page)
    if not at_last:
        page.evaluate("putBack()")
    return [
        *(f"two elements are named {name}" for name in twice),
        *unnamed,
        *(
            f"{violation['id']} ({len(violation['nodes'])}×): {violation['help']}, as in {node['html'][:150]}"
            for violation in found
            for node in violation["nodes"][:1]
        ),
    ]


# --- figures that move ------------------------------------------------------------------------------------------

FIGURES = "figure.explore"
# as Playwright sees it: visible, and of some size
IN_SIGHT = "e => e.checkVisibility({visibilityProperty: true}) && e.getBoundingClientRect().width > 0"
CONTROLS = ":is(input, select, button, textarea, [contenteditable=true], [tabindex='0'])"

# What a figure shows: the picture of the theme, once it is there, or html; the words of its picture; and the number of
# its state, by the positions of its controls.
SHOWN = """async root => {
  const box = root.querySelector('.explore-picture');
  const listed = root.listed ??= JSON.parse(root.querySelector('script').textContent);
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


# Opens what folds a figure, goes to a place before it, and notes what the Tab key reaches, and whether that shows it
# (an unseen radio button on the text beside it). Of a group of radio buttons, Tab reaches the one that is chosen.
START = f"""root => {{
  for (let fold = root; (fold = fold.parentElement.closest('details')); ) fold.open = true;
  root.scrollIntoView({{block: 'center', behavior: 'instant'}});
  const start = document.createElement('span');
  start.tabIndex = 0;
  root.before(start);
  start.focus();
  root.met = [];
  document.addEventListener('focusin', ({{target}}) => {{
    const beside = getComputedStyle(target).opacity === '0' && target.nextElementSibling;
    const seen = getComputedStyle(beside || target).outlineStyle !== 'none';
    root.met.push([root.contains(target) ? target : null, seen]);
  }});
  return [...root.querySelectorAll("{CONTROLS}:not(input[type=radio]:not(:checked))")].filter({IN_SIGHT}).length;
}}"""

# how many controls were reached until the focus left the figure, and whether each showed it
REACHED = """root => {
  const end = root.met.findIndex(([control]) => !control);
  const inside = end < 0 ? root.met : root.met.slice(0, end);
  return [new Set(inside.map(([control]) => control)).size, inside.every(([, shown]) => shown)];
}"""


def explorer_faults(page):
    """Move each control of each figure by keyboard through all its positions; list where the wrong picture is shown."""
    faults = []
    for number, root in enumerate(page.query_selector_all(FIGURES), start=1):
        unreached = _unreached(page, root)
        faults += [f"figure {number}: {fault}" for fault in [*unreached, *_unmoved(page, root, number - 1)]]
    return faults


def _unreached(page, root):
    """Walk through a figure with the Tab key; list controls that were not met."""
    wanted = root.evaluate(START)
    for _ in range(wanted + 1):
        page.keyboard.press("Tab")
    met, outlined = root.evaluate(REACHED)
    if not outlined:
        return ["a control shows no focus"]
    return [] if met == wanted else [f"Tab reaches {met} of its {wanted} controls"]


def _unmoved(page, root, number):
    faults, known = [], 0
    for slider in _visible(root, "input[type=range]"):
        faults += _slider_faults(page, root, slider)
        known += 1
    if faults:  # to wait for pictures that do not come takes seconds each
        return faults
    for group in _visible(root, "fieldset"):
        buttons = _visible(group, "input[type=radio]")
        _checked(root, "start", faults)
        for place in [*range(1, len(buttons)), 0]:
            page.keyboard.press("Tab")
            group.evaluate("e => e.querySelector('input:checked').focus()")
            page.keyboard.press("ArrowRight")
            _checked(root, f"choice {place}", faults)
        known += len(buttons)
    for select in _visible(root, "select"):
        at, count = select.evaluate("e => [e.selectedIndex, e.options.length]")
        for key in ["ArrowDown"] * (count - 1 - at) + ["ArrowUp"] * (count - 1):
            select.press(key)
            _checked(root, "menu", faults)
        known += 1
    player = page.locator(FIGURES).nth(number).locator("button.explore-play")
    for place in range(root.evaluate(COUNT, "button.explore-play")):
        faults += _play_faults(page.locator(FIGURES).nth(number), player.nth(place))
        known += 1
    known += root.evaluate(COUNT, "button.explore-copy, [tabindex='0']")
    total = root.evaluate(COUNT, CONTROLS)
    return faults + ([] if known == total else [f"{total} controls, of which this test knows how to move {known}"])


COUNT = f"(root, selector) => [...root.querySelectorAll(selector)].filter({IN_SIGHT}).length"


def _visible(root, selector):
    return [found for found in root.query_selector_all(selector) if found.is_visible()]


def _checked(root, what, faults):
    """Add what is wrong with the state that a figure is in, and return it."""
    shown = root.evaluate(SHOWN)
    if not shown["right"]:
        faults.append(f"{what}: the picture of state {shown['state']} is not shown")
    elif shown["alt"] is not None and shown["alt"] != shown["words"]:
        faults.append(f"{what}: state {shown['state']} is described as {shown['alt']!r}")
    return shown


def _slider_faults(page, root, slider):
    name, last = slider.evaluate("e => { e.focus(); return [e.labels[0]?.textContent || 'without a name', +e.max]; }")
    faults, said = [], set()
    # one script moves all sliders, and the book's build checks every state: a sample, unless every page is asked for
    walked = range(last + 1) if last < 3 or os.environ.get("EVERY_PAGE") else (0, 1, last)
    for before, position in itertools.pairwise([0, *walked]):
        key = "Home" if position == 0 else "End" if position > before + 1 else "ArrowRight"
        page.keyboard.press(key)
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
    from playwright.sync_api import TimeoutError as TooLate

    root.evaluate(NOTED)
    player.press("Enter")
    with contextlib.suppress(TooLate):
        root.page.wait_for_function("root => root.been.size > 1", arg=root.element_handle(), timeout=8000)
    been = root.evaluate("root => root.been.size")
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

OWN = 200_000  # bytes of a page's HTML with our own scripts and its style sheet, compressed
ALL = 1_000_000  # bytes of everything that reading a page loads, text compressed
ALL_OF_SEARCH = 1_500_000  # the page of the search has the text of all others, to find words without a server
OWN_FILES = ("course.js", "exercises.js", "explore.js", "style.css")


@functools.cache
def _weight(file):
    data = file.read_bytes()
    return len(data) if file.suffix in (".webp", ".png", ".jpg", ".woff2") else len(gzip.compress(data))


def weights(page, loaded):
    """Return the bytes of (HTML, our own scripts, style sheet; all that was loaded) of a page, text compressed."""
    own = everything = 0
    for file in {page, *loaded}:
        size = _weight(file)
        everything += size
        own += size if file == page or file.name in OWN_FILES else 0
    return own, everything


# as for one who reads to the end: whatever is in sight somewhere on the page
READ = """() => {
  for (const image of document.images) if (image.checkVisibility()) image.loading = 'eager';
}"""


def weigh(watched):
    """Load all that reading a page just opened loads, touching nothing; return what `weights` says of it."""
    lay_out(watched.page)
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


# 300 ms after it was loaded, whatever scripts still do
SETTLED = """async () => {
  const [{loadEventEnd}] = performance.getEntriesByType('navigation');
  await new Promise(go => setTimeout(go, 300 - (performance.now() - loadEventEnd)));
  return [window.firstLook, window.look(), window.shift];
}"""


def jump_faults(page):
    """List what has changed since the first paint of a page just opened: theme, ground, size of letters, and places."""
    first, last, shift = page.evaluate(SETTLED)
    faults = [f"painted first as {first}, then as {last}"] if first != last else []
    return faults + ([f"things shift by {shift:.2f}"] if shift > SHIFT else [])


# once: a sheet that is new makes the browser style the whole page again
LAY_OUT = """() => {
  if (document.querySelector('style.laid-out')) return;
  const rule = '.bd-article section > section { content-visibility: visible !important }';
  document.head.append(Object.assign(document.createElement('style'), {className: 'laid-out', textContent: rule}));
}"""


def lay_out(page):
    """Lay out all sections, also those out of sight: the browser says of others that they stand elsewhere."""
    page.evaluate(LAY_OUT)


# bring a figure to the middle of the window, and say where on the page it then is
BEFORE_THE_CAMERA = """async number => {
  const image = document.querySelectorAll('.explore-picture > img')[number];
  if (!image.checkVisibility({visibilityProperty: true})) return null;
  image.scrollIntoView({block: 'center', behavior: 'instant'});
  image.loading = 'eager';
  for (let frame = 0; frame < 300 && !image.complete; frame++) await new Promise(requestAnimationFrame);
  await image.decode();
  await new Promise(requestAnimationFrame);
  const {x, y, width, height} = image.getBoundingClientRect();
  return width && height ? {x: x + scrollX, y: y + scrollY, width, height, scale: 1} : null;
}"""


def ground_faults(page):
    """List figures that do not stand on the ground of the page, by their pixels."""
    from PIL import Image

    lay_out(page)  # sections that are laid out only now would move the figure away from under the camera
    ground, tallest, count = page.evaluate(
        """() => [
          getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number),
          Math.max(0, ...[...document.images].map(image => image.offsetHeight)),
          document.querySelectorAll('.explore-picture > img').length,
        ]"""
    )
    if tallest > page.viewport_size["height"] - 200:  # a camera sees what is in the window
        page.set_viewport_size({**page.viewport_size, "height": tallest + 200})
    faults = []
    camera = page.context.new_cdp_session(page)  # Playwright's own changes the page's style for each picture
    for number in range(count):
        place = page.evaluate(BEFORE_THE_CAMERA, number)
        if place is None:
            continue
        taken = camera.send("Page.captureScreenshot", {"clip": place, "optimizeForSpeed": True})["data"]
        shown = Image.open(io.BytesIO(base64.b64decode(taken))).convert("RGB")
        edge = {shown.getpixel((x, y)) for x in (2, shown.width - 3) for y in (2, shown.height - 3)}
        # the browser scales the picture, and may round a colour by one
        if any(abs(a - b) > 1 for pixel in edge for a, b in zip(pixel, ground, strict=True)):
            faults.append(f"a figure on {sorted(edge)}, on a page of {ground}")
    camera.detach()
    return faults
