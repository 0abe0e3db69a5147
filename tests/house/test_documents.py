"""The pages hang together: links lead to files and headings that exist, here and on the site."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", ".github/**/*.md", "docs/**/*.md", "src/**/*.md")
    for path in ROOT.glob(pattern)
)
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SITE = runpy.run_path(str(ROOT / "docs" / "build_site.py"))
MOVED = {
    # on the page          a link to              leads on the site to
    ("SECURITY.md",        "docs/why/a.md"):      "../why/a.md",
    ("docs/index.md",      "../SECURITY.md#a-b"): "project/security.md#a-b",
    ("docs/howto/b.md",    "../why/a.md"):        "../why/a.md",
    ("docs/howto/b.md",    "c.md#d"):             "../howto/c.md#d",
    ("docs/howto/b.md",    "../../src/passrole/examples/e/README.md"): "../examples/e.md",
    ("src/passrole/examples/e/README.md", "../../../../docs/howto/b.md"): "../howto/b.md",
    ("docs/howto/b.md",    "https://x.org/y.md"): "https://x.org/y.md",
    ("docs/howto/b.md",    "#here"):              "#here",
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    targets = [link.partition("#")[0] for link in LINK.findall(CODE.sub("", page.read_text()))]
    relative = [target for target in targets if target and "://" not in target]
    assert [target for target in relative if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_heading_leads_to_one(page: Path) -> None:
    links = [
        link.partition("#") for link in LINK.findall(CODE.sub("", page.read_text())) if "://" not in link
    ]
    inside = [(page.parent / path if path else page, anchor) for path, mark, anchor in links if mark]
    assert [anchor for target, anchor in inside if anchor not in set(_anchors(target))] == []


@pytest.mark.parametrize(("page", "link"), MOVED)
def test_a_link_between_pages_leads_to_the_same_page_on_the_site(page: str, link: str) -> None:
    pages = {
        "SECURITY.md": "project/security.md",
        "docs/index.md": "index.md",
        "src/passrole/examples/e/README.md": "examples/e.md",
        **{f"docs/{name}": name for name in ("howto/b.md", "howto/c.md", "why/a.md")},
    }
    assert SITE["relinked"](f"see [a]({link}).", page, pages) == f"see [a]({MOVED[page, link]})."


def test_a_link_to_a_file_that_is_no_page_is_text_on_the_site() -> None:
    assert SITE["relinked"]("[the code](../src/a.py), `[a](b.md)`", "docs/a.md", {"docs/a.md": "a.md"}) == (
        "the code, `[a](b.md)`"
    )


def test_every_page_is_in_the_navigation_of_the_site(tmp_path: Path) -> None:
    pages = SITE["gathered"](ROOT)
    for source, target in pages.items():
        (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / target).write_bytes((ROOT / source).read_bytes())
    navigation = SITE["navigation"](tmp_path)
    assert len(set(pages.values())) == len(pages) > 30
    assert [page for page in pages.values() if page.endswith(".md") and f'= "{page}"' not in navigation] == []


@pytest.mark.parametrize(
    ("html", "loads"),
    [
        ('<a href="https://docs.aws.amazon.com/">', False),
        ('<script src="../assets/a.js">', False),
        ('<script async src="https://cdn.example/a.js">', True),
        ('<link rel="stylesheet" href="//fonts.example/a.css">', True),
        ("<style>@import 'a.css'</style>", True),
        ("<p style='background: url(http://a.example/b.png)'>", True),
    ],
)
def test_the_site_must_not_load_from_other_hosts(html: str, loads: bool) -> None:
    assert SITE["loads_from_elsewhere"](html) is loads


def test_every_variable_that_the_code_reads_is_in_the_table_of_variables() -> None:
    elsewhere = (
        "runtimes/programs/",
        "runtimes/bootstrap.py",
        "examples/",
    )  # these run with AWS's own variables
    read = {
        name
        for path in (ROOT / "src" / "passrole").rglob("*.py")
        if not path.relative_to(ROOT / "src" / "passrole").as_posix().startswith(elsewhere)
        for name in re.findall(r"""environ(?:\.get\(|\[)["'](\w+)""", path.read_text())
    }
    page = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert "PASSROLE_DATA" in read
    assert [name for name in sorted(read) if f"`{name}`" not in page] == []


def test_every_decision_has_a_number_of_its_own() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_the_number_of_its_file(page: Path) -> None:
    assert page.read_text().startswith(f"# {int(page.name[:4])}. ")


def _anchors(page: Path) -> Iterator[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    for heading in HEADING.findall(re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)):
        words = re.sub(r"[^\w\s-]", "", re.sub(r"\]\([^)]*\)", "", heading).lower())
        yield words.strip().replace(" ", "-")
