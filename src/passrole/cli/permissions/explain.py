"""`passrole explain`: one decision in full, of an actual call or a hypothetical request; or why a step ran
where it could have taken an earlier result over.
"""

from pathlib import Path

import click

from passrole.cli import completing
from passrole.cli.errors import Misuse
from passrole.cli.options import Assignment, AssignmentType, data_option, examples, settings
from passrole.cli.permissions.named_file import NamedFile, NamedFileType

_EXAMPLES = examples(
    "passrole explain",
    "passrole explain --request-id 6f0c8a3e-5b1d-4c52-9e0b-2f7c8d9a1b34",
    "passrole explain --policy role.json --action sqs:SendMessage \\",
    "    --resource arn:aws:sqs:us-east-1:111122223333:approvals",
    "passrole explain --role my-role --action iam:PassRole --resource arn:aws:iam::111122223333:role/f \\",
    "    --context iam:PassedToService=lambda.amazonaws.com",
    "passrole explain --cache my-pipeline Train",
)
_FILE = NamedFileType()


@click.command(epilog=_EXAMPLES)
@data_option
@click.option("--request-id", metavar="ID", help="The call with this request id, allowed or denied.")
@click.option("--action", metavar="ACTION", help="The action, such as sqs:SendMessage.")
@click.option("--resource", metavar="ARN", help="The resource.  [default: *, for actions without resources]")
@click.option(
    "--context",
    "keys",
    multiple=True,
    type=AssignmentType(),
    help="A condition key; repeat it for several values.",
)
@click.option(
    "--principal", metavar="ARN", help="The caller; without --policy, a user or role of the server."
)
@click.option(
    "--role",
    metavar="NAME",
    shell_complete=completing.roles,
    help="The caller is this role of the server, by name or ARN.",
)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    type=_FILE,
    help="A policy or role of the caller, in any form that `check` reads.",
)
@click.option("--boundary", type=_FILE, help="The permissions boundary of the caller.")
@click.option("--resource-policy", type=_FILE, help="The policy of the resource, or a role's trust policy.")
@click.option(
    "--cache",
    type=(str, str),
    metavar="EXECUTION STEP",
    help="Whether a step was cached; EXECUTION as for `passrole logs`.",
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="json for programs."
)
@click.pass_context
def explain(
    context: click.Context,
    data: Path | None,
    request_id: str | None,
    action: str | None,
    resource: str | None,
    keys: tuple[Assignment, ...],
    principal: str | None,
    role: str | None,
    policies: tuple[NamedFile, ...],
    boundary: NamedFile | None,
    resource_policy: NamedFile | None,
    cache: tuple[str, str] | None,
    format_: str,
) -> None:
    """Explain why a call was denied, or a step was not cached.

    Without options, explains the last denial in the server's audit trail. With --action, explains a request
    that you describe, decided by a role of the server, or by policy files (--policy) without a server. Shows
    which layer and statement decided, what each layer says, which statements nearly allowed the call, and the
    smallest statement that would allow it.

    With --cache, says whether a step reused the result of an earlier execution, and if not, which argument
    was different.

    Exit code 0: allowed, or cached. 1: denied, or not cached. 2: invalid input.
    """
    from passrole.cli.permissions import explanation
    from passrole.cli.permissions.decision_request import DecisionRequest, decide
    from passrole.cli.pipelines import step_cache

    config = settings(data=data)
    asked = DecisionRequest(
        config, action, resource or "*", keys, principal, role, policies, boundary, resource_policy
    )
    if cache is not None:
        if asked.is_begun or resource is not None or action is not None or request_id is not None:
            raise Misuse("--cache goes with --format and --data only")
        context.exit(step_cache.explain(config, *cache, format_))
    if action is None:
        if asked.is_begun or resource is not None:
            raise Misuse("to explain a request that you describe, pass --action")
        found = explanation.from_trail(config, request_id)
    elif request_id is not None:
        raise Misuse("--request-id and --action exclude each other")
    else:
        found = [decide(asked)]
    click.echo(explanation.FORMATS[format_](found))
    context.exit(0 if all(each.allowed for each in found) else 1)
