"""Tags of resources, once for all services: wire forms, condition keys, what is refused, changes.

A service declares its `TagRules`, with refusals in its own words. It knows no service and reads no rows.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from passrole.faults import Fault
from passrole.policy.request import Values
from passrole.policy.request_keys import request_tag_keys
from passrole.policy.tags import RESERVED_MESSAGE, is_reserved, merged, repeats, without
from passrole.services.context import Context
from passrole.services.operation import Parameters, Permission

TAGS_MAX = 50

Tags = Mapping[str, str]
TagList = Sequence[Mapping[str, str]]
KeysOf = Callable[[Context, Parameters], Mapping[str, Values]]


@dataclass(frozen=True)
class TagRules:
    """What a service says of tags.

    `reserved` is told why a key that begins with `aws:` is refused, `too_many` what would be tagged and how
    many tags it would have, `repeated` refuses a key that comes twice; without it the last one counts.
    `ignores_case`: `Team` and `team` are one key, as in IAM. `prefixes` are those of the condition keys.
    """

    reserved: Callable[[str], Fault]
    too_many: Callable[[str, int], Fault] | None = None
    repeated: Callable[[], Fault] | None = None
    ignores_case: bool = False
    prefixes: Sequence[str] = ("aws",)
    limit: int = TAGS_MAX

    def read(self, given: Tags | TagList | None) -> dict[str, str]:
        """The tags of a call by key, in either wire form. Raises `repeated` and `reserved`."""
        tags = from_wire(given)
        if self.repeated is not None and given is not None:
            again = repeats([*_keys(given)]) if self.ignores_case else len(tags) < len(given)
            if again:
                raise self.repeated()
        if is_reserved(tags):
            raise self.reserved(RESERVED_MESSAGE)
        return tags

    def added(self, present: Tags, given: Tags | TagList, resource: str = "") -> dict[str, str]:
        """The tags with those of the call in place of the same keys. Raises `too_many` and as `read`."""
        new = self.read(given)
        after = merged(present, new) if self.ignores_case else {**present, **new}
        if self.too_many is not None and len(after) > self.limit:
            raise self.too_many(resource, len(after))
        return after

    def removed(self, present: Tags, keys: Iterable[str]) -> dict[str, str]:
        """The tags without those keys; unknown keys are ignored."""
        if self.ignores_case:
            return without(present, keys)
        gone = frozenset(keys)
        return {key: value for key, value in present.items() if key not in gone}

    def request_keys(self, _ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
        """`aws:RequestTag/...` and `aws:TagKeys` of a call with the parameter `tags`."""
        return request_tag_keys(from_wire(parameters.get("tags")), self.prefixes)

    def checked_request_keys(self, _ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
        """The same, for services that look at the tags before they ask IAM. Raises as `read`."""
        return request_tag_keys(self.read(parameters.get("tags")), self.prefixes)


def removed_keys(_ctx: Context, parameters: Parameters) -> Mapping[str, Values]:
    """`aws:TagKeys` of a call with the parameter `tag_keys`."""
    return {"aws:TagKeys": tuple(parameters.get("tag_keys") or ())}


def tagging(
    action: str,
    resource: Callable[[Context, Parameters], str],
    keys: KeysOf,
) -> Callable[[Context, Parameters], Sequence[Permission]]:
    """The permission to tag, asked for where a new resource is given tags."""

    def also(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
        if not parameters.get("tags"):
            return ()
        return (Permission(action, resource(ctx, parameters), keys(ctx, parameters)),)

    return also


def from_wire(given: Tags | TagList | None) -> dict[str, str]:
    """A map of tags, or a list of Key and Value, by key; a tag without a value has an empty one."""
    if isinstance(given, Mapping):
        return dict(given)
    return {tag["Key"]: tag.get("Value", "") for tag in given or () if "Key" in tag}


def to_list(tags: Tags) -> list[dict[str, str]]:
    """Tags as a list of Key and Value."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _keys(given: Tags | TagList) -> Iterable[str]:
    return given if isinstance(given, Mapping) else (tag["Key"] for tag in given)
