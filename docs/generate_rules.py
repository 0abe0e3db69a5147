"""Writes docs/rules: a page for each rule of `check` and `policy lint`, and a list of them."""

from pathlib import Path

from passrole.cli.permissions.rules import Rule, rules

FOLDER = Path(__file__).parent / "rules"
HOWTO = "check-in-ci"
FAMILIES = {
    "PR0": "Files and suppressions",
    "PR1": "Permissions",
    "PR2": "Pipelines and roles",
    "PR3": "Policies (`passrole policy lint`)",
}


def pages() -> dict[str, str]:
    """The text of each file of the folder."""
    return {"README.md": contents(), **{f"{rule.code}.md": page(rule) for rule in rules().values()}}


def page(rule: Rule) -> str:
    """The page of a rule."""
    return "\n".join(
        [
            f"# {rule.code}: {rule.name}",
            "",
            rule.summary,
            "",
            f"- level: {rule.level}",
            f"- why: {rule.why}",
            f"- what to do: {rule.fix}",
            f"- AWS's page: <{rule.see}>",
            "",
            f"Leave it out with `--ignore {rule.code}`, or "
            f"[suppress it](../howto/{HOWTO}.md#suppress-a-finding) with a reason.",
            "",
        ]
    )


def contents() -> str:
    """The list of all rules, and how findings are chosen."""
    lines = ["# Rules", "", "The rules of `passrole check` and `passrole policy lint`."]
    for prefix, title in FAMILIES.items():
        lines += ["", f"## {title}", "", "| code | name | level | |", "|---|---|---|---|"]
        lines += [
            f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.level} | {rule.summary} |"
            for rule in rules().values()
            if rule.code.startswith(prefix)
        ]
    return "\n".join(
        [*lines, "", f"How to choose rules and suppress findings: [{HOWTO}](../howto/{HOWTO}.md).", ""]
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
