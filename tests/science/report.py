"""docs/science.md: the text around the numbers, and where each number goes."""
from sources import CHECKOUT

DOCUMENT = CHECKOUT / "docs" / "science.md"
TEMPLATE = CHECKOUT / "tests" / "science" / "science.md.in"


def table(header, rows):
    """Markdown."""
    parts = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in parts)


class Report(dict):
    """name → Markdown. Written only when every place of the template has its part: a run without the shared
    data, or of some tests only, leaves the document as it is."""

    def write(self):
        text = TEMPLATE.read_text()
        for name, part in self.items():
            text = text.replace("{{" + name + "}}", part)
        if "{{" in text:
            print(f"\n{DOCUMENT} is left as it is: not all was measured")
        elif not DOCUMENT.exists() or DOCUMENT.read_text() != text:
            DOCUMENT.write_text(text)
