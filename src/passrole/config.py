"""All settings, frozen; nothing else reads the environment or the settings file.

A setting is a field of Config. It comes from `PASSROLE_<FIELD>` in the environment, else from `config.toml`
in the data folder, else from the default here. The command line overrides `data`, `host` and `port`.
`upstream_proxy`, `spark_home`, `java_home`, `hadoop_conf_dir`, `job_python` and `otlp_endpoint` fall back to
HTTPS_PROXY, SPARK_HOME, JAVA_HOME, HADOOP_CONF_DIR, VIRTUAL_ENV and OTEL_EXPORTER_OTLP_ENDPOINT, which other
programs use as well, `s3a_jars` to a folder in XDG_DATA_HOME.
"""

import dataclasses
import difflib
import ipaddress
import os
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from passrole.arns import Account, Region

_ACCOUNT = Account("111122223333")
_REGION = Region("us-east-1")


class ConfigError(Exception):
    """A setting that cannot be used; the message says which, where it was set, and what can be used."""


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
    public_url: str = ""
    account: Account = _ACCOUNT
    region: Region = _REGION
    executions_max: int = 0
    lambda_invocations_max: int = 0
    lambda_workers_max: int = 32
    lambda_idle_seconds: int = 600
    lambda_bootstrap: str = "auto"
    lambda_strict_runtime: bool = False
    clock_skew_seconds: int = 300
    upstream_proxy: str = field(default="", repr=False)  # it may hold a password
    store: str = field(default="", repr=False)  # it may hold a password
    only: str = ""
    s3_endpoint: str = ""
    s3_access_key_id: str = ""
    s3_secret_access_key: str = field(default="", repr=False)
    spark_master: str = "local[*]"
    spark_home: str = ""
    spark_s3: str = "s3a"
    s3a_jars: str = ""
    java_home: str = ""
    hadoop_conf_dir: str = ""
    sandbox: str = "auto"
    shared_paths: Paths = _NO_PATHS
    images: ImageRules = _NO_RULES
    containers: str = "auto"
    job_python: str = ""
    job_memory_mb: int = 0
    processes_max: int = 1024
    trusted_proxies: Networks = _NO_NETWORKS
    keep_executions_days: int = 0
    keep_clusters_days: int = 0
    keep_log_events_days: int = 0
    keep_audit_days: int = 0
    log_level: str = "info"
    log_format: str = "text"
    log_calls: bool = True
    console: bool = False
    console_port: int = 4568
    otlp_endpoint: str = field(default="", repr=False)  # it may hold a password

    @property
    def host_in_url(self) -> str:
        """The host as URLs and Host headers write it: an IPv6 address in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def endpoint_url(self) -> str:
        """The server's URL, for clients of all services."""
        return f"http://{self.host_in_url}:{self.port}"

    @property
    def told_url(self) -> str:
        """The URL by which answers name the service: a load balancer's, where one stands before it."""
        return self.public_url or self.endpoint_url

    @property
    def console_url(self) -> str:
        """The URL of the console's pages."""
        return f"http://{self.host_in_url}:{self.console_port}"

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
    found: dict[str, _Found] = {
        **_from_other_programs(environ),
        **_from_file(data / "config.toml"),
        **_from_environment(environ),
        **{
            name: _Found(value, _OPTIONS.get(name, f"--{name.replace('_', '-')}"))
            for name, value in given.items()
        },
        "data": _Found(data, _PREFIX + "DATA"),
    }
    return Config(**{name: _converted(name, each) for name, each in found.items()})


class _Found(NamedTuple):
    """A value as it was given, and what a person calls the place where it was."""

    value: Any
    source: str


_PREFIX = "PASSROLE_"
_OPTIONS: Final = {"images": "--image"}
_FIELDS = {field.name: field.type for field in dataclasses.fields(Config)}
_SECRETS = frozenset(field.name for field in dataclasses.fields(Config) if not field.repr)
_YEAR_SECONDS = 366 * 86_400
_DAYS_MAX = 3_653  # ten years
_SIMILARITY_MIN = 0.75
_BOUNDS = {
    "port": (0, 65_535),
    "console_port": (0, 65_535),
    "executions_max": (0, 2**31 - 1),
    "lambda_invocations_max": (0, 1_000_000),
    "lambda_workers_max": (1, 10_000),
    "lambda_idle_seconds": (0, _YEAR_SECONDS),
    "clock_skew_seconds": (0, _YEAR_SECONDS),
    "job_memory_mb": (0, 2**30),
    "processes_max": (16, 2**22),
    "keep_executions_days": (0, _DAYS_MAX),
    "keep_clusters_days": (0, _DAYS_MAX),
    "keep_log_events_days": (0, _DAYS_MAX),
    "keep_audit_days": (0, _DAYS_MAX),
}
_CHOICES = {
    "containers": ("auto", "docker", "podman", "finch", "none"),
    "lambda_bootstrap": ("auto", "awslambdaric", "own"),
    "log_format": ("text", "json"),
    "log_level": ("debug", "info", "warning", "error", "critical"),
    "sandbox": ("auto", "bubblewrap", "unshare", "container", "serial", "none"),
    "spark_s3": ("s3a", "folder"),
}
# https://spark.apache.org/docs/3.5.6/submitting-applications.html#master-urls
_MASTER = re.compile(
    r"local(\[(\*|[1-9]\d*)(,[1-9]\d*)?\])?|local-cluster\[\d+,\d+,\d+\]|yarn"
    r"|spark://[^\s/,]+:\d+(,[^\s/,]+:\d+)*|k8s://\S+|mesos://\S+"
)
# https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
# A second @ is a password that is not escaped: libpq would take the rest of it for the host, and tell it.
_POSTGRES = re.compile(r"(postgres(ql)?://([^@/?#\s]*@)?[^@\s]*)?")
_FORMS = {
    "spark_master": _MASTER,
    "public_url": re.compile(r"(https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?)?"),
    "s3_endpoint": re.compile(r"(https?://[^\s/?#]+\S*)?"),
    "store": _POSTGRES,
    "only": re.compile(r"(s3)?"),
}
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_ALLOWED: Final = {
    "account": "12 digits",
    "images": "GLOB=python:ENVIRONMENT, GLOB=command:PROGRAM or GLOB=container, separated by spaces",
    "only": "s3",
    "public_url": "a URL of a host alone, such as https://passrole.example.com or http://10.0.0.20:4566",
    "region": "a region such as us-east-1",
    "s3_endpoint": "a URL such as http://127.0.0.1:9000",
    "shared_paths": "absolute paths, separated by colons",
    "spark_master": "local[*], local[N], spark://HOST:PORT, yarn or k8s://URL",
    "store": "postgresql://USER:PASSWORD@HOST:PORT/DATABASE; in the password @ is %40, / is %2F and # is %23",
    "trusted_proxies": "IP networks or addresses, separated by commas",
}


def _from_other_programs(environ: Mapping[str, str]) -> dict[str, _Found]:
    names = {
        "upstream_proxy": ("HTTPS_PROXY", "https_proxy"),
        "spark_home": ("SPARK_HOME",),
        "java_home": ("JAVA_HOME",),
        "hadoop_conf_dir": ("HADOOP_CONF_DIR", "YARN_CONF_DIR"),
        "job_python": ("VIRTUAL_ENV",),
        "otlp_endpoint": ("OTEL_EXPORTER_OTLP_ENDPOINT",),
    }
    found = {
        setting: _Found(environ[name], name)
        for setting, variables in names.items()
        for name in reversed(variables)
        if environ.get(name)
    }
    return {"s3a_jars": _s3a_folder(environ), **found}


def _s3a_folder(environ: Mapping[str, str]) -> _Found:
    """Where S3A's jars are, for all servers of a user; empty where there is no home.

    https://specifications.freedesktop.org/basedir-spec/latest/
    """
    home, named = environ.get("HOME"), environ.get("XDG_DATA_HOME")
    data = named or (f"{home}/.local/share" if home else "")
    return _Found(f"{data}/passrole/s3a" if data else "", "XDG_DATA_HOME" if named else "HOME")


def _from_file(path: Path) -> dict[str, _Found]:
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"`{path}` is not valid TOML: {error}") from error
    unknown = sorted(set(values) - set(_FIELDS))
    if unknown:
        meant = _similar(unknown[0])
        hint = f"; did you mean `{meant}`?" if meant else ""
        raise ConfigError(f"`{path}` has an unknown setting `{unknown[0]}`{hint}")
    return {name: _Found(value, f"`{name}` in `{path}`") for name, value in values.items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Found]:
    known = {f"{_PREFIX}{name.upper()}": name for name in _FIELDS}
    for variable in environ:
        if variable.startswith(_PREFIX) and variable not in known:
            _refuse_misspelt(variable)
    return {
        name: _Found(environ[variable], variable) for variable, name in known.items() if environ.get(variable)
    }


def _refuse_misspelt(variable: str) -> None:
    """One that is like no setting is left alone: it may be another program's. Raises ConfigError."""
    setting = _similar(variable.removeprefix(_PREFIX).lower())
    if setting:
        meant = f"{_PREFIX}{setting.upper()}"
        raise ConfigError(f"{variable} is no setting; did you mean {meant}?")


def _similar(name: str) -> str:
    return next(iter(difflib.get_close_matches(name, _FIELDS, 1, _SIMILARITY_MIN)), "")


def _converted(name: str, found: _Found) -> Any:
    """Raises ConfigError."""
    try:
        return _value(name, found.value)
    except (ValueError, TypeError) as error:
        told = "a value that cannot be used" if name in _SECRETS else f"`{found.value}`"
        raise ConfigError(f"{found.source} is {told}; use {_allowed(name)}") from error


def _value(name: str, given: Any) -> Any:
    """Raises ValueError, TypeError."""
    wanted = _FIELDS[name]
    if isinstance(given, list | dict):
        raise TypeError("it must be one value")
    if wanted is bool:
        return _boolean(given)
    if name in _CHOICES:
        return _CHOICES[name][_CHOICES[name].index(str(given).lower())]
    if wanted is int:
        return _integer(given, *_BOUNDS[name])
    converted = wanted(given) if isinstance(wanted, type) else given
    if name in _FORMS and not _FORMS[name].fullmatch(converted):
        raise ValueError("not of the form")
    return converted


def _integer(given: Any, low: int, high: int) -> int:
    if isinstance(given, bool | float) or not low <= int(given) <= high:
        raise ValueError("not a whole number within the bounds")
    return int(given)


def _boolean(given: Any) -> bool:
    text = str(given).lower()
    if text not in _TRUE + _FALSE:
        raise ValueError("neither true nor false")
    return text in _TRUE


def _allowed(name: str) -> str:
    """What a setting can be, in words."""
    if name in _CHOICES:
        *others, last = _CHOICES[name]
        return f"{', '.join(others)} or {last}"
    if name in _BOUNDS:
        low, high = _BOUNDS[name]
        return f"a whole number from {low} to {high}"
    if _FIELDS[name] is bool:
        return "true or false"
    return _ALLOWED.get(name, "one text")
