"""What is wrong with a policy, and what is suspicious in it: AWS's refusals, and warnings for people.

It decides nothing about requests. A refusal has AWS's words; a warning is about a document that AWS takes,
and that does not do what its author will have meant. Only documents that AWS takes are warned of.

- `lint(text, kind)` -> `Finding`s (linter.py)
- the rules, a file for each family: actions, resources, conditions, variables, access, escalation
- `known_actions()`: what the service authorization reference lists (reference.py)

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from passrole.policy.lint.findings import Finding
from passrole.policy.lint.linter import lint
from passrole.policy.lint.reference import known_actions
from passrole.policy.lint.resources import SPELLINGS

__all__ = ["SPELLINGS", "Finding", "known_actions", "lint"]
