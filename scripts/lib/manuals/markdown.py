"""Markdown as man(7). A table that is too wide for a terminal becomes a list: its first column, and below it
what it is, and the rest."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from scripts.lib.manuals import code, roff

_NARROW = 68
"""Columns that a table may fill: a terminal's 80, less the margins and the space between columns."""

PAGES = {
    "jobs.md": "dialerd-job(5)",
    "configuration.md": "dialerd.toml(5)",
    "campaigns.md": "dialerd-template(5)",
    "client.md": "dialerctl(1)",
}
"""Documents that are pages."""


@dataclass
class Renderer:
    """Renders one document. `documents`: those that it leads to and that are no pages."""

    own: str
    documents: set[str] = field(default_factory=set)

    def section(self, nodes: Iterable[SyntaxTreeNode], deeper: int = 0) -> list[str]:
        """Some blocks; headings of level 2 are sections, or lie `deeper`."""
        return [line for node in nodes for line in self._block(node, deeper)]

    def _block(self, node: SyntaxTreeNode, deeper: int) -> list[str]:
        known: dict[str, Callable[[SyntaxTreeNode], list[str]]] = {
            "paragraph": lambda each: self._paragraph(each),
            "fence": lambda each: roff.block(code.fitted(each.content, each.info)),
            "code_block": lambda each: roff.block(code.fitted(each.content, "sh")),
            "bullet_list": self._list,
            "ordered_list": self._list,
            "table": self._table,
        }
        if node.type == "heading":
            level = int(node.tag[1]) - 1 + deeper
            return roff.heading(shouted(node) if level == 1 else roff.plain(words(node)), level)
        return known[node.type](node)

    def _paragraph(self, node: SyntaxTreeNode) -> list[str]:
        return roff.paragraph(self.inline(node.children[0]))

    def _list(self, node: SyntaxTreeNode) -> list[str]:
        found: list[str] = []
        for number, item in enumerate(node.children, 1):
            mark = "\\(bu 2" if node.type == "bullet_list" else f"{number}. 4"
            first, *rest = item.children
            found += [f".IP {mark}", *self._block(first, 0)[1:]]
            if rest:
                found += [".RS", *self.section(rest), ".RE"]
        return found

    def inline(self, node: SyntaxTreeNode) -> str:
        """A line of text, with its fonts."""
        return "".join(self._span(each) for each in node.children)

    def _span(self, node: SyntaxTreeNode) -> str:
        if node.type == "code_inline":
            return roff.bold(node.content)
        if node.type in ("softbreak", "hardbreak"):
            return " "
        if node.type == "em":
            return f"\\fI{self.inline(node)}\\fR"
        if node.type == "strong":
            return f"\\fB{self.inline(node)}\\fR"
        return self._link(node) if node.type == "link" else roff.plain(node.content)

    def _link(self, node: SyntaxTreeNode) -> str:
        target = str(node.attrs["href"])
        text, (file, _, _) = self.inline(node), target.partition("#")
        if target.startswith("http"):
            return f"{text} <{roff.literal(target)}>"
        name = file.removeprefix("../").removeprefix("docs/")
        page = PAGES.get(name)
        if not name or page == self.own:
            return text
        if page:
            return roff.reference(page) if words(node) == name else f"{text} (see {roff.reference(page)})"
        if name.endswith(".md"):
            self.documents.add(name)
        return f"\\fI{text}\\fR" if "\\f" not in text else text

    def _table(self, node: SyntaxTreeNode) -> list[str]:
        grid = [row.children for part in node.children for row in part.children]
        head, *rows = [[self._cell(cell) for cell in row] for row in grid]
        lengths = [[len(words(cell)) for cell in row] for row in grid]
        widths = [max(column) for column in zip(*lengths, strict=True)]
        if len(head) > 2 and sum(widths) + 3 * len(widths) <= _NARROW:
            return roff.table(head, rows)
        named = (place for place, cell in enumerate(grid[0]) if place and words(cell).startswith("what"))
        lengths = [sum(column) for column in zip(*lengths[1:], strict=True)]
        body = next(named, lengths.index(max(lengths[1:]), 1))
        return [line for row in rows for line in roff.term(row[0], _about(head, row, body))]

    def _cell(self, cell: SyntaxTreeNode) -> str:
        return self.inline(cell.children[0]) if cell.children else ""


def _about(head: Sequence[str], row: Sequence[str], body: int) -> list[str]:
    """What a wide table's row says of its first cell: what it is (else its widest), then the
    others with their heads."""
    others = [
        "It must be given." if cell == "needed" else f"{name[:1].upper()}{name[1:]}: {cell}."
        for place, (name, cell) in enumerate(zip(head, row, strict=True))
        if place not in (0, body) and cell not in ("", "none")
    ]
    return roff.lines(" ".join(filter(None, [_whole(row[body].strip()), *others])))


def _whole(words: str) -> str:
    """A cell as a sentence; one that begins with what somebody says, such as "to: ...", as it is."""
    stop = "" if words.endswith((".", "!", "?", ":")) or not words else "."
    begin = words[:1] if re.match(r"\w+:", words) else words[:1].upper()
    return f"{begin}{words[1:]}{stop}"


def parsed(text: str) -> list[SyntaxTreeNode]:
    """The blocks of a document."""
    return SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(text)).children


def words(node: SyntaxTreeNode) -> str:
    """A node's text without fonts."""
    if node.type in ("text", "code_inline"):
        return node.content
    return " " if node.type == "softbreak" else "".join(map(words, node.children))


def shouted(heading: SyntaxTreeNode) -> str:
    """A heading as a section's title: in capitals, but for what is code."""
    return "".join(
        roff.plain(each.content if each.type == "code_inline" else words(each).upper())
        for each in heading.children[0].children
    )


def sections(nodes: Sequence[SyntaxTreeNode]) -> dict[str, list[SyntaxTreeNode]]:
    """What stands under each heading of level 2, the heading with it; "" is what stands before the first. The
    document's own heading is left out."""
    found: dict[str, list[SyntaxTreeNode]] = {"": []}
    for node in nodes:
        if node.type == "heading" and node.tag == "h2":
            found[words(node)] = []
        if not (node.type == "heading" and node.tag == "h1"):
            found[list(found)[-1]].append(node)
    return found
