"""`passrole completion`: the script with which a shell completes the command line."""

import click

from passrole.cli.options import examples

_EXAMPLES = examples(
    "passrole completion bash >> ~/.bashrc",
    "passrole completion zsh >> ~/.zshrc",
    "passrole completion fish > ~/.config/fish/completions/passrole.fish",
)
_WHERE = {
    "bash": "put it into ~/.bashrc:  passrole completion bash >> ~/.bashrc",
    "zsh": "put it into ~/.zshrc, after compinit:  passrole completion zsh >> ~/.zshrc",
    "fish": "put it into its folder:  passrole completion fish > ~/.config/fish/completions/passrole.fish",
}


@click.command(epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(sorted(_WHERE)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands, options, and pipelines, executions, roles and callback tokens, which are read from
    the data folder. It needs no server. Open a new shell afterwards.
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None, "click knows the three shells"
    found = made(context.find_root().command, {}, "passrole", "_PASSROLE_COMPLETE")
    click.echo(f"# completion of passrole for {shell}; {_WHERE[shell]}\n# then open a new shell")
    click.echo((found.source_template % found.source_vars()).strip())
