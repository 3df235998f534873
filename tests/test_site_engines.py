"""The built book in three engines: Chromium, Firefox and WebKit open it as files, move it and answer it by keyboard.

`make test` opens a page of each kind; `make test-browsers`, which sets EVERY_PAGE, opens them all.
"""

import os
import re
import shutil

import engines
import pytest
import site_checks
from site_checks import SHOWN, SITE
from test_site_recogniser import SEVEN_BY_KEYS

from nnlib.course import recogniser

KINDS = ["intro.html", "chapters/2-foundations/07-initialize-the-weights.html", "chapters/glossary.html"]
ALL = [page.relative_to(SITE).as_posix() for page in site_checks.pages()]
PAGES = [name for name in ALL if name != "index.html"] if os.environ.get("EVERY_PAGE") else KINDS

# Only the page itself can tell in each engine what went wrong while it was loaded.
WATCH = """<script>
window.wrong = [];
addEventListener("error", event => {
  const { src, href } = event.target;
  wrong.push(event.message ? `error in a script: ${event.message}` : `could not load ${src || href}`);
}, true);
addEventListener("unhandledrejection", event => wrong.push(`not handled: ${event.reason}`));
console.error = (...words) => wrong.push(words.join(" "));
</script>"""


@pytest.fixture(scope="session", params=["chromium", "firefox", "webkit"])
def engine(request):
    """Start an engine; skip where there is none, but never in CI."""
    if request.param == "chromium":
        started = engines.Chromium(request.getfixturevalue("browser"))
    else:
        reason = engines.lacking(request.param)
        if reason:
            site_checks.missing(reason)
        started = {"firefox": engines.Firefox, "webkit": engines.WebKit}[request.param]()
    yield started
    started.close()


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Return the built site with a page's faults written down by each page: pages as copies, the rest as links."""
    folder = tmp_path_factory.mktemp("watched") / "html"

    def copy(source, target):
        if not source.endswith(".html"):
            return os.symlink(source, target)
        with open(source, encoding="utf-8") as page, open(target, "w", encoding="utf-8") as watched:
            watched.write(page.read().replace("<head>", f"<head>{WATCH}", 1))

    shutil.copytree(SITE, folder, copy_function=copy)
    return folder


# --- what is looked at --------------------------------------------------------------------------------------------

# formulas have the fonts that KaTeX asks for; a browser reads a font when it paints the first letter of it
FONTS = """async () => {
  const words = e => [...e.childNodes].some(node => node.nodeType === 3 && /[^\\s\\u200b]/.test(node.data));
  const name = family => family.replaceAll(/["']/g, '').split(',')[0].trim();
  const asked = new Map([...document.querySelectorAll('.katex-html *')].filter(words)
    .filter(e => e.checkVisibility()).map(e => [name(getComputedStyle(e).fontFamily), e]));
  const there = asked => [...document.fonts].some(face => face.status === 'loaded' && name(face.family) === asked);
  const faults = asked.size && !asked.has('KaTeX_Main') ? ['no formula in KaTeX_Main'] : [];
  for (const [font, letter] of asked) {
    letter.scrollIntoView();
    for (let wait = 0; wait < 100 && !there(font); wait++) await new Promise(go => setTimeout(go, 20));
    if (!there(font)) faults.push(`formulas without their font ${font}`);
  }
  return faults;
}"""

# for each figure the number of positions of each control
POSITIONS = """() => [...document.querySelectorAll('figure.explore')].map(root =>
  JSON.parse(root.querySelector('script').textContent).texts.map(texts => texts.length))"""

FOCUS = """(figure, control) => {
  const root = document.querySelectorAll('figure.explore')[figure];
  for (let fold = root; (fold = fold.parentElement.closest('details')); ) fold.open = true;
  const choice = root.querySelectorAll('[data-key]')[control].querySelector('[type=range], :checked, select');
  choice.focus();
  choice.scrollIntoView({block: 'center'});
  return choice.type;
}"""

LOOK = f"figure => ({SHOWN})(document.querySelectorAll('figure.explore')[figure])"

# what a screen reader is told where a figure comes to rest
SAID = """async (figure, words) => {
  const region = document.querySelectorAll('figure.explore')[figure].querySelector('.explore-said');
  for (let wait = 0; wait < 100 && region.textContent !== words; wait++) await new Promise(go => setTimeout(go, 20));
  return region.textContent;
}"""


def figure_faults(engine):
    """Move each control of each figure through all its positions; list what is not shown or not said."""
    faults = []
    for figure, counts in enumerate(engine.run(POSITIONS)):
        for control, count in enumerate(counts):
            where = f"figure {figure + 1}, control {control + 1}"
            kind = engine.run(FOCUS, figure, control)
            # the first position; among radio buttons the arrow keys go round in some engines, and stop in others
            engine.press(*(["ArrowLeft"] * count if kind == "radio" else ["Home"]))
            seen = set()
            for step in range(count):
                if step:
                    engine.press("ArrowDown" if kind == "select-one" else "ArrowRight")
                shown = engine.run(LOOK, figure)
                seen.add(shown["state"])
                if not shown["right"]:
                    faults.append(f"{where}: the picture of state {shown['state']} is not shown")
                if shown["alt"] not in (None, shown["words"]):
                    faults.append(f"{where}: state {shown['state']} is described as {shown['alt']!r}")
            if len(seen) != count:
                faults.append(f"{where}: keys lead to {len(seen)} of {count} positions")
            if (said := engine.run(SAID, figure, shown["words"])) != shown["words"]:
                faults.append(f"{where}: {said!r} is said of {shown['words']!r}")
    return faults


QUESTIONS = """() => [...document.querySelectorAll('form.answer')].map(form =>
  JSON.parse(form.querySelector('script').textContent))"""

# goes to a part of an exercise: to its text, all of it marked, or to one of its options; says if that is chosen
ENTER = """(exercise, part, option) => {
  const form = document.querySelectorAll('form.answer')[exercise];
  const inputs = [...form.querySelectorAll('.answer-part')[part].querySelectorAll('input')];
  const input = inputs.find(input => input.type === 'text' || input.value === option);
  input.focus();
  if (input.type === 'text') input.select();
  return input.checked;
}"""

VERDICT = "exercise => document.querySelectorAll('.answer-verdict')[exercise].textContent"


def answers(part):
    """Return a right and a wrong answer to a part of an exercise, each as the texts or options to give."""
    right = [answer for answer in part["answers"] if answer["correct"]]
    if part["type"] == "string":
        return [right[0]["answer"]], ["x"]
    if part["type"] in ("numeric", "numbers"):
        ends = right[0].get("ranges") or [right[0]["range"]]
        return [", ".join(str((low + high) / 2) for low, high in ends)], ["-98765"]
    wrong = [answer["answer"] for answer in part["answers"] if not answer["correct"] and "answer" in answer]
    return [answer["answer"] for answer in right], wrong[:1]


def give(engine, exercise, number, part, given):
    """Answer a part of an exercise by keyboard."""
    options = [answer["answer"] for answer in part["answers"]] if part["type"] == "many_choice" else given
    for option in options:
        chosen = engine.run(ENTER, exercise, number, option)
        if part["type"] in ("multiple_choice", "many_choice"):
            engine.press(*([] if chosen == (option in given) else [" "]))
        else:
            engine.press(*option)


def exercise_faults(engine):
    """Answer each exercise, first wrong in one part, then right; list what is judged otherwise."""
    faults = []
    for exercise, question in enumerate(engine.run(QUESTIONS)):
        for number, part in reversed(list(enumerate(question["parts"]))):
            right, wrong = answers(part)
            give(engine, exercise, number, part, right if number else wrong)
        engine.press("Enter")
        if not (said := engine.run(VERDICT, exercise)).startswith("✗"):
            faults.append(f"exercise {exercise + 1}: of a wrong answer the page says {said!r}")
        give(engine, exercise, 0, part, right)
        engine.press("Enter")
        if (said := engine.run(VERDICT, exercise)) != question["says"]["right"]:
            faults.append(f"exercise {exercise + 1}: of the right answer the page says {said!r}")
    return faults


# what a page keeps: the states of its figures and what it says of the answers
KEPT = f"""async () => [
  await Promise.all([...document.querySelectorAll('figure.explore')].map({SHOWN}))
    .then(all => all.map(shown => shown.state)),
  [...document.querySelectorAll('.answer-verdict')].map(verdict => verdict.textContent)]"""


def page_faults(engine, page):
    """Use a page, then open it anew at the address that it has by then; list what does not work."""
    engine.open(page.as_uri())
    faults = engine.run(FONTS) + figure_faults(engine) + exercise_faults(engine)
    before = engine.run(KEPT)
    faults += engine.run("() => wrong")
    engine.open(page.as_uri() + engine.run("() => location.hash"))
    if (after := engine.run(KEPT)) != before:
        faults.append(f"left at {before}, restored as {after}")
    return faults + engine.run("() => wrong")


# --- the book -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_page_works_in_each_engine(engine, site, name):
    assert page_faults(engine, site / name) == []


DRAWN = """async () => {
  for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  const {strokes, counts, probabilities} = document.querySelector('.recogniser').shown;
  return {strokes, counts, probabilities, says: document.querySelector('.recogniser-verdict').textContent};
}"""


def test_a_seven_drawn_by_keys_is_read_in_each_engine(engine, site):
    """Counted and judged by the page's script as the library does."""
    engine.open((site / "chapters" / "4-digits" / "09-draw-a-digit.html").as_uri())
    engine.run("() => document.querySelector('.recogniser-paper').focus()")
    engine.press(*SEVEN_BY_KEYS)
    drawn = engine.run(DRAWN)
    assert len(drawn["strokes"]) == 1
    counts = recogniser.count_blocks(recogniser.normalize(recogniser.rasterize(drawn["strokes"])))
    assert drawn["counts"] == counts.ravel().tolist()
    assert sum(drawn["probabilities"]) == pytest.approx(1)
    assert drawn["probabilities"].index(max(drawn["probabilities"])) == 7
    assert "The network says 7" in drawn["says"]
    assert engine.run("() => wrong") == []


FOUND = """async () => {
  const found = () => [...document.querySelectorAll('ul.search li a')].map(link => link.getAttribute('href'));
  const done = () => /found/.test(document.querySelector('.search-summary')?.textContent); // they come one by one
  for (let wait = 0; wait < 100 && !done(); wait++) await new Promise(go => setTimeout(go, 50));
  return found();
}"""


def test_search_finds_a_word_in_each_engine(engine, site):
    engine.open((site / "search.html").as_uri() + "?q=saturation")
    assert "chapters/glossary.html#term-saturation" in engine.run(FOUND)
    assert engine.run("() => wrong") == []


@pytest.mark.parametrize("engine", ["firefox", "webkit"], indirect=True)
def test_an_engine_that_crashed_takes_one_test_with_it(engine, site):
    engine.open((site / "search.html").as_uri())
    engines.end(engine.program)
    with pytest.raises(engines.GONE):
        engine.run("() => wrong")
    engine.open((site / "search.html").as_uri())
    assert engine.run("() => wrong") == []


# --- the checks must be able to fail ------------------------------------------------------------------------------

BROKEN = """<img src="https://nowhere.test/x.png"><script>
  const [first] = document.querySelectorAll('[type=range]');
  first.addEventListener('keydown', event => event.preventDefault());
  addEventListener('input', ({ target: { value, max } }) => {
    document.querySelector('.only-light').alt = '?';
    document.querySelector('.explore-picture').style.display = value === max ? 'none' : '';
  });
  addEventListener('submit', event => {
    event.preventDefault();
    event.stopPropagation();
    document.querySelector('.explore-picture').style.display = '';
  }, true);
  history.replaceState = () => {};
  undefined();
</script></body>"""
FAULTS = [
    "could not load https://nowhere.test/x.png", "error in a script", "formulas without their font KaTeX_Main",
    "control 1: keys lead to 1 of 5 positions", "is described as '?'", "is not shown", "'' is said of",
    "of a wrong answer the page says ''", "of the right answer the page says ''", "left at ",
]  # fmt: skip


def test_what_does_not_work_is_found_in_each_engine(engine, site):
    style = (site / "_static" / "style.css").read_text(encoding="utf-8")
    style = re.sub("(KaTeX_Main;[^}]*)data:", r"\1none:", style)
    (site / "_static" / "broken.css").write_text(style, encoding="utf-8")
    text = (site / "chapters" / "how-to-use.html").read_text(encoding="utf-8")
    page = site / "chapters" / "broken.html"
    page.write_text(text.replace("style.css", "broken.css").replace("</body>", BROKEN), encoding="utf-8")
    faults = "\n".join(page_faults(engine, page))
    assert [fault for fault in FAULTS if fault not in faults] == []
