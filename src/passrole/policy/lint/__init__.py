"""Lints policies: errors for which AWS refuses a document, and warnings about accepted ones.

It evaluates no requests. An error has AWS's message; a warning is about a document that AWS accepts but that
probably does not do what its author meant. A document with errors gets no warnings.

- `lint(text, kind)` -> `Finding`s (linter.py)
- the rules, a file for each family: actions, resources, conditions, variables, access, escalation
- `known_actions()`: the actions of the service authorization reference (reference.py)

https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from passrole.policy.lint.findings import Finding
from passrole.policy.lint.linter import CODES, lint
from passrole.policy.lint.reference import known_actions
from passrole.policy.lint.resources import SPELLINGS

__all__ = ["CODES", "SPELLINGS", "Finding", "known_actions", "lint"]
