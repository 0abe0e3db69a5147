"""Builds the site: gathers the pages, adds the navigation, and lets Zensical check and render them.

The pages are those of docs/ and the documents of the repository's root. A page of the root, such as
SECURITY.md, has another place on the site than in the repository, so links are written anew. A link to a file
that is no page stays as its text, because the site has no address for it.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build" / "docs"
EXAMPLES = "src/passrole/examples"
PATTERNS = ("docs/**/*.md", "docs/**/*.svg", "docs/**/*.png", f"{EXAMPLES}/*/README.md", "*.md")
LEFT_OUT = {
    "README.md",  # docs/index.md is the site's first page
    "docs/reference/parity-choices.md",  # is a part of docs/reference/parity.md
}
CODE = re.compile(r"(```.*?```|``.+?``|`[^`]*`)", re.DOTALL)
LINK = re.compile(r"(?<!!)\[([^][]*)\]\(([^)\s]+)\)")
LOADING = re.compile(
    r"<(?!a\b)\w+\b[^>]*\s(?:src|srcset|href|data)=[\"']?(?:https?:)?//|@import|url\([\"']?http"
)
SECTIONS = {
    "Tutorial": "tutorial",
    "How to": "howto",
    "Reference": "reference",
    "Rules": "rules",
    "Why": "why",
    "Examples": "examples",
    "Decisions": "decisions",
    "Project": "project",
}
FIRST = ("tutorial/install.md", "tutorial/first-pipeline.md", "reference/cli.md", "reference/settings.md")


def main() -> None:
    pages = gathered(ROOT)
    shutil.rmtree(BUILD, ignore_errors=True)
    for source, target in pages.items():
        to = BUILD / "pages" / target
        to.parent.mkdir(parents=True, exist_ok=True)
        if source.endswith(".md"):
            to.write_text(relinked((ROOT / source).read_text(), source, pages))
        else:
            shutil.copyfile(ROOT / source, to)
    settings = BUILD / "zensical.toml"
    settings.write_text((ROOT / "docs" / "zensical.toml").read_text() + navigation(BUILD / "pages"))
    zensical = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("zensical")
    built = subprocess.run([zensical, "build", "--strict", "--config-file", settings], check=False)  # noqa: S603
    if built.returncode:
        sys.exit(built.returncode)
    site = BUILD / "site"
    if loading := [
        str(path) for path in sorted(site.rglob("*.html")) if loads_from_elsewhere(path.read_text())
    ]:
        sys.exit(f"these pages load something from another host: {', '.join(loading)}")
    print("the site is in", site)


def gathered(root: Path) -> dict[str, str]:
    """Each page and picture of the site, by its place in the repository."""
    found = {path.relative_to(root).as_posix() for pattern in PATTERNS for path in root.glob(pattern)}
    return {source: _on_site(source) for source in sorted(found - LEFT_OUT)}


def relinked(text: str, source: str, pages: Mapping[str, str]) -> str:
    """A page whose links between files lead to their places on the site."""

    def link(match: re.Match[str]) -> str:
        words, address = match.groups()
        path, mark, anchor = address.partition("#")
        if not path or "://" in address or address.startswith("mailto:"):
            return match[0]
        target = pages.get(_joined(source, path))
        return f"[{words}]({_between(pages[source], target)}{mark}{anchor})" if target else words

    return _outside_code(text, lambda part: LINK.sub(link, part))


def loads_from_elsewhere(html: str) -> bool:
    """Whether a browser that shows the page asks another host for something: readers are not counted."""
    return LOADING.search(html) is not None


def navigation(pages: Path) -> str:
    """The setting `nav`: sections in the order of SECTIONS, pages by title, with those of FIRST before."""
    lines = ["", "[[project.nav]]", 'Home = "index.md"']
    for section, folder in SECTIONS.items():
        found = [path.relative_to(pages).as_posix() for path in (pages / folder).rglob("*.md")]
        entries = ", ".join(
            f'{{ "{title}" = "{page}" }}' for title, page in sorted(_titled(pages, found), key=_rank)
        )
        if entries:
            lines += ["", "[[project.nav]]", f'"{section}" = [{entries}]']
    return "\n".join([*lines, ""])


def _on_site(source: str) -> str:
    if source.startswith("docs/"):
        return source.removeprefix("docs/")
    if source.startswith(EXAMPLES):
        return f"examples/{PurePosixPath(source).parent.name}.md"
    if source == "SECURITY.md":
        return "why/security.md"
    return f"project/{source.lower()}"


def _joined(source: str, path: str) -> str:
    """A relative link's file, from the root of the repository."""
    parts: list[str] = []
    for part in (PurePosixPath(source).parent / path).parts:
        if part == "..":
            parts = parts[:-1]
        else:
            parts.append(part)
    return "/".join(parts)


def _between(source: str, target: str) -> str:
    return "../" * source.count("/") + target


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    return "".join(part if part.startswith("`") else change(part) for part in CODE.split(text))


def _titled(pages: Path, found: list[str]) -> Iterator[tuple[str, str]]:
    for page in found:
        heading = (pages / page).read_text().partition("\n")[0]
        yield re.sub(r"[`*\"]", "", heading.removeprefix("# ").strip()), page


def _rank(entry: tuple[str, str]) -> tuple[int, str]:
    title, page = entry
    return (
        FIRST.index(page) if page in FIRST else len(FIRST),
        page if page.startswith("decisions") else title,
    )


if __name__ == "__main__":
    main()
