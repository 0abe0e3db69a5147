"""Findings as SARIF 2.1.0, as GitHub's code scanning reads it.

Rules have texts and links; results have a region, a relative path and a fingerprint, which keeps an alert the
same when its lines move.
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from passrole.cli.permissions.findings import Finding
from passrole.cli.permissions.report import printable
from passrole.cli.permissions.rules import Rule, rules
from passrole.cli.permissions.source_root import relative

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_RESULTS_MAX: Final = 25_000  # of a run; code scanning refuses more
_ROOT: Final = "%SRCROOT%"


def as_sarif(findings: Sequence[Finding]) -> str:
    """One run with all findings, and the rules that they are of."""
    codes = sorted({each.code for each in findings})
    driver = {
        "name": "passrole",
        "semanticVersion": version("passrole"),
        "rules": [_rule(rules()[code]) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, codes.index(each.code)) for each in findings[:_RESULTS_MAX]],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary} {rule.why}"},
        "help": {
            "text": f"{rule.why} {rule.fix}",
            "markdown": f"{rule.why}\n\n**What to do:** {rule.fix}\n\n[AWS's page]({rule.see})",
        },
        "helpUri": rule.see,
        "defaultConfiguration": {"level": rule.level},
        "properties": {"tags": ["iam", "sagemaker"], "problem.severity": _problem(rule)},
    }


def _problem(rule: Rule) -> str:
    """Code scanning's own word for a level."""
    return "recommendation" if rule.level == "note" else rule.level


def _result(found: Finding, index: int) -> dict[str, Any]:
    file = relative(found.file)
    place: dict[str, Any] = {"uri": quote(file, safe="/:@")}
    if not PurePath(file).is_absolute():
        place["uriBaseId"] = _ROOT
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": place,
            "region": {"startLine": found.place.line, "startColumn": found.place.column},
        }
    }
    if found.path:
        location["logicalLocations"] = [{"fullyQualifiedName": printable(found.path)}]
    result = {
        "ruleId": found.code,
        "ruleIndex": index,
        "level": found.severity,
        "message": {"text": printable(found.message)},
        "locations": [location],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{found.fingerprint}:1",
            "passroleFingerprint": found.fingerprint,
        },
    }
    if found.need is not None:
        result["properties"] = {"action": found.need.action, "resource": printable(found.need.resource)}
    return result
