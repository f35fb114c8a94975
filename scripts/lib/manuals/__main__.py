"""Writes the manual pages and the completions below a folder: man/NAME.SECTION, completions/SHELL/FILE."""

import sys
from pathlib import Path

from scripts.lib.manuals.completions import completions
from scripts.lib.manuals.pages import pages


def write(folder: Path) -> list[Path]:
    """Writes all; returns the files."""
    found = {f"man/{page.file}": page.text for page in pages()}
    found |= {f"completions/{path}": text for path, text in completions().items()}
    for name, text in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in found]


if __name__ == "__main__":
    print(f"{len(write(Path(sys.argv[1])))} files are in {sys.argv[1]}")
