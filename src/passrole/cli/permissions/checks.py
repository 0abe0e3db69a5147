"""Checks pipelines: of files, or of one that is deployed.

Of several files one that cannot be read does not keep the others from being checked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from passrole import needs
from passrole.cli.documents.places import place_in
from passrole.cli.errors import Misuse
from passrole.cli.permissions import pipeline_programs
from passrole.cli.permissions.check_findings import with_findings
from passrole.cli.permissions.check_output import Checked
from passrole.cli.permissions.findings import Finding, finding
from passrole.cli.permissions.inputs import given_files, is_definition
from passrole.cli.permissions.named_file import NamedFile
from passrole.cli.permissions.pipeline_files import PipelineFile, read_pipeline_file
from passrole.cli.permissions.project_settings import tables
from passrole.cli.permissions.report import Report
from passrole.cli.permissions.selection import Selection
from passrole.cli.permissions.step_images import step_images
from passrole.cli.permissions.subject import (
    Choice,
    Subject,
    caller_of,
    evaluate_subject,
    job_role_of,
    keys_of_now,
    parse_definition,
    subject_of,
)
from passrole.needs import Definition, Place, Warned
from passrole.policy.evaluate import PolicySet
from passrole.policy.request import Principal


def check_files(
    arguments: Iterable[str], name: str | None, given: dict[str, str], choice: Choice, selection: Selection
) -> Checked:
    """The reports of all files that the arguments name. Raises Misuse."""
    listed = list(arguments)
    deployed = "; for a pipeline that is deployed add --from-endpoint"
    files = given_files(listed, is_definition, "definition of a pipeline", deployed)
    single = len(files) == 1 and len(listed) == 1
    if name and not single:
        raise Misuse("--name is for one file; leave it out")
    roles = _Roles(choice)
    values = _Parameters(given, single=single)
    reports: list[Report] = []
    unread: list[Finding] = []
    for file in files:
        try:
            reports.append(_of_a_file(file, name, values, roles, selection))
        except Misuse as error:
            if single:
                raise
            message = error.format_message()
            place = place_in(message)
            unread.append(finding("PR001", message, file.path.as_posix(), place=place, key=message))
    values.refuse_strangers()
    return Checked(reports, unread, single)


def check_deployed(
    names: Iterable[str], given: dict[str, str], choice: Choice, selection: Selection
) -> Checked:
    """The reports of pipelines by their names. Raises Misuse."""
    from passrole.cli.permissions.deployed_pipeline import Endpoint

    endpoint = Endpoint()
    reports = []
    for name in names:
        found = endpoint.pipeline(name, given, choice.version)
        place = found.subject.place
        jobs = job_role_of(choice, place, lambda role, place=place: endpoint.role(role, place))  # type: ignore[misc]
        report = _report(found.label, found.name, found.definition, found.subject, jobs, choice)
        missing = [
            Warned("PR208", None, each) for each in endpoint.missing(one.need for one in report.answers)
        ]
        report = replace(report, warnings=[*report.warnings, *missing])
        reports.append(with_findings(report, None, found.definition, selection))
    return Checked(reports, (), len(reports) == 1)


class _Roles:
    """The role that the options describe, read once for each place and each role that a pipeline names."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self._known: dict[tuple[Place, str | None], tuple[Subject, Subject | None]] = {}

    def of(self, place: Place, wanted: str | None) -> tuple[Subject, Subject | None]:
        """The execution role and that of the jobs, if one is given. Raises Misuse."""
        if (place, wanted) not in self._known:
            subject = subject_of(self.choice, place, wanted)
            self._known[place, wanted] = subject, job_role_of(self.choice, subject.place)
        return self._known[place, wanted]


class _Parameters:
    """The values of parameters. Of several files each takes those that it declares."""

    def __init__(self, given: Mapping[str, str], *, single: bool) -> None:
        self._given = given
        self._single = single
        self._declared: set[str] = set()
        self._project = {name: str(value) for name, value in tables()["parameters"].items()}

    def definition(self, file: PipelineFile) -> Definition:
        """The file's steps with its parameters. Raises Misuse."""
        asks = self._project or not self._single
        names = parse_definition(file.text, {}, file.label).names if asks else frozenset()
        self._declared |= names
        chosen = {name: value for name, value in self._project.items() if name in names}
        chosen |= {name: value for name, value in self._given.items() if self._single or name in names}
        return parse_definition(file.text, chosen, file.label)

    def refuse_strangers(self) -> None:
        """Raises Misuse for a value that no file takes."""
        strangers = [] if self._single else sorted(set(self._given) - self._declared)
        if strangers:
            raise Misuse(f"no file has a parameter `{strangers[0]}`")


def _of_a_file(
    given: NamedFile, name: str | None, values: _Parameters, roles: _Roles, selection: Selection
) -> Report:
    config = roles.choice.config
    is_program = given.path.suffix == pipeline_programs.ENDING
    file = pipeline_programs.run_program(given, config) if is_program else read_pipeline_file(given)
    definition = values.definition(file)
    place = needs.place_of(definition, needs.Place(config.region, config.account))
    subject, jobs = roles.of(place, file.role_arn)
    report = _report(file.label, name or file.name, definition, subject, jobs, roles.choice)
    report = replace(report, warnings=[*needs.refusals(file.text, definition), *report.warnings])
    return with_findings(report, file, definition, selection)


def _report(
    label: str,
    name: str,
    definition: Definition,
    subject: Subject,
    job_role: Subject | None,
    choice: Choice,
) -> Report:
    wanted = needs.needs_of_role(definition, subject.place)
    if subject.client_of is not None:
        from passrole.cli.permissions.queue_keys import with_queue_keys

        wanted = list(with_queue_keys(wanted, subject.client_of))
    if subject.policies.trust is not None:
        wanted.insert(0, needs.trust_need(subject.role_arn, name, subject.place))
    answers, unread = evaluate_subject(wanted, subject)
    calls = needs.needs_of_caller(name, subject.role_arn, subject.place)
    caller = caller_of(choice, subject.place)
    of_jobs = needs.needs_of_job_roles(definition, subject.place)
    job_answers, unread_of_jobs = evaluate_subject(of_jobs, job_role) if job_role else ([], [])
    # Often one role is both, so what its jobs need counts as used.
    as_job, _ = evaluate_subject(of_jobs, replace(subject, client_of=None))
    return Report(
        file=label,
        answers=answers,
        caller_needs=calls,
        caller_answers=needs.evaluate_needs(calls, *caller, keys=keys_of_now(subject.place))
        if caller
        else [],
        job_needs=of_jobs,
        job_answers=job_answers,
        unknown=needs.unknown_steps(definition),
        unused=needs.unused([*answers, *as_job], subject.policies),
        warnings=[
            *needs.coded_warnings(definition, answers, subject.version),
            *_four_eyes(definition, name, subject, caller),
            *(Warned("PR209", None, each) for each in subject.warnings),
            *(Warned("PR209", None, each) for each in (job_role.warnings if job_role else ())),
            *(Warned("PR207", None, each) for each in (*unread, *unread_of_jobs)),
        ],
        images=list(step_images(definition, choice.config)),
        keys=needs.keys_of_calls(subject.place),
        said=[*subject.said, *(job_role.said if job_role else ())],
    )


def _four_eyes(
    definition: Definition, name: str, subject: Subject, caller: tuple[Principal, PolicySet] | None
) -> list[Warned]:
    """Of the execution role, and of who deploys and starts the pipeline where that is given."""
    everyone = [("the execution role", subject.principal, subject.policies)]
    everyone += [("the caller", *caller)] if caller else []
    keys = keys_of_now(subject.place)
    return [
        warned
        for who, principal, policies in everyone
        for warned in needs.starts_and_approves(
            definition, name, who, principal, policies, place=subject.place, keys=keys
        )
    ]
