"""`passrole policy`: write, compare and examine the policies of a pipeline's role."""

import click

from passrole.cli.policy_diff import diff
from passrole.cli.policy_generate import generate
from passrole.cli.policy_lint import lint
from passrole.cli.policy_versions import versions
from passrole.cli.verbs import examples

_EXAMPLES = examples(
    "passrole policy generate pipeline.json -p Queue=approvals",
    "passrole policy diff role.json pipeline.json",
    "passrole policy versions AmazonSageMakerPipelinesIntegrations",
    "passrole policy lint role.json",
)


class _InOrder(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(self.commands)


@click.group("policy", cls=_InOrder, epilog=_EXAMPLES)
def policy() -> None:
    """Write, compare and examine the policies of a role."""


for _verb in (generate, diff, versions, lint):
    policy.add_command(_verb)
