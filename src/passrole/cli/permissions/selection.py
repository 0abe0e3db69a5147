"""Which findings are reported: by code, severity, baseline and suppressions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from passrole.cli.documents import read_limited
from passrole.cli.errors import Misuse
from passrole.cli.permissions.findings import Finding, Suppressed, fingerprints_in
from passrole.cli.permissions.named_file import NamedFile
from passrole.cli.permissions.rules import SEVERITIES, Severity, covers, unknown_code
from passrole.cli.permissions.suppressions import Suppression, suppress, without_reason


@dataclass(frozen=True)
class Selection:
    """`levels` changes the severity of rules, `baseline` has the fingerprints of what is known."""

    select: tuple[str, ...] = ("PR",)
    ignore: tuple[str, ...] = ()
    severity: Severity = "note"
    levels: Mapping[str, Severity] = field(default_factory=dict)
    baseline: frozenset[str] = frozenset()
    by_file: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(
        self, found: Iterable[Finding], file: str, marks: Sequence[Suppression] = ()
    ) -> tuple[list[Finding], list[Suppressed]]:
        """The findings of a file that are reported, and those that are not."""
        levelled = [self._levelled(each) for each in (*found, *without_reason(file, marks))]
        kept, gone = suppress(levelled, marks, self.by_file)
        stays: list[Finding] = []
        for each in kept:
            why = self._why_not(each)
            if why is None:
                stays.append(each)
            else:
                gone.append(Suppressed(each, *why))
        return stays, gone

    def _levelled(self, found: Finding) -> Finding:
        level = next((level for code, level in self.levels.items() if covers([code], found.code)), None)
        return found if level is None else replace(found, severity=level)

    def _why_not(self, found: Finding) -> tuple[str, str] | None:
        if self.baseline and found.fingerprint in self.baseline:
            return "--baseline", "known before"
        if not covers(self.select, found.code):
            return "--select", "not selected"
        if covers(self.ignore, found.code):
            return "--ignore", "ignored"
        if SEVERITIES.index(found.severity) > SEVERITIES.index(self.severity):
            return "--severity", f"only a {found.severity}"
        return None


def selection(
    select: Sequence[str],
    ignore: Sequence[str],
    severity: Severity,
    baseline: NamedFile | None,
    project: Mapping[str, Mapping[str, Any]],
) -> Selection:
    """What the options and the settings of the project choose. Raises Misuse."""
    chosen, ignored = _codes(select), _codes(ignore)
    levels: dict[str, Any] = {str(code): level for code, level in project.get("levels", {}).items()}
    by_file = {
        pattern: {str(code): str(reason) for code, reason in dict(reasons).items()}
        for pattern, reasons in project.get("per-file-ignores", {}).items()
    }
    named = [*chosen, *ignored, *levels, *(code for each in by_file.values() for code in each)]
    unknown = unknown_code(named)
    if unknown is not None:
        raise Misuse(f"there is no rule `{unknown}`; the rules are listed in docs/rules")
    return Selection(
        chosen or ("PR",),
        ignored,
        severity,
        levels,
        _known(baseline),
        by_file,
    )


def _codes(listed: Sequence[str]) -> tuple[str, ...]:
    """Codes, separated by commas or given one by one."""
    return tuple(code.strip() for each in listed for code in each.split(",") if code.strip())


def _known(baseline: NamedFile | None) -> frozenset[str]:
    if baseline is None:
        return frozenset()
    try:
        return fingerprints_in(read_limited(baseline.path))
    except (ValueError, RecursionError) as error:
        raise Misuse(
            f"`{baseline.path}` is no baseline: {error}; write one with --format json --output FILE"
        ) from error
