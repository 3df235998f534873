"""The ledger of claims: what the sources say, what holds, and in which cells that is checked.

The directive `claims`, with the ledger's path, makes of it a page: counts, a filter without a script, and a list for
each source. Cells tagged `claim-S1-09` get that name as their id, so that a link leads to the very cell. Where a
claim is checked is read from the notebooks.
"""

import json
import re
import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

VERDICTS = {
    "right": "it holds as said",
    "depends": "it holds under a condition that is not stated",
    "imprecise": "what is meant holds, but the words or the signs say something else or leave something out",
    "outdated": "it held when it was written",
    "wrong": "the check says otherwise",
}
CLAIM = re.compile(r"claim-(S\d-\d\d)")


def load(path):
    """Return ({source: its entry}, [claim, ...]) of the ledger."""
    ledger = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    return ledger["sources"], ledger["claim"]


def source_of(claim):
    """Return the name of the source that makes a claim."""
    return claim["id"].partition("-")[0]


def lines_of(entry):
    """Return the first and the last line of a quote."""
    line = entry["line"]
    return (line, line) if isinstance(line, int) else tuple(line)


def checks_in(notebook):
    """Return the claims that a notebook's cells are tagged with, in order, each once."""
    tags = (tag for cell in notebook["cells"] for tag in cell.get("metadata", {}).get("tags", []))
    return list(dict.fromkeys(found[1] for tag in tags if (found := CLAIM.fullmatch(tag))))


def title_of(notebook):
    """Return the title of a notebook as plain text."""
    text = "".join(notebook["cells"][0]["source"])
    return re.search(r"^# (.*)", text, re.MULTILINE)[1].replace("`", "")


def address_of(claim_id):
    """Return the id that the cell with this claim's check has in its page."""
    return f"claim-{claim_id.lower()}"


def classes_of(node):
    """Return the classes of a node whose kind may have none."""
    return node.get("classes", []) if isinstance(node, nodes.Element) else []


def name_checked_cells(app, doctree):
    """Give each cell with a check the ids of its claims, the first cell where a claim has several."""
    for cell in doctree.findall(nodes.container):
        for name in classes_of(cell):
            found = re.fullmatch(r"tag_claim-(S\d-\d\d)", name)
            if found and address_of(found[1]) not in doctree.ids:
                cell["ids"].append(address_of(found[1]))
                doctree.ids[address_of(found[1])] = cell


class Claims(SphinxDirective):
    """The page made of the ledger whose path, beside the page, is the argument."""

    required_arguments = 1

    def run(self):
        """Return the counts, the filter and a section for each source."""
        path = Path(self.env.doc2path(self.env.docname)).parent / self.arguments[0]
        self.env.note_reread()  # what it is made of stands in other files
        sources, claims = load(path)
        self.checks = self.find_checks()
        for claim in claims:
            if claim["id"] not in self.checks:
                raise self.error(f"no cell is tagged claim-{claim['id']}")
        return [
            *self.parse_text(f"{len(claims)} statements are checked."),
            *self.parse_text(f"The verdicts: {'; '.join(f'*{word}*, {said}' for word, said in VERDICTS.items())}."),
            self.counts(sources, claims),
            self.filter(sources),
            *(self.section(name, source, claims) for name, source in sources.items()),
        ]

    def find_checks(self):
        """Return {claim: [(page, title), ...]} of all notebooks in the book."""
        checks = {}
        for page in sorted(self.env.found_docs):
            file = Path(self.env.doc2path(page))
            if file.suffix == ".ipynb":
                notebook = json.loads(file.read_text(encoding="utf-8"))
                for claim_id in checks_in(notebook):
                    checks.setdefault(claim_id, []).append((page, title_of(notebook)))
        return checks

    def parse_text(self, text):
        """Return the paragraph that this Markdown makes."""
        words, messages = self.state.inline_text(text, self.lineno)
        return [nodes.paragraph("", "", *words), *messages]

    def counts(self, sources, claims):
        """Return the table of counts: a row for each verdict, a column for each source."""
        table = nodes.table(classes=["claims-counts"])
        group = nodes.tgroup(cols=len(sources) + 2)
        group += [nodes.colspec(colwidth=1) for _ in range(len(sources) + 2)]
        table += group
        head, body = nodes.thead(), nodes.tbody()
        group += [head, body]

        def row(cells):
            return nodes.row("", *(nodes.entry("", nodes.paragraph("", str(cell))) for cell in cells))

        head += row(["verdict", *sources, "all"])
        for verdict in VERDICTS:
            found = [source_of(claim) for claim in claims if claim["verdict"] == verdict]
            body += row([verdict, *(found.count(name) for name in sources), len(found)])
        found = [source_of(claim) for claim in claims]
        body += row(["together", *(found.count(name) for name in sources), len(found)])
        return table

    def filter(self, sources):
        """Return two rows of radio buttons; the style sheet hides what is not asked for."""

        def choices(group, legend, names):
            buttons = [
                f'<label><input type="radio" name="{group}" id="{group}-{name.lower()}"'
                f"{' checked' if name == 'all' else ''}><span>{name}</span></label>"
                for name in ("all", *names)
            ]
            return f"<fieldset><legend>{legend}</legend>{''.join(buttons)}</fieldset>"

        form = choices("claims-of", "Source", sources) + choices("claims-being", "Verdict", VERDICTS)
        return nodes.raw("", f'<form class="claims-filter" aria-label="Filter">{form}</form>', format="html")

    def section(self, name, source, shown):
        """Return the claims of one source, in the order of their lines."""
        own = sorted((claim for claim in shown if source_of(claim) == name), key=lines_of)
        low = name.lower()
        section = nodes.section(ids=[low], names=[low], classes=["claims", f"claims-of-{low}"])
        section += nodes.title("", f"{name}: {source['title']}")
        section += self.parse_text(source["about"])
        missing = [verdict for verdict in VERDICTS if verdict not in {claim["verdict"] for claim in own}]
        for verdict in missing:
            text = f"None of the statements from {name} is marked “{verdict}”."
            section += nodes.paragraph("", text, classes=["claims-none", f"claim-{verdict}"])
        listed = nodes.bullet_list()
        for claim in own:
            classes = ["claim", f"claim-{claim['verdict']}"]
            listed += nodes.list_item("", *self.entry(claim), ids=[claim["id"].lower()], classes=classes)
        section += listed
        return section

    def entry(self, claim):
        """Return one claim: verdict and claim, quote, what holds, where it is checked."""
        head = nodes.paragraph("", "", classes=["claim-head"])
        head += nodes.inline("", claim["verdict"], classes=["claim-verdict"])
        head += nodes.Text(" ")
        head += nodes.inline("", claim["id"], classes=["claim-id"])
        head += nodes.Text(" ")
        strong = nodes.strong()
        strong += self.state.inline_text(claim["claim"], self.lineno)[0]
        head += strong
        parts = [f"It says: {quoted(claim['quote'])}"]
        if other := claim.get("elsewhere"):
            parts.append(f"Elsewhere: {quoted(other['quote'])}; {other['note']}")
        parts.append(f"What holds: {claim['truth']}")
        links = nodes.paragraph("", "Check: ", classes=["claim-check"])
        for number, (page, title) in enumerate(self.checks[claim["id"]]):
            links += nodes.Text(", ") if number else nodes.Text("")
            target = f"{self.env.app.builder.get_relative_uri(self.env.docname, page)}#{address_of(claim['id'])}"
            links += nodes.reference("", title, refuri=target, internal=True)
        return [head, *(part for text in parts for part in self.parse_text(text)), links]


def quoted(quote):
    """Put a quote into quotation marks, unless it is all formula or all code."""
    if re.fullmatch(r"\$[^$]*\$|`[^`]*`", quote):
        return quote
    inner = re.sub(r"`[^`]*`|[\"“]([^\"”]*)[\"”]", lambda found: f"‘{found[1]}’" if found[1] else found[0], quote)
    return f"“{inner.rstrip('.')}”"


def setup(app):
    """Add the directive and the ids to Sphinx."""
    app.add_directive("claims", Claims)
    app.connect("doctree-read", name_checked_cells)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
