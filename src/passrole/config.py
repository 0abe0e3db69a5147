"""All settings, frozen; nothing else reads the environment or the settings file.

A setting is a field of Config. It comes from `PASSROLE_<FIELD>` in the environment, else from `config.toml`
in the data folder, else from the default here. The command line overrides `data`, `host` and `port`.
`upstream_proxy`, `spark_home`, `java_home` and `job_python` fall back to HTTPS_PROXY, SPARK_HOME, JAVA_HOME
and VIRTUAL_ENV, which other programs use as well.
"""

import dataclasses
import ipaddress
import os
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from passrole.arns import Account, Region

_ACCOUNT = Account("111122223333")
_REGION = Region("us-east-1")


class ConfigError(Exception):
    """An invalid setting; the message says which and why."""


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Networks(str):
    """IP networks or addresses, separated by commas or spaces."""

    __slots__ = ()

    def __new__(cls, text: str = "") -> Self:
        """Raises ValueError."""
        networks = super().__new__(cls, text)
        _ = networks.networks
        return networks

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks as the standard library's objects."""
        return tuple(ipaddress.ip_network(text) for text in self.replace(",", " ").split())


_NO_NETWORKS = Networks()


class Paths(str):
    """Absolute paths, separated by colons."""

    __slots__ = ()

    def __new__(cls, text: str = "") -> Self:
        """Raises ValueError."""
        made = super().__new__(cls, text)
        if relative := [path for path in made.paths if not path.is_absolute()]:
            raise ValueError(f"`{relative[0]}` is not an absolute path")
        return made

    @property
    def paths(self) -> tuple[Path, ...]:
        """In their order."""
        return tuple(Path(text) for text in self.split(":") if text)


_NO_PATHS = Paths()


class ImageRule(NamedTuple):
    """Images that fit `pattern` (with * and ?) run by a `python` environment or a `command`, `value`, or in a
    `container`.
    """

    pattern: str
    kind: str
    value: str


class ImageRules(str):
    """`GLOB=python:ENVIRONMENT`, `GLOB=command:PROGRAM` or `GLOB=container`, separated by spaces.

    Quotes keep a rule with spaces together, as in a shell.
    """

    __slots__ = ()

    def __new__(cls, text: str = "") -> Self:
        """Raises ValueError for what is none."""
        made = super().__new__(cls, text)
        _ = made.rules
        return made

    @property
    def rules(self) -> tuple[ImageRule, ...]:
        """In the order in which they are tried."""
        return tuple(map(_image_rule, shlex.split(self)))


def _image_rule(word: str) -> ImageRule:
    pattern, _, how = word.partition("=")
    kind, has_value, value = how.partition(":")
    is_complete = not has_value if kind == "container" else kind in ("python", "command") and value
    if not (pattern and is_complete):
        raise ValueError(f"`{word}` is not GLOB=python:ENVIRONMENT, GLOB=command:PROGRAM or GLOB=container")
    return ImageRule(pattern, kind, value)


_NO_RULES = ImageRules()


@dataclass(frozen=True)
class Config:
    """The settings of one server. Each is described in docs/reference/settings.md."""

    data: Path = Path(".passrole")
    host: str = "127.0.0.1"
    port: int = 4566
    account: Account = _ACCOUNT
    region: Region = _REGION
    lambda_workers_max: int = 32
    lambda_idle_seconds: int = 600
    lambda_bootstrap: str = "auto"
    lambda_strict_runtime: bool = False
    clock_skew_seconds: int = 300
    upstream_proxy: str = field(default="", repr=False)  # it may hold a password
    s3_endpoint: str = ""
    s3_access_key_id: str = ""
    s3_secret_access_key: str = field(default="", repr=False)
    spark_master: str = "local[*]"
    spark_home: str = ""
    java_home: str = ""
    sandbox: str = "auto"
    shared_paths: Paths = _NO_PATHS
    images: ImageRules = _NO_RULES
    containers: str = "auto"
    job_python: str = ""
    job_memory_mb: int = 0
    trusted_proxies: Networks = _NO_NETWORKS
    keep_executions_days: int = 0
    keep_clusters_days: int = 0
    keep_log_events_days: int = 0
    log_level: str = "info"

    @property
    def host_in_url(self) -> str:
        """The host as URLs and Host headers write it: an IPv6 address in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def endpoint_url(self) -> str:
        """The server's URL, for clients of all services."""
        return f"http://{self.host_in_url}:{self.port}"

    @property
    def loopback_url(self) -> str | None:
        """The server's URL at a loopback address, if it listens on one."""
        if self.host == "localhost":
            return self.endpoint_url
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return None
        if address.is_unspecified:
            return f"http://{'[::1]' if address.version == 6 else '127.0.0.1'}:{self.port}"
        return self.endpoint_url if address.is_loopback else None


def load(environment: Mapping[str, str] | None = None, **overrides: Any) -> Config:
    """The effective settings; `overrides` that are None are ignored. Raises ConfigError."""
    environ = os.environ if environment is None else environment
    given = {name: value for name, value in overrides.items() if value is not None}
    data = Path(given.get("data") or environ.get("PASSROLE_DATA") or Config.data)
    values: dict[str, Any] = {
        **_from_other_programs(environ),
        **_from_file(data / "config.toml"),
        **_from_environment(environ),
        **given,
    }
    values["data"] = data
    return Config(**{name: _converted(name, value) for name, value in values.items()})


_FIELDS = {field.name: field.type for field in dataclasses.fields(Config)}
_YEAR_SECONDS = 366 * 86_400
_DAYS_MAX = 3_653  # ten years
_BOUNDS = {
    "port": (0, 65_535),
    "lambda_workers_max": (1, 10_000),
    "lambda_idle_seconds": (0, _YEAR_SECONDS),
    "clock_skew_seconds": (0, _YEAR_SECONDS),
    "job_memory_mb": (0, 2**30),
    "keep_executions_days": (0, _DAYS_MAX),
    "keep_clusters_days": (0, _DAYS_MAX),
    "keep_log_events_days": (0, _DAYS_MAX),
}
_CHOICES = {
    "log_level": ("debug", "info", "warning", "error", "critical"),
    "containers": ("auto", "docker", "podman", "finch", "none"),
    "sandbox": ("auto", "bubblewrap", "unshare", "container", "none"),
}
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def _from_other_programs(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        "upstream_proxy": environ.get("HTTPS_PROXY") or environ.get("https_proxy") or "",
        "spark_home": environ.get("SPARK_HOME") or "",
        "java_home": environ.get("JAVA_HOME") or "",
        "job_python": environ.get("VIRTUAL_ENV") or "",
    }


def _from_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"`{path}` is not valid TOML: {error}") from error
    unknown = sorted(set(values) - set(_FIELDS))
    if unknown:
        raise ConfigError(f"`{path}` has an unknown setting `{unknown[0]}`")
    return values


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: environ[f"PASSROLE_{name.upper()}"]
        for name in _FIELDS
        if environ.get(f"PASSROLE_{name.upper()}")
    }


def _converted(name: str, value: Any) -> Any:
    wanted = _FIELDS[name]
    try:
        if isinstance(value, list | dict):
            raise ValueError("it must be one value")
        if wanted is bool:
            return _boolean(value)
        converted = wanted(value) if isinstance(wanted, type) else value
        _check(name, converted)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"setting `{name}` cannot be `{value}`: {error}") from error
    return converted


def _check(name: str, value: Any) -> None:
    """Raises ValueError."""
    if name in _BOUNDS:
        low, high = _BOUNDS[name]
        if not low <= value <= high:
            raise ValueError(f"it must be between {low} and {high}")
    if name in _CHOICES and value.lower() not in _CHOICES[name]:
        raise ValueError(f"it must be one of {', '.join(_CHOICES[name])}")


def _boolean(value: Any) -> bool:
    text = str(value).lower()
    if text not in _TRUE + _FALSE:
        raise ValueError("must be true or false")
    return text in _TRUE
