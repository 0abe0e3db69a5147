"""An error that passrole did not expect: its traceback in a file, without secrets."""

import os
import re
import sys
import tempfile
import traceback
from collections.abc import Iterable, Mapping
from importlib.metadata import version

import click

from passrole.cli.errors import Failed
from passrole.log_format import escaped, terminal_lines

# https://man.freebsd.org/cgi/man.cgi?query=sysexits: EX_SOFTWARE, "an internal software error".
EXIT_CODE = 70

_HIDDEN = "***"
_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD", re.IGNORECASE)
_SECRET_BY_NAME = re.compile(
    r"""((?:secret|token|password|signature)\w*["']?\s*[=:]\s*["']?)[^\s"',;)}&]+""", re.IGNORECASE
)
_USER_OF_A_URL = re.compile(r"(://)[^\s/@]+@")


class Unexpected(Failed):
    """An unexpected error; exit code 70."""

    exit_code = EXIT_CODE


def written(error: Exception, context: click.Context) -> Unexpected:
    """Write the traceback to a temporary file; the error with which the command ends."""
    secrets = _secrets(os.environ)
    message = without_secrets(f"{type(error).__name__}: {error}", secrets)
    try:
        path = _write(without_secrets("".join(traceback.format_exception(error)), secrets), context)
    except OSError as problem:
        where = f"no file with the traceback could be written: {problem.strerror}"
    else:
        where = f"the traceback is in `{path}`"
    return Unexpected(f"unexpected {message}; {where}", context)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without these secrets, and without values that look like secrets."""
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    return _USER_OF_A_URL.sub(rf"\1{_HIDDEN}@", _SECRET_BY_NAME.sub(rf"\1{_HIDDEN}", text))


def _secrets(environment: Mapping[str, str]) -> list[str]:
    """The values of secret variables, longest first, without short ones, which occur in any text."""
    found = {value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) > 7}
    return sorted(found, key=len, reverse=True)


def _write(details: str, context: click.Context) -> str:
    """Raises OSError."""
    versions = f"passrole {version('passrole')}, Python {sys.version.split()[0]}, {sys.platform}"
    lines = [escaped(f"{context.command_path}: {versions}"), *terminal_lines(details)]
    descriptor, path = tempfile.mkstemp(prefix="passrole-", suffix=".log")  # for their owner alone
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
    return path
