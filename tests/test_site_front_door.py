"""What a visitor meets first, in the built book: the landing page, the search, a wrong address, a printed page."""

import functools
import http.server
import re
import threading
from urllib.parse import quote

import pytest
from site_checks import LIGHT, PHONE, SITE, Watched

CHAPTERS = sorted(SITE.glob("chapters/*-*/*.html"))
RATES = SITE / "chapters" / "2-foundations" / "13-choose-a-learning-rate.html"


@pytest.mark.parametrize(
    "settings", [LIGHT | {"viewport": {"width": 1280, "height": 800}}, PHONE], ids=["laptop", "phone"]
)
def test_landing_page_shows_something_to_move_without_scrolling(browser, kept, settings):
    with Watched(browser, SITE / "intro.html", context=kept(settings)) as watched:
        slider = watched.page.locator(".explore input").first
        assert slider.bounding_box()["y"] < settings["viewport"]["height"]


def test_pages_say_what_they_are_about():
    """To those who find them by a search or a link."""
    texts = {}
    for page in [SITE / "intro.html", *CHAPTERS]:
        text = page.read_text(encoding="utf-8")
        found = re.search(r'<meta name="description" content="([^"]*)"/>\s*<meta property="og:type"', text)
        assert found, page.name
        texts[page.name] = found[1]
        assert f'<meta property="og:description" content="{found[1]}"/>' in text
        assert re.search(r'<link rel="icon" href="[./]*_static/mark.svg"', text), page.name
    assert all(60 < len(text) <= 300 for text in texts.values()), texts
    assert len(set(texts.values())) == len(texts)
    assert (SITE / "_static" / "mark.svg").exists()


def found(browser, kept, query):
    """Return (title, snippet) of each result of the search."""
    with Watched(browser, SITE / "search.html", query=f"?q={quote(query)}", context=kept(LIGHT)) as watched:
        page = watched.page
        page.wait_for_function("/found/.test(document.querySelector('.search-summary')?.textContent)")
        page.wait_for_function(
            "[...document.querySelectorAll('ul.search li')].every(item => item.querySelector('.context'))"
        )
        assert watched.faults == []
        return page.evaluate(
            "[...document.querySelectorAll('ul.search li')].map(item => [item.querySelector('a').textContent, "
            "item.querySelector('.context').textContent])"
        )


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("learning rate", "Choose a learning rate"),
        ("optimizers", "Compare optimizers"),
        ("weights", "Initialize the weights"),
    ],
)
def test_search_ranks_titles_first_and_shows_the_words_it_found(browser, kept, query, title):
    results = found(browser, kept, query)
    assert results[0][0].endswith(title)
    titles = [text for text, _ in results]
    assert len(set(titles)) == len(titles) > 1
    assert not any(page.endswith(own) for page, _, own in (text.partition(" > ") for text in titles) if own), titles
    root = query.split()[-1][:5].lower()
    assert sum(root in snippet.lower() for _, snippet in results) > len(results) / 2


def test_only_the_search_page_loads_the_index():
    """It would be a fifth of a page's weight."""
    for page in [SITE / "intro.html", *CHAPTERS]:
        text = page.read_text(encoding="utf-8")
        assert "searchindex.js" not in text
        assert "search_texts.js" not in text


def test_wrong_address_leads_back_wherever_the_book_is_served(browser, tmp_path):
    (tmp_path / "course").symlink_to(SITE)

    class Server(http.server.SimpleHTTPRequestHandler):
        """Answers a wrong address with the page for it, as hosts of static pages do."""

        def send_error(self, code, *_):
            body = (SITE / "404.html").read_bytes()
            self.send_response(code)
            self.end_headers()
            self.wfile.write(body if self.command == "GET" else b"")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Server, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/course/chapters/4-no/such/page.html")
        page.wait_for_function("document.querySelector('a').pathname === '/course/intro.html'")
        page.click("a")
        page.wait_for_function("document.title.startsWith('Neural networks')")
        page.close()
        server.shutdown()


def test_formulas_on_lines_of_their_own_stand_in_the_middle(browser, kept):
    with Watched(browser, RATES, context=kept(LIGHT)) as watched:
        off = watched.page.evaluate("""[...document.querySelectorAll('div.math:not(:has(.eqno))')].map(formula => {
          const outer = formula.getBoundingClientRect(), parts = [...formula.querySelectorAll('.katex-base')];
          const [left, right] = [parts[0].getBoundingClientRect().left, parts.at(-1).getBoundingClientRect().right];
          return Math.abs(left - outer.left - (outer.right - right));
        })""")
    assert len(off) > 4
    assert sorted(off)[len(off) // 2] < 2  # some are wider than the page, and scroll


def test_lines_of_text_are_as_long_as_one_likes_to_read(browser):
    with Watched(browser, RATES, LIGHT | {"viewport": {"width": 1400, "height": 900}}) as watched:
        lengths = watched.page.evaluate("""[...document.querySelectorAll('.bd-article section > p')].flatMap(p => {
          const lines = Math.round(p.getBoundingClientRect().height / parseFloat(getComputedStyle(p).lineHeight));
          return p.querySelector('.math') || lines < 3 ? [] : [p.textContent.length / (lines - 0.5)];
        })""")
    assert len(lengths) > 3
    assert 62 < sorted(lengths)[len(lengths) // 2] < 78


ON_SCREEN_ONLY = "details.hide, details.quiz, .explore-controls, .answer, .prev-next-footer, .copybtn"


def test_paper_has_the_answers_at_its_end_and_nothing_that_only_a_screen_can(browser):
    with Watched(browser, RATES) as watched:
        page = watched.page
        folded = page.locator("details.quiz, .tag_solution details.hide").count()
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        for selector in ON_SCREEN_ONLY.split(", "):
            assert page.locator(selector).count() > 0
            assert page.locator(selector).locator("visible=true").count() == 0, selector
        titles = page.locator(".answers-on-paper h3").locator("visible=true").all_inner_texts()
        assert len(titles) == folded > 8
        assert any(title.startswith("Exercise 1") for title in titles)
        assert "Quiz, question 1" in titles
        assert page.locator(".answers-on-paper .highlight").locator("visible=true").count() > 3
        names = page.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
        assert len(names) == len(set(names))
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".answers-on-paper").count() == 0


def test_tables_are_tables():
    """Markdown that a cell prints was once shown with its bars."""
    for page in [SITE / "chapters" / "speed.html", *CHAPTERS]:
        assert not re.search(r"<p>\s*\|", page.read_text(encoding="utf-8")), page.name
