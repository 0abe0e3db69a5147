"""Variables and configurations for clients that need other settings than AWS's SDKs. Pure.

docs/howto/clients.md has the lines that each was run with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Variables = Mapping[str, str]
# Go's client stops before any request where this names a bundle and its transport is not the usual one, as
# rclone's; Go itself trusts what SSL_CERT_FILE names.
_STOPS_GO = ("AWS_CA_BUNDLE",)


@dataclass(frozen=True)
class Client:
    """`more` are variables beside the usual ones, made of them; `without` are those that must not be set.

    `text`, where there is one, stands in place of variables: a configuration that the client reads.
    """

    more: Callable[[Variables], Variables] = field(default=lambda _values: {})
    without: tuple[str, ...] = ()
    text: Callable[[Variables], str] | None = None

    def adapted(self, values: Variables) -> dict[str, str]:
        """The client's variables."""
        kept = {name: value for name, value in values.items() if name not in self.without}
        return kept | dict(self.more(values))


def _rclone(values: Variables) -> Variables:
    """A remote `passrole:`; with the provider AWS rclone would not address buckets by path."""
    settings = {
        "TYPE": "s3",
        "PROVIDER": "Other",
        "ENV_AUTH": "true",
        "ENDPOINT": values["AWS_ENDPOINT_URL"],
        "REGION": values["AWS_REGION"],
    }
    return {f"RCLONE_CONFIG_PASSROLE_{name}": value for name, value in settings.items()}


def _object_store(_values: Variables) -> Variables:
    """Rust's object_store uses plain http only with this setting."""
    return {"AWS_ALLOW_HTTP": "true"}


def _s3cmd(values: Variables) -> str:
    """The configuration file of s3cmd."""
    url = urlsplit(values["AWS_ENDPOINT_URL"])
    settings = {
        "access_key": values["AWS_ACCESS_KEY_ID"],
        "secret_key": values["AWS_SECRET_ACCESS_KEY"],
        "access_token": values.get("AWS_SESSION_TOKEN"),
        "bucket_location": values["AWS_REGION"],
        "host_base": url.netloc,
        "host_bucket": url.netloc,
        "use_https": str(url.scheme == "https"),
    }
    lines = [f"{name} = {value}" for name, value in settings.items() if value is not None]
    return "\n".join(["[default]", *lines])


def _duckdb(values: Variables) -> str:
    """The SQL statement for duckdb."""
    url = urlsplit(values["AWS_ENDPOINT_URL"])
    settings = {
        "KEY_ID": values["AWS_ACCESS_KEY_ID"],
        "SECRET": values["AWS_SECRET_ACCESS_KEY"],
        "SESSION_TOKEN": values.get("AWS_SESSION_TOKEN"),
        "REGION": values["AWS_REGION"],
        "ENDPOINT": url.netloc,
        "URL_STYLE": "path",
    }
    named = [f"{name} '{value.replace(chr(39), chr(39) * 2)}'" for name, value in settings.items() if value]
    uses_ssl = str(url.scheme == "https").lower()
    return f"CREATE OR REPLACE SECRET passrole (TYPE s3, {', '.join(named)}, USE_SSL {uses_ssl});"


CLIENTS: Mapping[str, Client] = {
    "deltalake": Client(_object_store),
    "duckdb": Client(text=_duckdb),
    "go": Client(without=_STOPS_GO),
    "polars": Client(_object_store),
    "rclone": Client(_rclone, _STOPS_GO),
    "s3cmd": Client(text=_s3cmd),
}
