"""The requirements that a job's program will install with pip, read from the files that the job has got.

Programs that AWS's SDKs make install a file of requirements before they run the user's code. Each is a row of
the table: how its command line is recognised, and where the file is below /opt/ml.
"""

import gzip
import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from passrole.runtimes import remote_function
from passrole.runtimes.ml.folder import MODEL, ROOT

ARCHIVE_BYTES_MAX = 64 << 20
"""Of an unpacked archive; in a larger one nobody looks."""

_NAME = "requirements.txt"
_REPLACED = "# in a layer that passrole keeps:\n"


@dataclass(frozen=True)
class Requirements:
    """What is to be installed. `satisfied` is called when it is there, and keeps pip from asking an index."""

    text: bytes
    satisfied: Callable[[], None] = lambda: None


def of_script(archive: Path) -> Requirements | None:
    """Those of script mode's code, an archive."""
    text = _from_archive(archive)
    return None if text is None else Requirements(text)


def of_model(ml: Path, archive: Path, submitted: str) -> Requirements | None:
    """Those of a model's code: of an archive that was fetched, of the folder that SAGEMAKER_SUBMIT_DIRECTORY
    names, or of `code/` in the model's archive. They are looked for as programs/model_server/code.py does.
    """
    if archive.exists():
        return of_script(archive)
    inside = PurePosixPath(submitted)
    is_below = inside.is_relative_to(ROOT) and ".." not in inside.parts
    named = ml / inside.relative_to(ROOT) if is_below else None
    place = named if named is not None and named.is_dir() else ml / MODEL / "code"
    file = place / _NAME
    is_own = file.resolve().is_relative_to(ml.resolve())  # a link may lead to a file of the machine
    return Requirements(file.read_bytes()) if file.is_file() and is_own else None


def of_command(words: Sequence[str], ml: Path) -> Requirements | None:
    """Those of a command line, whose job has its files in `ml`."""
    finders = (find for sign, find in _PROGRAMS if any(sign in word for word in words))
    find = next(finders, None)
    return None if find is None else find(words, ml)


def _of_processor(_words: Sequence[str], ml: Path) -> Requirements | None:
    return of_script(ml / "processing/input/code/sourcedir.tar.gz")


def _of_trainer(_words: Sequence[str], ml: Path) -> Requirements | None:
    file = ml / "input/data/code" / _NAME
    return Requirements(file.read_bytes()) if file.is_file() else None


def _of_function(words: Sequence[str], ml: Path) -> Requirements | None:
    """The driver calls pip with `--upgrade`, which would ask an index each time: it finds an empty file.

    With commands that run before, which may set pip up, it is left to the driver.
    """
    name = remote_function.dependency_file(words)
    if name is None or PurePosixPath(name).name != name or not name.endswith(".txt"):
        return None
    folder = ml / "input/data" / remote_function.DEPENDENCIES
    if (folder / remote_function.BEFORE).exists():
        return None
    file = folder / name
    if file.is_file() and not file.is_symlink():
        text = file.read_bytes()
        return Requirements(text, lambda: _replace(file, _told(text)))
    return _of_workspace(ml / "input/data" / remote_function.WORKSPACE, name)


_PROGRAMS: Sequence[tuple[str, Callable[[Sequence[str], Path], Requirements | None]]] = (
    (remote_function.DRIVER, _of_function),
    ("/runproc.sh", _of_processor),  # FrameworkProcessor
    ("/sm_train.sh", _of_trainer),  # ModelTrainer
)


def _of_workspace(archive: Path, name: str) -> Requirements | None:
    """A function outside of a pipeline has its file in an archive."""
    member = f"{remote_function.IN_WORKSPACE}/{name}"
    try:
        with zipfile.ZipFile(archive) as workspace:
            members = workspace.infolist()
            names = {each.filename for each in members}
            before = f"{remote_function.IN_WORKSPACE}/{remote_function.BEFORE}"
            if member not in names or before in names:
                return None
            if sum(each.file_size for each in members) > ARCHIVE_BYTES_MAX:
                return None
            text = workspace.read(member)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        return None
    return Requirements(text, lambda: _replace_member(archive, member, _told(text)))


def _replace_member(archive: Path, member: str, content: bytes) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(archive) as before, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as after:
        for each in before.infolist():
            after.writestr(each, content if each.filename == member else before.read(each))
    _replace(archive, made.getvalue())


def _replace(file: Path, content: bytes) -> None:
    """A new file: the old one may share its blocks, or its inode, with the object in S3."""
    file.unlink()
    file.write_bytes(content)


def _told(text: bytes) -> bytes:
    lines = text.decode(errors="replace").splitlines()
    return (_REPLACED + "".join(f"# {line}\n" for line in lines)).encode()


def _from_archive(archive: Path) -> bytes | None:
    """The file at the top of a tar.gz. What cannot be read is for the program to refuse."""
    try:
        with gzip.open(archive) as compressed:
            content = compressed.read(ARCHIVE_BYTES_MAX + 1)
        if len(content) > ARCHIVE_BYTES_MAX:
            return None
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            names = (each for each in tar if each.isfile() and each.name.removeprefix("./") == _NAME)
            found = next(names, None)
            file = None if found is None else tar.extractfile(found)
            return None if file is None else file.read()
    except (OSError, EOFError, tarfile.TarError, zlib.error):
        return None
