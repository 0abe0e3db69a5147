"""Warnings about a pipeline, and grants that it does not use. They do not change the verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from passrole.needs.document import Definition
from passrole.needs.emr import AUTO_SCALING
from passrole.needs.need import PASSED_TO
from passrole.needs.pipeline_needs import unknown_steps
from passrole.needs.verdicts import Answer, is_elsewhere
from passrole.policy.document import Statement, parse_document
from passrole.policy.evaluate import PolicySet, evaluate
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies
from passrole.policy.matching import action_matcher
from passrole.policy.near_misses import Distance
from passrole.policy.sagemaker_keys import networks
from passrole.policy.scope import Scope

_SPELLINGS: Final = "`sagemaker`, `sageMaker` and `SageMaker`"


@dataclass(frozen=True, slots=True)
class Unused:
    """Actions that a statement (its index from 0) grants and no need uses."""

    policy: str
    statement: int
    sid: str | None
    actions: tuple[str, ...]


class Warned(NamedTuple):
    """A warning, its rule's code (as docs/rules lists them), and the step that it is about."""

    code: str
    step: str | None
    message: str


def warnings(definition: Definition, answers: Sequence[Answer], version: str | None) -> list[str]:
    """The messages of `coded_warnings`."""
    return [each.message for each in coded_warnings(definition, answers, version)]


def coded_warnings(definition: Definition, answers: Sequence[Answer], version: str | None) -> list[Warned]:
    """Warnings; `version` is that of the managed policy, if one was chosen."""
    found = [
        *_unknown(definition),
        *_spellings(answers),
        *_fifo(answers),
        *_auto_scaling(answers),
        *_elsewhere(answers),
        *_networks(definition),
    ]
    if version is not None:
        found += _versions(answers, version)
    return list({each.message: each for each in found}.values())


def unused(answers: Sequence[Answer], policies: PolicySet) -> list[Unused]:
    """The unused grants of the identity-based policies, by statement, without those with NotAction."""
    scopes = [Scope(request) for answer in answers for request in answer.allowing]
    found = []
    for name, policy in policies.identity:
        for statement in policy.statements:
            if statement.allows and not statement.actions.negated:
                idle = _idle(statement, scopes)
                if idle:
                    found.append(Unused(name, statement.index, statement.sid, idle))
    return found


def _idle(statement: Statement, scopes: Sequence[Scope]) -> tuple[str, ...]:
    used = {
        scope.request.action.lower()
        for scope in scopes
        if statement.covers_action(scope.request.action.lower()) and statement.applies(scope)
    }
    return tuple(text for text in statement.actions.texts if not any(map(action_matcher(text), used)))


def _unknown(definition: Definition) -> Iterator[Warned]:
    for step in unknown_steps(definition):
        yield Warned(
            "PR201", step.name, f"step `{step.name}`: the needs of steps of type `{step.type}` are unknown"
        )


def _spellings(answers: Sequence[Answer]) -> Iterator[Warned]:
    for answer in answers:
        if any(miss.distance is Distance.LETTER_CASE for miss in answer.misses):
            name = answer.need.resource.rpartition(":")[2]
            yield Warned(
                "PR202",
                answer.need.step,
                f"`{name}` matches a policy except for letter case; the managed policy has only {_SPELLINGS}",
            )


def _fifo(answers: Sequence[Answer]) -> Iterator[Warned]:
    for answer in answers:
        if answer.need.action == "sqs:SendMessage" and answer.need.resource.endswith(".fifo"):
            name = answer.need.resource.rpartition(":")[2]
            yield Warned(
                "PR203",
                answer.need.step,
                f"`{name}` is a FIFO queue: a callback gives no MessageGroupId, so SQS will refuse it",
            )


def _elsewhere(answers: Sequence[Answer]) -> Iterator[Warned]:
    for answer in answers:
        need = answer.need
        if is_elsewhere(need, answer.request.resource_account):
            yield Warned(
                "PR205",
                need.step,
                f"`{need.resource}` is in another account: its resource policy, which is unknown here, must "
                "allow the role too",
            )


def _networks(definition: Definition) -> Iterator[Warned]:
    for step in definition.steps:
        if networks(step.arguments):
            yield Warned(
                "PR211",
                step.name,
                f"step `{step.name}`: its VpcConfig counts for permissions, and is not obeyed by passrole: "
                "what it runs has the network of the machine",
            )


def _auto_scaling(answers: Sequence[Answer]) -> Iterator[Warned]:
    for answer in answers:
        if answer.need.context.get(PASSED_TO) == AUTO_SCALING and not answer.allowed:
            yield Warned(
                "PR204",
                answer.need.step,
                f"step `{answer.need.step}`: no version of the managed policy passes an AutoScalingRole; "
                "the role needs iam:PassRole of its own for it",
            )


def _versions(answers: Sequence[Answer], version: str) -> Iterator[Warned]:
    """Needs that are missing only because the version is old."""
    managed: Mapping[str, PolicySet] = {
        each.id: PolicySet(((PIPELINES_INTEGRATIONS, parse_document(each.document)),))
        for each in policies()[PIPELINES_INTEGRATIONS].versions
    }
    later = [each for each in managed if each > version]
    gained: dict[tuple[str | None, str], list[str]] = {}
    for answer in answers:
        if answer.allowed or evaluate(answer.request, managed[version]).allowed:
            continue
        since = next((each for each in later if evaluate(answer.request, managed[each]).allowed), None)
        if since is not None:
            gained.setdefault((answer.need.step, since), []).append(answer.need.action)
    for (step, since), actions in gained.items():
        listed = ", ".join(dict.fromkeys(actions))
        yield Warned(
            "PR206", step, f"step `{step}` relies on what the managed policy has only since {since}: {listed}"
        )
