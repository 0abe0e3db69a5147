"""Users, roles, access keys and sessions, and the policies that apply to them. It knows no HTTP.

- `Directory`: access key -> secret and principal; principal -> its policies, from memory (directory.py)
- `UnknownKey`, `ExpiredSession`: raised for invalid credentials (sessions.py)
- `onboard`, `onboarded`: the first identities of a store (onboarding.py)
- `principals`: users and roles in stored policies, by unique id; in responses, by ARN
- `records`: users, keys, roles, policies, instance profiles as rows, for `services/iam`
- `sessions`: temporary credentials without rows, for `services/sts`
"""

from passrole.identities import principals, records, sessions
from passrole.identities.directory import AccessKeyIdentity, Directory, managed_document
from passrole.identities.onboarding import Onboarded, onboard, onboarded
from passrole.identities.sessions import ExpiredSession, UnknownKey

__all__ = [
    "AccessKeyIdentity",
    "Directory",
    "ExpiredSession",
    "Onboarded",
    "UnknownKey",
    "managed_document",
    "onboard",
    "onboarded",
    "principals",
    "records",
    "sessions",
]
