"""What is taken of a file with roles and policies: one role of several, made ready for the evaluator.

Input that cannot be used is Misuse.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from passrole.cli.documents import Document, UnreadableDocument, read_document, read_limited
from passrole.cli.errors import Misuse
from passrole.cli.permissions.named_file import NamedFile
from passrole.cli.permissions.role_files.described import Policy, Role, RoleFile
from passrole.cli.permissions.role_files.forms import UnknownForm, read_role_file
from passrole.needs import Place
from passrole.policy.document import CompiledPolicy, DocumentKind, MalformedPolicyDocument, parse_document
from passrole.policy.evaluate import NamedPolicy
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies
from passrole.policy.resource_syntax import PARTITIONS

_SAGEMAKER: Final = "sagemaker.amazonaws.com"
_PLAIN: Final = "a policy document"
_SHOWN_MAX: Final = 5


@dataclass(frozen=True)
class Permissions:
    """What a file gives a role. `said` tells people what was taken, `warnings` what could not be."""

    identity: tuple[NamedPolicy, ...]
    boundary: NamedPolicy | None = None
    trust: CompiledPolicy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    role_arn: str | None = None
    said: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _File:
    """A file, what it says, and what it has of roles."""

    given: NamedFile
    document: Document
    found: RoleFile

    @property
    def label(self) -> str:
        return self.given.label

    def compiled(self, policy: Policy, kind: DocumentKind) -> CompiledPolicy:
        """A policy for the evaluator. Raises Misuse."""
        document = policy.document
        try:
            if not isinstance(document, dict):
                raise MalformedPolicyDocument("its document is not an object")
            return parse_document(document, kind, PARTITIONS)
        except MalformedPolicyDocument as error:
            if self.found.form == _PLAIN:
                raise Misuse(f"`{self.given.path}` is not a usable policy: {error}") from error
            place = self.document.place(policy.path)
            raise Misuse(
                f"`{self.given.path}` line {place.line}, column {place.column}: the policy"
                f" `{policy.name or 'without a name'}` is not a usable policy: {error}"
            ) from error

    def named(self, policy: Policy) -> NamedPolicy:
        """The policy under its name and the file's."""
        name = f"{policy.name} ({self.label})" if policy.name else self.label
        return name, self.compiled(policy, "identity")


def permissions_in(
    given: NamedFile, place: Place, wanted: str | None = None, version: str | None = None
) -> Permissions:
    """The policies of a file, and all else that it tells of the role that has them.

    `wanted` is the ARN of the role that the pipeline names; `version` replaces that of the managed policy.
    Raises Misuse.
    """
    file = _read(given, place)
    role = _role(file, wanted)
    if role is None:
        listed = _policies(file)
        if not listed:
            raise Misuse(f"`{given.path}` is {file.found.form} and has no role and no policy")
        said = "" if file.found.form == _PLAIN else f"{given.label} is {file.found.form}"
        return Permissions(
            tuple(map(file.named, listed)), said=(said,) if said else (), warnings=file.found.notes
        )
    return _of_role(file, role, version)


def trust_in(given: NamedFile, place: Place, wanted: str | None = None) -> tuple[CompiledPolicy, list[str]]:
    """The trust policy in a file: of its role, or the document itself; and what was taken. Raises Misuse."""
    file = _read(given, place)
    role = _role(file, wanted)
    if role is not None and role.trust is not None:
        return file.compiled(role.trust, "trust"), [_said(file, role, "its trust policy")]
    if role is None and file.found.form == _PLAIN:
        return file.compiled(file.found.policies[0], "trust"), []
    whose = f" of the role `{role.name}`" if role else ""
    raise Misuse(
        f"`{given.path}` is {file.found.form} and has no trust policy{whose};"
        " `aws iam get-role` answers with it"
    )


def boundary_in(given: NamedFile, place: Place) -> NamedPolicy:
    """A permissions boundary: the file's only policy, or that of its role. Raises Misuse."""
    file = _read(given, place)
    role = _role(file, None)
    found = (role.boundary,) if role and isinstance(role.boundary, Policy) else _policies(file)
    if len(found) != 1:
        raise Misuse(f"`{given.path}` has {len(found)} policies; name the boundary with FILE:NAME")
    return file.named(found[0])


def _read(given: NamedFile, place: Place) -> _File:
    text = read_limited(given.path)
    try:
        document = read_document(text, given.path.name)
        return _File(given, document, read_role_file(document, place))
    except (UnreadableDocument, UnknownForm) as error:
        raise Misuse(f"`{given.path}` is not a usable policy: {error}") from error


def _role(file: _File, wanted: str | None) -> Role | None:
    """The role that is named, or that the pipeline names; else the first that SageMaker may assume."""
    roles, name = file.found.roles, file.given.name
    if name is not None:
        found = next((role for role in roles if name in role.names), None)
        if found is None and not any(name in (each.name, each.arn) for each in file.found.policies):
            raise Misuse(
                f"`{file.given.path}` has no role and no policy `{name}`; it has {_listed(file.found)}"
            )
        return found
    fitting = [role for role in roles if wanted is not None and wanted in role.names]
    return next(iter([*fitting, *filter(_is_for_sagemaker, roles), *roles]), None)


def _policies(file: _File) -> tuple[Policy, ...]:
    name = file.given.name
    return tuple(each for each in file.found.policies if name is None or name in (each.name, each.arn))


def _is_for_sagemaker(role: Role) -> bool:
    return role.trust is not None and _SAGEMAKER in str(role.trust.document)


def _of_role(file: _File, role: Role, version: str | None) -> Permissions:
    identity = [file.named(policy) for policy in role.policies]
    attached, unknown = _managed(role.attached, version)
    boundary: NamedPolicy | None = None
    if isinstance(role.boundary, Policy):
        boundary = file.named(role.boundary)
    elif role.boundary is not None:
        bounding, unbounded = _managed([role.boundary], None)
        boundary = next(iter(bounding), None)
        unknown += unbounded
    arn = next((name for name in role.names if name.startswith("arn:") and "{" not in name), None)
    return Permissions(
        (*identity, *attached),
        boundary,
        file.compiled(role.trust, "trust") if role.trust else None,
        role.tags,
        arn,
        (_said(file, role, _parts(role)),),
        (
            *(
                f"`{each}` is attached to `{role.name}`, and its document is not in {file.label}: it is not"
                " counted; add it with --policy"
                for each in unknown
            ),
            *file.found.notes,
        ),
    )


def _managed(attached: Iterable[str], version: str | None) -> tuple[list[NamedPolicy], list[str]]:
    """The managed policies of AWS that are known here, and the ARNs of the others."""
    found: list[NamedPolicy] = []
    unknown = []
    for arn in attached:
        own = f"arn:aws:{arn.split(':', 2)[-1]}"  # AWS's policies have the same names in each partition
        managed = policies().get(own)
        if managed is None:
            unknown.append(arn)
            continue
        versions = {each.id: each.document for each in managed.versions}
        chosen = version if own == PIPELINES_INTEGRATIONS and version in versions else managed.default.id
        found.append((own, parse_document(versions[str(chosen)])))
    return found, unknown


def _said(file: _File, role: Role, what: str) -> str:
    roles = file.found.roles
    others = [each.name for each in roles if each is not role]
    several = ""
    if others and file.given.name is None:
        listed = ", ".join(f"`{name}`" for name in others[:_SHOWN_MAX])
        more = f" and {len(others) - _SHOWN_MAX} more" if len(others) > _SHOWN_MAX else ""
        several = f"; it also has {listed}{more}: name another role with {file.given.path}:{others[0]}"
    return f"{file.label} is {file.found.form}; using {what} of its role `{role.name}`{several}"


def _parts(role: Role) -> str:
    count = len(role.policies) + len(role.attached)
    parts = [f"{count} {'policy' if count == 1 else 'policies'}"]
    parts += ["the trust policy"] if role.trust else []
    parts += ["the permissions boundary"] if role.boundary else []
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else parts[0]


def _listed(found: RoleFile) -> str:
    names = [*(each.name for each in found.roles), *(each.name for each in found.policies)]
    return ", ".join(f"`{name}`" for name in names[:20] if name) or "none with a name"
