"""`passrole policy`: write, compare and examine the policies of a pipeline's role."""

import click

from passrole.cli.groups import Commands
from passrole.cli.options import examples
from passrole.cli.permissions.policy_diff import diff
from passrole.cli.permissions.policy_generate import generate
from passrole.cli.permissions.policy_lint import lint
from passrole.cli.permissions.policy_versions import versions

_EXAMPLES = examples(
    "passrole policy generate pipeline.json -p Queue=approvals",
    "passrole policy diff role.json pipeline.json",
    "passrole policy versions AmazonSageMakerPipelinesIntegrations",
    "passrole policy lint role.json",
)


@click.group("policy", cls=Commands, epilog=_EXAMPLES)
def policy() -> None:
    """Write, compare and check policies."""


for _command in (generate, diff, versions, lint):
    policy.add_command(_command)
