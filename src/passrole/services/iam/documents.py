"""Policy documents: checked in requests, URL-encoded in responses."""

from urllib.parse import quote

from passrole.arns import Account
from passrole.identities import principals
from passrole.policy import MalformedPolicyDocument, parse_document
from passrole.policy.syntax import DocumentKind
from passrole.services.iam import refusals
from passrole.store import Tx


def checked(text: str, kind: DocumentKind = "identity") -> str:
    """The document as it came. Raises MalformedPolicyDocument."""
    try:
        parse_document(text, kind)
    except MalformedPolicyDocument as error:
        raise refusals.malformed(error.message) from None
    return text


def pinned(tx: Tx, account: Account, trust: str) -> str:
    """A trust document as it is stored, users and roles by id. Raises MalformedPolicyDocument."""
    try:
        return principals.with_unique_ids(tx, account, trust)
    except principals.UnknownPrincipal as unknown:
        raise refusals.malformed(f'Invalid principal in policy: "AWS":"{unknown.name}"') from None


def size(text: str) -> int:
    """Characters as IAM counts them for its limits: white space is free."""
    return sum(not letter.isspace() for letter in text)


def encoded(text: str) -> str:
    """As GetRolePolicy and its like answer; clients decode it (RFC 3986)."""
    return quote(text, safe="")
