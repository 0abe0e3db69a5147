"""Whose permissions `check` is about: a role from files, a managed policy's version, or a server's role.

It judges nothing. Input that cannot be used is Misuse: exit code 1 is for missing permissions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from passrole import arns
from passrole.arns import Account, Region
from passrole.cli.errors import Failed, Misuse, aws_errors_reported
from passrole.cli.permissions.policy_files import managed_policy, named_policy, policy_of, read_text
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
    policies: tuple[Path, ...] = ()
    boundary: Path | None = None
    trust: Path | None = None
    version: str | None = None
    role: str | None = None
    caller: Path | None = None
    job_roles: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """A role's session with its policies; `version` is the managed policy's where one was chosen.

    `client_of` leads to where the role is, and what it uses; None of a role that is given by files.
    """

    principal: Principal
    place: Place
    policies: PolicySet
    version: str | None
    client_of: "ClientOf | None" = None

    @property
    def role_arn(self) -> str:
        """The role itself."""
        return self.principal.role_arn or ""


def subject_of(choice: Choice, place: Place) -> Subject:
    """The role that the options describe. Raises Misuse."""
    if choice.role is not None:
        if choice.policies or choice.boundary or choice.trust:
            raise Misuse("--role brings its own policies; leave out --policy, --boundary and --trust")
        if choice.tags:
            raise Misuse("--role brings its own tags; leave out --role-tag")
        return role_at_server(choice, choice.role)
    if not choice.policies and choice.version is None:
        raise Misuse("no role to check: pass --policy, --managed-version or --role")
    identity = [named_policy(path) for path in choice.policies]
    if choice.version is not None:
        identity.append(managed_policy(choice.version))
    trust: CompiledPolicy | None = None
    if choice.trust is not None:
        trust = policy_of(choice.trust, "trust")
    elif not choice.policies:
        trust = parse_document(trust_document(), "trust")
    boundary = named_policy(choice.boundary) if choice.boundary else None
    session = replace(execution_role_session(role_arn(UNNAMED, place)), tags=choice.tags)
    return Subject(session, place, PolicySet(tuple(identity), None, boundary, trust=trust), choice.version)


def job_role_of(choice: Choice, place: Place, read: Callable[[str], Subject] | None = None) -> Subject | None:
    """The role of the pipeline's jobs, where one is given: by files of its policies, or by name.

    `read` looks a name up, by default at the running server. Raises Misuse.
    """
    if not choice.job_roles:
        return None
    files = [Path(each) for each in choice.job_roles if Path(each).is_file()]
    if len(files) == len(choice.job_roles):
        identity = tuple(named_policy(file) for file in files)
        return Subject(
            execution_role_session(role_arn(_UNNAMED_OF_JOBS, place)), place, PolicySet(identity), None
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
    return Principal("user", arn, place.account, "AIDA", "caller"), PolicySet((named_policy(choice.caller),))


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
    """A role of the running server, by name or ARN. Raises Misuse."""
    from passrole.cli.permissions.identity_policies import fetch_identity
    from passrole.client.connection import connect

    try:
        connection = connect(choice.config, must_run=True)
        with aws_errors_reported():
            role = fetch_identity(connection.client("iam"), "role", name, choice.version)
    except (Failed, ServerUnavailable) as error:
        raise Misuse(str(error)) from error
    place = Place(Region(connection.access.region), Account(role.principal.account))
    return Subject(role.principal, place, role.policies, choice.version, connection.client)
