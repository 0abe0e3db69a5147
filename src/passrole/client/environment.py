"""The environment variables with which any AWS client reaches a server. Pure."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from passrole.https_names import LOOPBACK, Https

_PROXIES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
_LEADS_ELSEWHERE = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


@dataclass(frozen=True)
class Keys:
    """The credentials that sign requests; `token` only for a session of a role."""

    access_key_id: str
    secret_access_key: str
    token: str | None = None


def variables(url: str, region: str, keys: Keys) -> dict[str, str]:
    """The variables to set for clients that honour AWS_ENDPOINT_URL."""
    values = {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
    }
    return values | {"AWS_SESSION_TOKEN": keys.token} if keys.token else values


def unset() -> str:
    """A line for `eval` that removes what lines of `shell` have set."""
    keys, https = Keys("", "", "token"), Https("", Path(), Path(), Path())
    return f"unset {' '.join(sorted({*variables('', '', keys), *https.variables({})}))}"


def shell(values: Mapping[str, str], without: Sequence[str] = ()) -> str:
    """Lines for `eval`; they unset the variables of an earlier `eval` or a profile, and `without`."""
    stale = [name for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE", *without) if name not in values]
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join([*lines, f"unset {' '.join(stale)}"])


def merged(inherited: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """The user's environment, overridden by `values`.

    Variables that would lead a client elsewhere are left out: a profile, an old session token, an endpoint
    of one service. Where the user has a proxy, the loopback address is excepted from it.
    """
    kept = {
        name: value
        for name, value in inherited.items()
        if name not in (*_LEADS_ELSEWHERE, "AWS_SESSION_TOKEN") and not name.startswith("AWS_ENDPOINT_URL")
    }
    if any(name in inherited for name in _PROXIES):
        for name in ("NO_PROXY", "no_proxy"):
            kept[name] = ",".join(filter(None, (inherited.get(name), LOOPBACK)))
    return kept | dict(values)
