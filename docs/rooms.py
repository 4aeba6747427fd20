"""Draw the rooms of study/ and what each imports, into docs/architecture.md: `make rooms`."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from study.utils.imports import ROOT, imported_by

PAGE = ROOT / "docs/architecture.md"
BEGIN, END = "<!-- rooms: written by `make rooms` -->", "<!-- rooms end -->"
Arrows = dict[str, set[str]]


def room_of(file: Path) -> str:
    """The room that a file of study/ is in; a file that lies flat is a room of its own."""
    return file.relative_to(ROOT / "study").parts[0].removesuffix(".py")


def rooms() -> tuple[dict[str, list[Path]], Arrows]:
    """The files of each room, and the rooms that each imports."""
    files: dict[str, list[Path]] = {}
    for file in sorted((ROOT / "study").rglob("*.py")):
        files.setdefault(room_of(file), []).append(file)
    files = {name: found for name, found in files.items() if name not in ("__init__", "samples")}
    arrows = {
        name: {room_of(other) for file in found for other in imported_by(file, (ROOT,))} & files.keys() - {name}
        for name, found in files.items()
    }
    return files, arrows


def reachable(name: str, arrows: Arrows) -> set[str]:
    """All rooms that a room reaches."""
    found: set[str] = set()
    left = [*arrows[name]]
    while left:
        if (one := left.pop()) not in found:
            found.add(one)
            left += arrows[one]
    return found


def essential(arrows: Arrows) -> Arrows:
    """The arrows that do not follow from others: what a drawing needs to show."""
    return {
        name: {one for one in targets if not any(one in reachable(other, arrows) for other in targets - {one})}
        for name, targets in arrows.items()
    }


def drawing() -> str:
    """The drawing as Mermaid, and a table of the rooms from the top down."""
    files, arrows = rooms()
    top_down = sorted(files, key=lambda name: (-len(reachable(name, arrows)), name))
    lines = [f"    {name} --> {one}" for name in top_down for one in sorted(essential(arrows)[name])]
    rows = [f"| `{name}` | {_purpose(files[name])} |" for name in top_down]
    table = ["| room, from the top down | what it is for |", "|---|---|", *rows]
    return "\n".join(["```mermaid\nflowchart TD", *lines, "```", "", *table])


def _purpose(files: list[Path]) -> str:
    face = next((file for file in files if file.name == "__init__.py"), files[0])
    return (ast.get_docstring(ast.parse(face.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def with_drawing(page: str) -> str:
    """The page with the drawing as the code has it now."""
    block = f"{BEGIN}\n\n{drawing()}\n\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: block, page, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(with_drawing(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
