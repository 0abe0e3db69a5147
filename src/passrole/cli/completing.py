"""What a shell completes: pipelines, executions, roles and tokens of the data folder that the line names.

No server is asked or started. If anything goes wrong, there is nothing to complete, and no error on the line
that somebody is typing.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import click

from passrole.cli import options

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from passrole.store import Tx

T = TypeVar("T")


def pipelines(context: click.Context, _parameter: click.Parameter, start: str) -> "list[CompletionItem]":
    """Names of pipelines."""
    from passrole.client import names

    return _beginning(start, ((name, "") for name in _read(context, names.pipelines)))


def roles(context: click.Context, _parameter: click.Parameter, start: str) -> "list[CompletionItem]":
    """Names of roles."""
    from passrole.client import names

    return _beginning(start, ((name, "") for name in _read(context, names.roles)))


def executions(context: click.Context, _parameter: click.Parameter, start: str) -> "list[CompletionItem]":
    """`last`, names of pipelines, and ids of executions; after a slash those of the pipeline."""
    from passrole.client import names

    found = _read(context, names.executions)

    def each() -> Iterator[tuple[str, str]]:
        if "/" in start:
            yield from ((f"{one.pipeline}/{one.id}", one.status) for one in found)
            return
        yield "last", "the execution that was started last"
        yield from ((name, "its newest execution") for name in _read(context, names.pipelines))
        yield from ((one.id, f"{one.pipeline}, {one.status}") for one in found)

    return _beginning(start, each())


def steps(context: click.Context, _parameter: click.Parameter, start: str) -> "list[CompletionItem]":
    """Names of steps of the execution that the line names."""
    from passrole.client import names

    named = context.params.get("execution") or ""
    return _beginning(start, ((name, "") for name in _read(context, lambda tx: names.steps(tx, named))))


def tokens(context: click.Context, _parameter: click.Parameter, start: str) -> "list[CompletionItem]":
    """Tokens of callbacks that wait, and model packages that do."""
    from passrole.client import names

    found = [(one.token, f"{one.step} of {one.pipeline}") for one in _read(context, names.tokens)]
    packages = [(name, "a model package") for name in _read(context, names.undecided_packages)]
    return _beginning(start, iter([*found, *packages]))


def groups(context: click.Context, _parameter: click.Parameter, start: str) -> "list[CompletionItem]":
    """Names of model package groups."""
    from passrole.client import names

    return _beginning(start, ((name, "") for name in _read(context, names.groups)))


def _read(context: click.Context, look: "Callable[[Tx], list[T]]") -> list[T]:
    from passrole.store import opening

    with (
        suppress(Exception),  # see above
        opening.looking(options.settings(data=context.params.get("data"))) as store,
    ):
        return [] if store is None else store.look(look)
    return []


def _beginning(start: str, found: Iterator[tuple[str, str]]) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(value, help=told or None) for value, told in found if value.startswith(start)]
