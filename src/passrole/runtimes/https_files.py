"""Files with which programs trust the server and send no telemetry; the jobs' own, and those of clients.

The user's own authorities stay trusted, so that other https calls still work.
"""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from botocore.httpsession import get_cert_path

from passrole import private_files
from passrole.https_names import BUNDLES, Https

_WITHOUT_TELEMETRY = """\
SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


class Jobs:
    """How the names lead from jobs to a server; `proxy` tells its URL, and a server without one has None."""

    def __init__(self, data: Path, authority: Path, proxy: Callable[[], str] | None) -> None:
        self._folder = data.resolve()
        self._authority = authority.resolve()
        self._proxy = proxy
        self._found: Https | None = None
        self._lock = threading.Lock()

    def found(self) -> Https | None:
        """Write the files once. The authority is there from the first start of a server on."""
        with self._lock:  # jobs begin at the same time, each in a thread
            if self._found is None and self._proxy is not None and self._authority.exists():
                trusting = bundle(self._folder / "ca-bundle-of-jobs.pem", self._authority, os.environ)
                settings = sdk_settings(self._folder / "sagemaker-sdk-of-jobs.yaml")
                self._found = Https(self._proxy(), trusting, self._authority, settings)
            return self._found


def bundle(
    place: Path, authority: Path, inherited: Mapping[str, str], mode: int = private_files.FILE_MODE
) -> Path:
    """Write the user's authorities and ours. After `passrole env` the environment names ours already."""
    trusted = next((Path(inherited[name]) for name in BUNDLES if inherited.get(name)), None)
    if trusted is None or not trusted.is_file() or trusted == place:
        trusted = Path(str(get_cert_path(True)))
    content = trusted.read_bytes().rstrip() + b"\n" + authority.read_bytes()
    private_files.write(place, content, mode)
    return place


def sdk_settings(place: Path) -> Path:
    """Write the SageMaker SDK's settings that keep it from sending telemetry."""
    private_files.write(place, _WITHOUT_TELEMETRY.encode())
    return place
