"""Assuming a role: which actions the trust policy decides, and the condition keys of an AssumeRole call.

It issues no session. The rules (a trusted user of the same account needs no policy of its own, a trusted
account delegates to its own policies, across accounts both sides must allow, a service needs the trust policy
alone) are in `evaluate`.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
"""

from collections.abc import Mapping
from typing import Final

from passrole.policy.request import Values

ASSUME_ROLE: Final = "sts:AssumeRole"

# The actions that a trust policy allows: on a session of the role, and on what is given to it.
_TRUST_ACTIONS: Final = frozenset({"sts:assumerole", "sts:tagsession", "sts:setsourceidentity"})


def asks_trust(action: str) -> bool:
    """Whether the role's trust policy decides an action on a role."""
    return action.lower() in _TRUST_ACTIONS


def must_grant(action: str) -> bool:
    """Whether the policy of the resource must allow an action, since IAM alone does not: KMS's keys.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
    """
    return action.lower().startswith("kms:")


def assume_keys(
    *,
    session_name: str | None = None,
    external_id: str | None = None,
    source_identity: str | None = None,
    tags: Mapping[str, str] | None = None,
    transitive_tags: tuple[str, ...] = (),
) -> dict[str, Values]:
    """The condition keys of AssumeRole's parameters; a parameter that is not given is an absent key."""
    keys: dict[str, Values | None] = {
        "sts:RoleSessionName": session_name,
        "sts:ExternalId": external_id,
        "sts:SourceIdentity": source_identity,
        "sts:TransitiveTagKeys": transitive_tags or None,
        "aws:TagKeys": tuple(tags) if tags else None,
        **{f"aws:RequestTag/{name}": value for name, value in (tags or {}).items()},
    }
    return {key: value for key, value in keys.items() if value is not None}
