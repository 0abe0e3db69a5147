"""The records of an object of a batch transform, and the payloads that they make, a piece at a time.

    None      the whole object          Line      a line
    RecordIO  a header with magic number and length, the data, padding to 4 bytes
    TFRecord  a length, its checksum, the data, their checksum

Padding and headers are removed where a payload is one record, and stay where it has several.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_TransformInput.html
https://mxnet.apache.org/versions/1.9.1/api/architecture/note_data_loading
https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
"""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

_RECORD_IO_MAGIC = 0xCED7230A
_RECORD_IO_LENGTH = (1 << 29) - 1
"""The three bits above it tell of a record in several parts."""


class BadData(ValueError):
    """The object cannot be transformed; the message says why."""


class TooLarge(BadData):
    """A record is larger than a payload may be. In AWS's words."""

    def __init__(self) -> None:
        super().__init__("Too much data for max payload size")


class Record(NamedTuple):
    """A record as it is in the object, and without what wraps it."""

    whole: bytes
    content: bytes


@dataclass(frozen=True)
class Payload:
    """The body of a request, and the contents of its records."""

    body: bytes
    records: Sequence[bytes]


def payloads(
    file: BinaryIO, split: str, bytes_max: int, *, is_single: bool, filtered: Callable[[bytes], bytes] | None
) -> Iterator[Payload]:
    """The payloads of an object, as many records in each as have room, or one. `filtered` makes a record what
    the model is to see of it. Raises BadData.
    """
    waiting: list[tuple[Record, bytes]] = []
    room, alone = bytes_max, split == "None" or is_single
    for record in _READERS[split](file, bytes_max):
        seen = record if filtered is None else _seen(filtered(record.content), split)
        body = seen.content if alone else seen.whole
        if len(body) > bytes_max:
            raise TooLarge
        if alone:
            yield Payload(body, [record.content])
            continue
        if len(body) > room:
            yield _of(waiting)
            waiting, room = [], bytes_max
        waiting.append((seen, record.content))
        room -= len(body)
    if waiting:
        yield _of(waiting)


def _seen(content: bytes, split: str) -> Record:
    return Record(content + b"\n" if split == "Line" else content, content)


def _of(waiting: Sequence[tuple[Record, bytes]]) -> Payload:
    return Payload(b"".join(seen.whole for seen, _ in waiting), [content for _, content in waiting])


def _whole(file: BinaryIO, bytes_max: int) -> Iterator[Record]:
    content = file.read(bytes_max + 1)
    yield Record(content, content)


def _lines(file: BinaryIO, bytes_max: int) -> Iterator[Record]:
    while line := file.readline(bytes_max + 2):
        if len(line) == bytes_max + 2 and not line.endswith(b"\n"):
            raise TooLarge
        yield Record(line, line.removesuffix(b"\n").removesuffix(b"\r"))


def _record_io(file: BinaryIO, bytes_max: int) -> Iterator[Record]:
    while header := file.read(8):
        magic, length = struct.unpack("<II", _checked(header, 8))
        if magic != _RECORD_IO_MAGIC or length > _RECORD_IO_LENGTH:
            raise BadData("The object is not in the format RecordIO, or has a record in several parts")
        padded = (length + 3) // 4 * 4
        if padded > bytes_max:
            raise TooLarge
        content = _checked(file.read(padded), padded)
        yield Record(header + content, content[:length])


def _tf_record(file: BinaryIO, bytes_max: int) -> Iterator[Record]:
    while header := file.read(12):
        (length,) = struct.unpack("<Q", _checked(header, 12)[:8])
        if length > bytes_max:
            raise TooLarge
        rest = _checked(file.read(length + 4), length + 4)
        yield Record(header + rest, rest[:length])


def _checked(piece: bytes, length: int) -> bytes:
    if len(piece) < length:
        raise BadData("The object ends inside a record")
    return piece


_READERS: Mapping[str, Callable[[BinaryIO, int], Iterator[Record]]] = {
    "None": _whole,
    "Line": _lines,
    "RecordIO": _record_io,
    "TFRecord": _tf_record,
}
