"""How long a page takes: minutes to read and to do its exercises, from its words, formulas and code.

    python -m tools.pace [path ...]     a table of the sections of each page

Reading (folded cells and folded text are not counted: who unfolds them has chosen to):

    words / 100  +  1/4 minute a displayed formula  +  1/30 an inline one  +  1/12 a line of code  +  3/2 a slider

A novel is read at some 240 words a minute (Brysbaert 2019). A hundred is the pace of somebody who meets the subject for
the first time, stops to think, and redoes the numbers.
"""

import argparse
import math
import re
from pathlib import Path

from tools import notebooks

WORDS_A_MINUTE = 100
MINUTES = {"display": 1 / 4, "inline": 1 / 30, "code": 1 / 12, "slider": 3 / 2}
EXERCISE = {"data": 4, "judged": 6, "function": 8, "open": 10}  # numbers or choices; several right answers; code
QUIZ_QUESTION = 1
LIMIT = 30
HEADING = re.compile(r"^(#{1,3}) (.*)$", re.MULTILINE)
FOLDED = notebooks.FOLDED | {"solution", "self-check", "exercise"}


def text_minutes(text):
    """Minutes to read Markdown: words and formulas, without what is folded."""
    text = re.sub(r"<details.*?</details>", "", text, flags=re.DOTALL)
    text = re.sub(r"^(:::+|```+)\{dropdown\}.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^```\{math\}.*?^```$", "$$ $$", text, flags=re.DOTALL | re.MULTILINE)
    text, display = re.subn(r"\$\$.*?\$\$", " ", text, flags=re.DOTALL)
    text, inline = re.subn(r"\$[^$]+\$", " ", text)
    text = re.sub(r"\{[a-z:]+\}`([^`<]*?)(?: <[^>`]*>)?`", r"\1", text)
    words = len(re.findall(r"\w[\w'’.-]*", text))
    return words / WORDS_A_MINUTE + MINUTES["display"] * display + MINUTES["inline"] * inline


def code_minutes(cell):
    """Minutes to read a code cell, or to play with its slider."""
    marks = notebooks.tags(cell)
    lines = [line.strip() for line in notebooks.text_of(cell["source"]).splitlines()]
    shown = 0 if marks & FOLDED else sum(bool(line) and not line.startswith("#") for line in lines)
    return MINUTES["code"] * shown + MINUTES["slider"] * ("slider" in marks)


def exercise_minutes(title, checker):
    """Minutes for one exercise, from its title and from how it is judged."""
    if "open" in title:
        return EXERCISE["open"]
    if "ask.function(" in checker:
        return EXERCISE["function"]
    return EXERCISE["data" if "ask.question(" in checker else "judged"]


def sections(notebook):
    """List the sections of a page: (heading, minutes to read, minutes to exercise)."""
    found = []
    for cell in notebook["cells"]:
        text = notebooks.text_of(cell["source"])
        if cell["cell_type"] == "markdown":
            parts = HEADING.split(text)
            found += [[f"{marks} {title}", 0.0, 0.0] for marks, title in zip(parts[1::3], parts[2::3], strict=True)]
        heading = found[-1][0]
        exercise = heading.startswith("### Exercise")
        if cell["cell_type"] == "code":
            if exercise and "checker" in notebooks.tags(cell):
                found[-1][2] += exercise_minutes(heading, text)
            elif not exercise:
                found[-1][1] += code_minutes(cell)
        elif heading == "## Quiz":
            found[-1][2] += text_minutes(text) + QUIZ_QUESTION * text.count('<details class="quiz">')
        else:
            found[-1][2 if exercise or heading == "## Exercises" else 1] += text_minutes(text)
    return [tuple(section) for section in found]


def minutes(notebook):
    """Return the minutes to read a page, and to do its exercises and its quiz."""
    return tuple(sum(section[column] for section in sections(notebook)) for column in (1, 2))


def stated(notebook):
    """Return the minutes that the first cell of a page states, or None."""
    first = " ".join(notebooks.text_of(notebook["cells"][0]["source"]).split())
    found = re.search(r"About (\d+) minutes to read, (\d+) for the exercises", first)
    return found and tuple(map(int, found.groups()))


def rounded(exact):
    """Round minutes up to the next five."""
    return 5 * math.ceil(exact / 5)


def main():
    """Print the minutes of each section."""
    parser = argparse.ArgumentParser(description="How long do the pages take?")
    parser.add_argument("paths", nargs="*", type=Path)
    for path in parser.parse_args().paths or notebooks.notebooks():
        notebook = notebooks.load(path)
        print(f"\n{path}: states {stated(notebook)}")
        for heading, reading, exercise in sections(notebook):
            if not heading.startswith("### Exercise"):
                print(f"{reading:6.1f} {exercise:6.1f}  {heading}")
        print("{:6.1f} {:6.1f}  together".format(*minutes(notebook)))


if __name__ == "__main__":
    main()
