"""Which calls of the trail somebody looks for: asked of lines in a file here, and of rows in rows.py."""

from dataclasses import dataclass
from functools import cached_property

import orjson

from passrole.audit.entry import Entry
from passrole.log_format import escaped_json

DENIED = b'"allowed":false'
"""What the line of a call has of which a permission was denied, and no other: texts have quotes escaped."""


@dataclass(frozen=True)
class Wanted:
    """Everything that is given must fit; times in epoch seconds.

    `holding` are texts that the line has, as JSON writes them; `last` is how many at most, the newest ones.
    """

    request_id: str | None = None
    is_denied: bool = False
    holding: tuple[bytes, ...] = ()
    since: float = 0.0
    until: float | None = None
    last: int | None = None

    @cached_property
    def request(self) -> str:
        """The request id; what is no Unicode, such as half of a pair of surrogates, stands in no line."""
        return (self.request_id or "").encode("utf-8", "replace").decode()

    @cached_property
    def _request_json(self) -> bytes:
        return escaped_json(orjson.dumps(self.request))

    def may_fit(self, line: bytes) -> bool:
        """Whether a line is worth parsing, which most lines of a long trail are not."""
        return (
            (self.request_id is None or self._request_json in line)
            and (not self.is_denied or DENIED in line)
            and all(text in line for text in self.holding)
        )

    def fits(self, entry: Entry) -> bool:
        """Whether the entry of such a line is one of those wanted."""
        return (
            self.request_id in (None, entry.request_id)
            and entry.time >= self.since
            and (self.until is None or entry.time <= self.until)
        )


EVERYTHING = Wanted()
