"""IAM's API: users, access keys, roles, managed policies, instance profiles. It decides nothing.

Rows are those of `identities.records`; what they mean for a caller is `identities.Directory`'s and
`policy`'s business.
"""

from passrole.services.iam import (
    access_keys,
    account_aliases,
    attachments,
    authorization_details,
    boundaries,
    context_keys,
    inline_policies,
    instance_profiles,
    policies,
    policy_entities,
    policy_tags,
    policy_versions,
    roles,
    service_linked,
    simulate,
    tags,
    users,
)

__all__ = [
    "access_keys",
    "account_aliases",
    "attachments",
    "authorization_details",
    "boundaries",
    "context_keys",
    "inline_policies",
    "instance_profiles",
    "policies",
    "policy_entities",
    "policy_tags",
    "policy_versions",
    "roles",
    "service_linked",
    "simulate",
    "tags",
    "users",
]
