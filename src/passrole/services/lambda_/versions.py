"""PublishVersion, ListVersionsByFunction."""

from dataclasses import replace
from typing import Any

from passrole import ids
from passrole.services.context import Context
from passrole.services.lambda_ import names, qualifiers, refusals
from passrole.services.lambda_.paging import PAGES
from passrole.services.lambda_.records import (
    FUNCTIONS,
    Function,
    configuration,
    existing,
    listed,
    with_new_build,
    with_new_revision,
)
from passrole.services.operation import operation
from passrole.store import Tx, contents

PAGE_MAX = 50


@operation("lambda:PublishVersion", resource=names.unqualified_arn)
async def publish_version(
    ctx: Context,
    *,
    function_name: str,
    code_sha256: str | None = None,
    description: str | None = None,
    revision_id: str | None = None,
) -> dict[str, Any]:
    """Publish $LATEST as a version; the last version again if nothing has changed since."""
    named = names.parse(ctx, function_name)
    key = names.latest_key(ctx, named)

    def write(tx: Tx) -> Function:
        latest = existing(tx, key, named)
        _check(latest, code_sha256, revision_id)
        return publish(tx, latest, description)

    published = await ctx.store.write(write)
    return configuration(published, published.version)


@operation("lambda:ListVersionsByFunction", resource=names.unqualified_arn)
async def list_versions_by_function(
    ctx: Context, *, function_name: str, marker: str | None = None, max_items: int = PAGE_MAX
) -> dict[str, Any]:
    """$LATEST, then the published ones, the oldest first; 50 to a page at most."""
    named = names.parse(ctx, function_name)
    key = names.key(ctx, named)
    after = PAGES.after(marker or None, lambda number: qualifiers.version_key(key, number))
    limit = min(max_items, PAGE_MAX)

    def read(tx: Tx) -> list[Function]:
        latest = existing(tx, key, named)
        first = [] if after else [latest]
        return first + qualifiers.versions(tx, key, after=after, limit=limit + 1)

    found, more = PAGES.page(await ctx.store.read(read), limit, lambda each: each.version)
    return {"Versions": [listed(each, each.version) for each in found], **more}


def publish(tx: Tx, latest: Function, description: str | None = None) -> Function:
    """The new version of $LATEST as this transaction has it, or the last version if it is the same.

    It uses the same archive, and keeps it when $LATEST changes.
    """
    key = latest.key
    last = qualifiers.version(tx, key, str(latest.published)) if latest.published else None
    if last is not None and _same(latest, last):
        return last
    version = with_new_build(
        replace(
            latest,
            version=str(latest.published + 1),
            published=0,
            folder=ids.request_id(),
            description=latest.description if description is None else description,
            tags={},
        )
    )
    FUNCTIONS.put(tx, key, with_new_revision(replace(latest, published=latest.published + 1)))
    qualifiers.VERSIONS.put(tx, qualifiers.version_key(key, version.version), version)
    contents.use(tx, version.arn, version.contents)
    return version


def _check(latest: Function, code_sha256: str | None, revision_id: str | None) -> None:
    if code_sha256 and code_sha256 != latest.code_sha256:
        raise refusals.invalid(
            f"CodeSHA256 ({code_sha256}) is different from current CodeSHA256 in $LATEST"
            f" ({latest.code_sha256}). Please try again with the CodeSHA256 in $LATEST."
        )
    if revision_id and revision_id != latest.revision:
        raise refusals.revision_differs()


def _same(latest: Function, version: Function) -> bool:
    """Whether code and configuration equal the version's; names and descriptions do not count."""
    return version == replace(
        latest,
        version=version.version,
        published=version.published,
        folder=version.folder,
        description=version.description,
        revision=version.revision,
        build=version.build,
        modified=version.modified,
        tags=version.tags,
    )
