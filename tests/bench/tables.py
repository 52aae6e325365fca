"""Tables as text for a terminal and as Markdown for docs/benchmarks.md."""
from dataclasses import dataclass, field

from rounds import number

Cell = str | float | None


@dataclass
class Table:
    title: str
    heads: list[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: Cell) -> None:
        self.rows.append(['' if cell is None else cell if isinstance(cell, str) else number(cell) for cell in cells])

    def check(self, name: str, value: float, wanted: float, below: bool = False) -> None:
        """A figure with what was asked of it."""
        good = value <= wanted if below else value >= wanted
        self.notes.append(f"{name} = {number(value)} (asked: {'≤' if below else '≥'} {wanted:g})"
                          f"{'' if good else ': **missed**'}")

    def markdown(self) -> str:
        lines = [f'### {self.title}', '']
        aligns = [':---' if column == 0 else '---:' for column in range(len(self.heads))]
        lines += [f"| {' | '.join(cells)} |" for cells in (self.heads, aligns, *self.rows)]
        if self.notes:
            lines += ['', *(f'- {note}' for note in self.notes)]
        return '\n'.join(lines) + '\n'

    def text(self) -> str:
        widths = [max(len(row[column]) for row in (self.heads, *self.rows)) for column in range(len(self.heads))]
        def line(cells: list[str]) -> str:
            return '  '.join(cell.ljust(width) if column == 0 else cell.rjust(width)
                             for column, (cell, width) in enumerate(zip(cells, widths))).rstrip()
        return '\n'.join([self.title, line(self.heads), *map(line, self.rows),
                          *(f'  {note}' for note in self.notes)]) + '\n'
