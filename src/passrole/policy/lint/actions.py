"""Rules about actions: unknown ones, and those that do not apply to any resource of their statement."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import chain
from typing import Final

from passrole.policy.lint.findings import Element, StatementRule, listed
from passrole.policy.lint.pattern_overlap import overlap
from passrole.policy.lint.reference import known_actions, known_resources, known_services
from passrole.policy.matching import action_matcher
from passrole.policy.syntax import DocumentKind


def why_unknown(action: str) -> str | None:
    """Why there is no such action, with the one that was probably meant; None where there is, or may be."""
    element: Element = {"Action": action}
    found = chain(_strange_services(element, "identity"), _strange_actions(element, "identity"))
    return next(found, None)


def _strange_services(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for text in listed(element, "Action", "NotAction"):
        service, colon, _ = text.partition(":")
        if colon and service.lower() not in known_services():
            near = get_close_matches(service.lower(), known_services(), n=1, cutoff=0.6)
            advice = f"; did you mean `{near[0]}`?" if near else ""
            yield f"there is no service with the prefix `{service}` of `{text}`{advice}"


def _strange_actions(element: Element, _kind: DocumentKind) -> Iterator[str]:
    for text in listed(element, "Action", "NotAction"):
        service, _, name = text.partition(":")
        actions = known_actions().get(service.lower())
        if actions is None or _covered(text):
            continue
        lowered = {action.lower(): action for action in actions}
        near = get_close_matches(name.lower(), lowered, n=1, cutoff=0.5)
        advice = f"; did you mean `{service}:{lowered[near[0]]}`?" if near else ""
        yield f"there is no action `{text}`{advice}"


def _never_meet(element: Element, kind: DocumentKind) -> Iterator[str]:
    """Actions and resources of one statement that never apply together."""
    resources = listed(element, "Resource")
    if kind in ("resource", "trust") or not resources or "*" in resources:
        return
    shapes = {text: _resources_of(text) for text in listed(element, "Action")}
    for text, known in shapes.items():
        if known is None:
            continue
        if not any(overlap(resource, shape) for resource in resources for shape in known):
            fit = " or ".join(f"`{shape}`" for shape in known) or '`"*"` alone'
            yield (f"no resource of the statement is one for `{text}`, so it does nothing; it is for {fit}")
    if None in shapes.values():  # some may be for any resource
        return
    every = [shape for known in shapes.values() for shape in known or ()]
    for resource in resources:
        if not any(overlap(resource, shape) for shape in every):
            yield f"no action of the statement is one for `{resource}`, so it does nothing; remove it"


def _covered(text: str) -> list[tuple[str, str]]:
    """The known actions that match a pattern, as service and name."""
    service, _, name = text.partition(":")
    fits = action_matcher(name)
    return [
        (service.lower(), each) for each in known_actions().get(service.lower(), ()) if fits(each.lower())
    ]


def _resources_of(text: str) -> tuple[str, ...] | None:
    """The ARN patterns of the actions' resources; None if they are unknown."""
    covered = _covered(text)
    found = {arn for service, name in covered for arn in known_resources()[service][name]}
    return tuple(sorted(found)) if covered else None


RULES: Final[Mapping[str, StatementRule]] = {
    "PR311": _strange_services,
    "PR312": _strange_actions,
    "PR313": _never_meet,
}
