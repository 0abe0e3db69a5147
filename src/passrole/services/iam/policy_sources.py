"""The policies of a simulation, each with the name that its results have for it.

It decides nothing. A source is the text of a policy, compiled; inline policies, managed ones and those
given with the call are alike from here on.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from passrole.identities import managed_document, records
from passrole.identities.records import Role, User
from passrole.policy import CompiledPolicy, MalformedPolicyDocument, parse_document
from passrole.policy.context_keys import context_keys, distinct
from passrole.policy.document import compile_document
from passrole.policy.positions import Span, statement_spans
from passrole.policy.syntax import DocumentKind
from passrole.services.context import Context
from passrole.services.iam import kinds, refusals
from passrole.services.operation import Parameters
from passrole.store import Tx

Holder = User | Role


@dataclass(frozen=True)
class Source:
    """One policy; `type_` is `IAM Policy` or `Resource Policy`, as AWS answers against its own model."""

    id: str
    text: str
    policy: CompiledPolicy
    kind: DocumentKind = "identity"
    type_: str = "IAM Policy"

    @cached_property
    def spans(self) -> list[Span]:
        """Where its statements stand."""
        return statement_spans(self.text)

    @cached_property
    def keys(self) -> list[list[str]]:
        """The condition keys of each of its statements."""
        return context_keys(json.loads(self.text))


@dataclass(frozen=True)
class PrincipalPolicies:
    """A user or role with the policies that count for it."""

    holder: Holder
    sources: Sequence[Source]
    boundary: Source | None


def given(texts: Sequence[str], parameter: str) -> list[Source]:
    """Policies of the call itself, named by their number from 1. Raises InvalidInput."""
    return [given_one(text, f"{parameter}.{number}") for number, text in enumerate(texts, 1)]


def given_one(text: str, name: str, kind: DocumentKind = "identity") -> Source:
    """A policy of the call itself. Raises InvalidInput."""
    try:
        policy = parse_document(text, kind)
    except MalformedPolicyDocument as error:
        raise refusals.invalid_input(f"{name}: {error.message}") from None
    return Source(name, text, policy, kind, "IAM Policy" if kind == "identity" else "Resource Policy")


async def policies_of(ctx: Context, arn: str) -> PrincipalPolicies:
    """A user or role by its ARN, and its policies. Raises NoSuchEntity, ValidationError, InvalidInput."""

    def read(tx: Tx) -> PrincipalPolicies:
        holder = _holder(tx, arn)
        boundary = _managed(tx, holder.boundary) if holder.boundary else None
        attached = [_managed(tx, each) for each in holder.attached]
        return PrincipalPolicies(holder, [*_inline(holder), *attached], boundary)

    return await ctx.store.read(read)


def keys_of(sources: Sequence[Source]) -> dict[str, Any]:
    """The answer of GetContextKeysFor...Policy."""
    keys = [key for source in sources for statement in source.keys for key in statement]
    return {"ContextKeyNames": distinct(keys)}


def policy_source(_ctx: Context, parameters: Parameters) -> str:
    """The resource of a call about a principal."""
    return str(parameters["policy_source_arn"])


_KINDS: Mapping[str, tuple[Any, str]] = {
    "user": (records.USERS, kinds.USER.missing),
    "role": (records.ROLES, kinds.ROLE.missing),
}


def _holder(tx: Tx, arn: str) -> Holder:
    if len(arn.split(":", 5)) != 6 or not arn.startswith("arn:"):
        raise refusals.no_arn()
    noun, _, path = arn.split(":", 5)[-1].partition("/")
    if not arn.startswith("arn:aws:iam::") or noun not in _KINDS:
        raise refusals.invalid_input(
            f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        )
    collection, missing = _KINDS[noun]
    found: Holder | None = records.find_arn(tx, collection, arn)
    if found is None:
        raise refusals.no_such(missing.format(path.rpartition("/")[2]))
    return found


def _inline(holder: Holder) -> Iterator[Source]:
    noun = "role" if isinstance(holder, Role) else "user"
    for name, text in holder.inline.items():
        yield _stored(f"{noun}_{holder.name}_{name}", text)


def _managed(tx: Tx, arn: str) -> Source:
    # A policy that is gone grants nothing, and bounds to nothing.
    text = managed_document(tx, arn) or '{"Version":"2012-10-17","Statement":[]}'
    return _stored(arn.rpartition("/")[2], text)


def _stored(name: str, text: str) -> Source:
    # Checked when it was stored, by the rules of that day.
    return Source(name, text, compile_document(json.loads(text)))
