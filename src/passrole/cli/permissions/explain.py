"""`passrole explain`: one decision in full, of an actual call or a hypothetical request; or why a step ran
where it could have taken an earlier result over.
"""

from pathlib import Path

import click

from passrole.cli.errors import Misuse
from passrole.cli.options import Assignment, AssignmentType, data_option, examples, settings

_EXAMPLES = examples(
    "passrole explain",
    "passrole explain --request-id 6f0c8a3e-5b1d-4c52-9e0b-2f7c8d9a1b34",
    "passrole explain --policy role.json --action sqs:SendMessage \\",
    "    --resource arn:aws:sqs:us-east-1:111122223333:approvals",
    "passrole explain --role my-role --action iam:PassRole --resource arn:aws:iam::111122223333:role/f \\",
    "    --context iam:PassedToService=lambda.amazonaws.com",
    "passrole explain --cache my-pipeline Train",
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog=_EXAMPLES)
@data_option
@click.option("--request-id", metavar="ID", help="A call by its request id, allowed or not.")
@click.option("--action", metavar="ACTION", help="The action: `service:Action`.")
@click.option("--resource", metavar="ARN", help="The resource.  [default: *, for actions without resources]")
@click.option(
    "--context",
    "keys",
    multiple=True,
    type=AssignmentType(),
    help="A condition key; repeated for one with several values.",
)
@click.option(
    "--principal", metavar="ARN", help="The principal: without --policy, a user or role of the server."
)
@click.option("--role", metavar="NAME", help="A role of the server as the principal, by name or ARN.")
@click.option("--policy", "policies", multiple=True, type=_FILE, help="A policy of the principal.")
@click.option("--boundary", type=_FILE, help="The permissions boundary of the principal.")
@click.option("--resource-policy", type=_FILE, help="The policy of the resource, or a role's trust policy.")
@click.option(
    "--cache",
    type=(str, str),
    metavar="EXECUTION STEP",
    help="Whether a step took an earlier result over; the execution as for `passrole logs`.",
)
@click.option(
    "--format", "format_", type=click.Choice(["text", "json"]), default="text", help="For programs: json."
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
    policies: tuple[Path, ...],
    boundary: Path | None,
    resource_policy: Path | None,
    cache: tuple[str, str] | None,
    format_: str,
) -> None:
    """Explain why a call was denied, or a step was not cached.

    Without options it is the last denial in the server's audit trail. With --action it is a request of
    your own, decided by the policies of a role of the server, or by files alone (--policy), without a server.
    Shows the layer and the statement that decided, what each layer says, which statements nearly
    allowed it, and the smallest one that would.

    With --cache it is whether a step took the result of an earlier execution over, and if not, which argument
    differed.

    Exit code 0: allowed, or taken over; 1: denied, or not; 2: the input cannot be used.
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
            raise Misuse("a request of your own needs --action")
        found = explanation.from_trail(config.data, request_id)
    elif request_id is not None:
        raise Misuse("--request-id and --action exclude each other")
    else:
        found = [decide(asked)]
    click.echo(explanation.FORMATS[format_](found))
    context.exit(0 if all(each.allowed for each in found) else 1)
