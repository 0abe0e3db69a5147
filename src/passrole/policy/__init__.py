"""IAM policies: documents, matching, conditions and the decision. Pure: no store, no wire, no clock.

- `parse_document` -> `CompiledPolicy`, or `MalformedPolicyDocument` (document.py)
- `evaluate(Request, PolicySet)` -> `Decision` (evaluate.py)
- `denial_message`, `message_for_caller` (explain.py), `near_misses` (near_misses.py): a refusal in words
- `managed.policies`: AWS managed policies that come with passrole
"""

from passrole.policy.denials import denial_message, message_for_caller
from passrole.policy.document import CompiledPolicy, MalformedPolicyDocument, parse_document
from passrole.policy.evaluate import Decision, PolicySet, evaluate
from passrole.policy.near_misses import near_misses
from passrole.policy.request import Principal, Request, service_principal

__all__ = [
    "CompiledPolicy",
    "Decision",
    "MalformedPolicyDocument",
    "PolicySet",
    "Principal",
    "Request",
    "denial_message",
    "evaluate",
    "message_for_caller",
    "near_misses",
    "parse_document",
    "service_principal",
]
