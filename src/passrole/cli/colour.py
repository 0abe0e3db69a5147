"""Whether output has colours: --no-color, NO_COLOR and FORCE_COLOR count, else whether it goes to a terminal.

https://no-color.org, https://force-color.org: each variable counts where it is not empty.
"""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

_DUMB = ("dumb", "unknown")


def wanted(environment: Mapping[str, str] | None = None) -> bool | None:
    """Whether the environment asks for colours or forbids them; None where the terminal decides."""
    environ = os.environ if environment is None else environment
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return False if environ.get("TERM", "").lower() in _DUMB else None


def option() -> click.Option:
    """--no-color, which every command has."""
    return click.Option(
        ["--no-color"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_forbid,
        help="Print without colours, as with NO_COLOR.",
    )


def console() -> "Console":
    """A console of rich's on standard output, with the colours of the running command."""
    from rich.console import Console

    context = click.get_current_context(silent=True)
    allowed = context.color if context else wanted()
    if allowed is False:
        return Console(color_system=None, highlight=False)  # without bold and dim too
    return Console(force_terminal=True if allowed else None, highlight=False)


def _forbid(context: click.Context, _parameter: click.Parameter, is_given: Any) -> None:
    """Colours are a matter of the whole command line: of the commands around this one too."""
    if not is_given:
        return
    each: click.Context | None = context
    while each is not None:
        each.color = False
        each = each.parent
