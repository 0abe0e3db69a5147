"""Who exists, whose a key is, and which policies apply to them. It knows no HTTP and decides nothing.

- `Directory`: access key -> secret and principal; principal -> its policies, from memory (directory.py)
- `UnknownKey`, `ExpiredSession`: what it answers to keys that do not count (sessions.py)
- `onboard`, `onboarded`: the first identities of a store (onboarding.py)
- `principals`: users and roles in policies of others, by unique id where kept, by ARN where shown
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
