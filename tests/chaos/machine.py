"""A machine of the run's own: namespaces of network, processes and mounts, which end with it.

The run starts itself again inside (`enter`). There are a bridge and, behind it, hosts: network namespaces
with an address each. Whatever ends the run ends all of its processes, and the machine outside is as it was.
https://man7.org/linux/man-pages/man1/unshare.1.html
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

HUB = "10.77.0.1"
"""The address of what is no host: the databases, S3, the clients."""

_INSIDE = "PASSROLE_CHAOS_INSIDE"
_UNSHARE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_PROGRAMS = ("unshare", "ip", "iptables", "mount", "umount")
_SBIN = "/usr/sbin:/sbin"


class Host:
    """A machine of its own as far as the network goes."""

    def __init__(self, number: int) -> None:
        self.name, self.address = f"n{number}", f"10.77.0.{10 + number}"
        self._link = f"veth{number}"
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", self._link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "link", "set", self._link, "master", "br0", "up")
        run("ip", "-n", self.name, "address", "add", f"{self.address}/24", "dev", "eth0")
        for link in ("eth0", "lo"):
            run("ip", "-n", self.name, "link", "set", link, "up")

    def words(self, *words: str) -> list[str]:
        """The command that runs these words on the host; its process is theirs."""
        return ["ip", "netns", "exec", self.name, *words]

    def cut(self) -> None:
        """Take the cable out: nobody is told."""
        run("ip", "link", "set", self._link, "down")

    def join(self) -> None:
        """The cable is back."""
        run("ip", "link", "set", self._link, "up")

    def drop(self, ports: Sequence[int]) -> None:
        """Lose every packet to these ports of the hub, and answer none."""
        run(*self.words(*_rule("-A", ports)))

    def let_through(self, ports: Sequence[int]) -> None:
        """The end of `drop`."""
        run(*self.words(*_rule("-D", ports)))


def obstacle() -> str | None:
    """Why this machine cannot run it; None where it can."""
    os.environ["PATH"] += f":{_SBIN}"
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        return f"no `{missing[0]}` here"
    if is_inside():
        return None
    tried = subprocess.run([*_UNSHARE, "ip", "link", "add", "br0", "type", "bridge"], capture_output=True)
    return None if tried.returncode == 0 else f"no namespaces: {tried.stderr.decode().strip()}"


def is_inside() -> bool:
    """Whether this process is the run itself."""
    return _INSIDE in os.environ


def enter() -> int:
    """Start this program again inside of a machine of its own; its exit code."""
    again = [sys.executable, *sys.orig_argv[1:]]
    init = ["sh", "-c", '"$@"; exit $?', "sh"]  # the first process has to collect the orphans of killed nodes
    return subprocess.run([*_UNSHARE, *init, *again], env={**os.environ, _INSIDE: "1"}).returncode


def prepare() -> None:
    """Inside: the bridge, and a place for the names of hosts."""
    Path("/run/netns").mkdir(exist_ok=True)
    run("mount", "-t", "tmpfs", "none", "/run/netns")
    run("ip", "link", "add", "br0", "type", "bridge")
    run("ip", "address", "add", f"{HUB}/24", "dev", "br0")
    for link in ("br0", "lo"):
        run("ip", "link", "set", link, "up")


def small_disk(folder: Path, megabytes: int) -> None:
    """A disk of this size at the folder."""
    folder.mkdir(parents=True)
    run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder))


def run(*words: str) -> None:
    """Raises RuntimeError with what the command says."""
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()}")


def _rule(how: str, ports: Sequence[int]) -> list[str]:
    to = ",".join(map(str, ports))
    return [
        "iptables",
        "-w",
        how,
        "OUTPUT",
        "-d",
        HUB,
        "-p",
        "tcp",
        "-m",
        "multiport",
        "--dports",
        to,
        "-j",
        "DROP",
    ]
