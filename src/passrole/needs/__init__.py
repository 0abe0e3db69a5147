"""The permissions that a pipeline needs, and whether its roles have them. It knows no store, wire and clock.

- `read_definition` -> `Definition`: steps of any type, with parameters filled in (document.py)
- `needs_of_role`, `needs_of_caller` -> `Need`s (pipeline_needs.py), from a table by step type (table.py);
  `needs_of_job_roles` -> those of the jobs' own roles (job_roles.py)
- `evaluate_needs` -> `Answer`s (verdicts.py); `unused`, `warnings`: unused grants and warnings (advice.py)
- `refusals`: what CreatePipeline refuses (refusals.py)
- `starts_and_approves`: warnings of a principal that may do both (four_eyes.py)
- `least_privilege` -> the smallest policy that allows the needs (least_privilege.py)
"""

from passrole.needs.advice import Unused, Warned, coded_warnings, unused, warnings
from passrole.needs.document import Definition, RawStep, read_definition
from passrole.needs.four_eyes import starts_and_approves
from passrole.needs.job_roles import needs_of_job_roles
from passrole.needs.least_privilege import least_privilege, trust_document
from passrole.needs.need import Need, Place
from passrole.needs.pipeline_needs import (
    keys_of_calls,
    needs_of_caller,
    needs_of_role,
    place_of,
    trust_need,
    unknown_steps,
)
from passrole.needs.refusals import refusals
from passrole.needs.verdicts import Answer, evaluate_needs, execution_role_session

__all__ = [
    "Answer",
    "Definition",
    "Need",
    "Place",
    "RawStep",
    "Unused",
    "Warned",
    "coded_warnings",
    "evaluate_needs",
    "execution_role_session",
    "keys_of_calls",
    "least_privilege",
    "needs_of_caller",
    "needs_of_job_roles",
    "needs_of_role",
    "place_of",
    "read_definition",
    "refusals",
    "starts_and_approves",
    "trust_document",
    "trust_need",
    "unknown_steps",
    "unused",
    "warnings",
]
