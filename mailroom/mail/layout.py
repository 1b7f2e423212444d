"""How large a page becomes when its tables are set: a page of 100 KB can ask for gigabytes of blanks.

A table is as wide as the widest cells of its columns together, and each of its lines is filled up to that width.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from lxml import etree, html  # type: ignore[import-untyped]  # lxml publishes no annotations

_CELLS = {"td", "th"}


@dataclass(slots=True)
class _Box:
    """The page, a table or a cell: its longest line so far, the line that is being written, and its columns."""

    longest: int = 0
    line: int = 0
    columns: list[int] = field(default_factory=list)
    column: int = 0

    @property
    def width(self) -> int:
        """Its longest line, or its columns side by side; a cell has some where it holds cells without a table."""
        return max(self.longest, sum(self.columns) + len(self.columns))

    def write(self, length: int) -> None:
        self.line += length
        self.longest = max(self.longest, self.line)

    def set_cell(self, width: int) -> None:
        if self.column == len(self.columns):
            self.columns.append(0)
        self.columns[self.column] = max(self.columns[self.column], width)
        self.column += 1


def room(root: html.HtmlElement, blocks: Collection[str]) -> int:
    """Bound the characters that a page takes once its tables are set: its widest line times its lines.

    `blocks` are the elements that begin a line. Never too low for what inscriptis makes of rows and cells; often
    too high, since it counts the line ends of the source.
    """
    boxes, lines = [_Box()], 1
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if element.tag in blocks:
            boxes[-1].line = 0
            lines += 1
        _open(boxes, element.tag) if event == "start" else _close(boxes, element.tag)
        piece = (element.text if event == "start" else element.tail) or ""
        boxes[-1].write(len(piece))
        lines += piece.count("\n")
    return lines * boxes[0].width


def _open(boxes: list[_Box], tag: str) -> None:
    if tag == "tr":
        boxes[-1].column = 0
    if tag == "table" or tag in _CELLS:
        boxes.append(_Box())


def _close(boxes: list[_Box], tag: str) -> None:
    if tag == "table":
        width = boxes.pop().width
        boxes[-1].write(width)
    elif tag in _CELLS:
        width = boxes.pop().width
        boxes[-1].set_cell(width)
