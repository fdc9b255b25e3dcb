"""`python -m settings.catalogue`: write `.env.example`, README's table and compose.yaml again."""

from __future__ import annotations

from pathlib import Path

from settings.catalogue import pages
from settings.command_line import terminal

ROOT = Path(__file__).parents[2]


def written(root: Path = ROOT) -> dict[Path, str]:
    """Each file with the text that it should have."""
    readme, compose = root / "README.md", root / "compose.yaml"
    return {
        root / ".env.example": pages.example(),
        readme: pages.readme(readme.read_text(encoding="utf-8")),
        compose: pages.compose(compose.read_text(encoding="utf-8")),
    }


def main() -> None:
    """Write them."""
    for path, text in written().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    terminal.forgive()
    main()
