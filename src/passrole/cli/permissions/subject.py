"""Whose permissions `check` is about: a role from files, a managed policy's version, or a server's role.

It judges nothing. Input that cannot be used is Misuse: exit code 1 is for missing permissions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from passrole import arns
from passrole.arns import Account, Region
from passrole.cli.errors import Failed, Misuse, aws_errors_reported
from passrole.cli.permissions.named_file import NamedFile, named_file
from passrole.cli.permissions.policy_files import managed_policy, read_text
from passrole.cli.permissions.role_files import Permissions, boundary_in, permissions_in, trust_in
from passrole.client import ServerUnavailable
from passrole.clock import system_clock
from passrole.config import Config
from passrole.definition.problems import DefinitionError
from passrole.needs.document import Definition, UnreadableDefinition, read_definition
from passrole.needs.least_privilege import trust_document
from passrole.needs.need import Need, Place, role_arn
from passrole.needs.pipeline_needs import keys_of_calls
from passrole.needs.verdicts import Answer, evaluate_needs, execution_role_session
from passrole.policy.document import CompiledPolicy, parse_document
from passrole.policy.evaluate import PolicySet
from passrole.policy.request import Principal, Values
from passrole.policy.request_keys import time_keys

if TYPE_CHECKING:
    from passrole.cli.permissions.attached_policies import ClientOf

# Names for roles of which only the policies are given: the pipeline's role, and that of its jobs.
UNNAMED = "execution-role"
_UNNAMED_OF_JOBS = "job-role"


@dataclass(frozen=True)
class Choice:
    """The values of the options."""

    config: Config
    policies: tuple[NamedFile, ...] = ()
    boundary: NamedFile | None = None
    trust: NamedFile | None = None
    version: str | None = None
    role: str | None = None
    caller: NamedFile | None = None
    job_roles: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """A role's session with its policies; `version` is the managed policy's where one was chosen.

    `client_of` leads to where the role is, and what it uses; None of a role that is given by files. `said`
    tells people what was taken of those files, `warnings` what could not be.
    """

    principal: Principal
    place: Place
    policies: PolicySet
    version: str | None
    client_of: "ClientOf | None" = None
    said: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def role_arn(self) -> str:
        """The role itself."""
        return self.principal.role_arn or ""


def subject_of(choice: Choice, place: Place, wanted: str | None = None) -> Subject:
    """The role that the options describe; `wanted` is the ARN of the one that the pipeline names.

    Raises Misuse.
    """
    if choice.role is not None:
        if choice.policies or choice.boundary or choice.trust:
            raise Misuse("--role brings its own policies; leave out --policy, --boundary and --trust")
        if choice.tags:
            raise Misuse("--role brings its own tags; leave out --role-tag")
        return role_at_server(choice, choice.role)
    if not choice.policies and choice.version is None:
        raise Misuse("no role to check: pass --policy, --managed-version or --role")
    given = [permissions_in(each, place, wanted, choice.version) for each in choice.policies]
    arn = next((each.role_arn for each in given if each.role_arn), None)
    found = arns.parse(arn or "")
    if found is not None and place.account == choice.config.account:
        place = place._replace(account=found.account)
    return _described(choice, place, wanted, given, arn)


def _described(
    choice: Choice, place: Place, wanted: str | None, given: Sequence[Permissions], arn: str | None
) -> Subject:
    """A role of files: of its parts the options come first, then what the files tell."""
    identity = [policy for each in given for policy in each.identity]
    if choice.version is not None:
        managed = managed_policy(choice.version)
        identity += [managed] if managed[0] not in dict(identity) else []
    if not identity:
        raise Misuse(
            f"{'; '.join(said for each in given for said in each.said)}: it has no policy; add one with"
            " --policy, or give what `aws iam get-account-authorization-details` answers"
        )
    said = [line for each in given for line in each.said]
    trust = next((each.trust for each in given if each.trust), None)
    if choice.trust is not None:
        trust, more = trust_in(choice.trust, place, wanted)
        said += more
    elif not choice.policies:
        trust = parse_document(trust_document(), "trust")
    boundary = next((each.boundary for each in given if each.boundary), None)
    if choice.boundary is not None:
        boundary = boundary_in(choice.boundary, place)
    tags = {name: value for each in given for name, value in each.tags.items()}
    session = execution_role_session(arn or role_arn(UNNAMED, place))
    return Subject(
        replace(session, tags={**tags, **choice.tags}),
        place,
        PolicySet(tuple(identity), None, boundary, trust=trust),
        choice.version,
        said=tuple(said),
        warnings=tuple(warning for each in given for warning in each.warnings),
    )


def job_role_of(choice: Choice, place: Place, read: Callable[[str], Subject] | None = None) -> Subject | None:
    """The role of the pipeline's jobs, where one is given: by files of its policies, or by name.

    `read` looks a name up, by default in the data folder. Raises Misuse.
    """
    if not choice.job_roles:
        return None
    files = [found for each in choice.job_roles if (found := named_file(each)) is not None]
    if len(files) == len(choice.job_roles):
        given = [permissions_in(file, place) for file in files]
        return Subject(
            execution_role_session(role_arn(_UNNAMED_OF_JOBS, place)),
            place,
            PolicySet(
                tuple(policy for each in given for policy in each.identity),
                None,
                next((each.boundary for each in given if each.boundary), None),
            ),
            None,
            said=tuple(said for each in given for said in each.said),
            warnings=tuple(warning for each in given for warning in each.warnings),
        )
    if len(choice.job_roles) > 1:
        raise Misuse("--job-role is one role: either files of its policies, or its name once")
    (name,) = choice.job_roles
    return read(name) if read is not None else role_at_server(replace(choice, version=None), name)


def evaluate_subject(needs: Sequence[Need], subject: Subject) -> tuple[list[Answer], list[str]]:
    """The verdicts on the needs of the subject's role, and a warning for each policy that may not be read.

    Raises Misuse where a policy cannot be used.
    """
    policies: Mapping[str, CompiledPolicy] = {}
    closed: Sequence[str] = ()
    if subject.client_of is not None:
        from passrole.cli.permissions.attached_policies import attached_policies

        known = [need.resource for need in needs if not need.is_pattern]
        policies, closed = attached_policies(subject.client_of, known)
    answers = evaluate_needs(needs, subject.principal, subject.policies, policies, keys_of_now(subject.place))
    return answers, [f"the policy of `{each}` may not be read, and is not counted" for each in closed]


def keys_of_now(place: Place) -> dict[str, Values]:
    """The condition keys of every call that an execution would make now."""
    return {**keys_of_calls(place), **time_keys(int(system_clock()))}


def caller_of(choice: Choice, place: Place) -> tuple[Principal, PolicySet] | None:
    """The principal that creates and starts the pipeline, if a policy is given. Raises Misuse."""
    if choice.caller is None:
        return None
    arn = str(arns.Arn(place.partition, "iam", "", place.account, "user/caller"))
    found = permissions_in(choice.caller, place)
    return Principal("user", arn, place.account, "AIDA", "caller"), PolicySet(found.identity)


def definition_of(file: Path, given: dict[str, str]) -> Definition:
    """The steps of the file with these parameters. Raises Misuse."""
    return parse_definition(read_text(file), given, str(file))


def parse_definition(text: str, given: dict[str, str], label: str) -> Definition:
    """The steps of a definition; `label` names it in errors. Raises Misuse."""
    try:
        definition = read_definition(text, given)
    except (DefinitionError, UnreadableDefinition) as error:
        raise Misuse(f"`{label}`: {error}") from error
    strangers = sorted(set(given) - definition.names)
    if strangers:
        raise Misuse(f"`{label}` has no parameter `{strangers[0]}`")
    return definition


def role_at_server(choice: Choice, name: str) -> Subject:
    """A role of the data folder, by name or ARN. Raises Misuse."""
    from passrole.cli.permissions.identity_policies import fetch_identity
    from passrole.client.connection import reading

    try:
        connection = click.get_current_context().with_resource(reading(choice.config))
        with aws_errors_reported():
            role = fetch_identity(connection.client("iam"), "role", name, choice.version)
    except (Failed, ServerUnavailable) as error:
        raise Misuse(str(error)) from error
    place = Place(Region(connection.access.region), Account(role.principal.account))
    return Subject(role.principal, place, role.policies, choice.version, connection.client)
