"""Objects of S3 as a job reaches them: through the door, in the session of the job's own role."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from passrole.policy.request import Principal
from passrole.runtimes.transfer import Transfer
from passrole.services.context import CallOperation
from passrole.services.s3 import files
from passrole.worker.jobs import copies

CHUNK_BYTES = 16 * 1024 * 1024
FILE_BYTES_MIN = 1024 * 1024
"""An object of this size is copied from its file; a smaller one has come with the answer of GetObject."""

_SCHEME = "s3://"


class Address(NamedTuple):
    """A bucket and a key, or the beginning of keys."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"

    def below(self, name: str) -> "Address":
        """The address of that name under this one, as in a folder."""
        return Address(self.bucket, f"{self.key.rstrip('/')}/{name}".lstrip("/"))


class Listed(NamedTuple):
    """An object of a list."""

    key: str
    size: int


def address(uri: str) -> Address:
    """The parts of `s3://bucket/key`. Raises ValueError."""
    bucket, _, key = uri.removeprefix(_SCHEME).partition("/")
    if not uri.startswith(_SCHEME) or not bucket:
        raise ValueError(f"{uri} is not the address of anything in S3")
    return Address(bucket, key)


@dataclass(frozen=True)
class Objects:
    """What a session of a role does with objects. Every method raises Fault as S3 answers.

    `data` is the folder with the objects' files, where they are in this server's own store. `transfer` counts
    what is moved. `output_key` is the KMS key of what is uploaded.
    """

    call: CallOperation
    principal: Principal
    region: str
    data: Path | None = None
    transfer: Transfer | None = None
    output_key: str | None = None

    def expect(self, size: int) -> None:
        """So many bytes will be downloaded or uploaded."""
        if self.transfer is not None:
            self.transfer.expect(size)

    async def list(self, prefix: Address) -> AsyncIterator[Listed]:
        """Objects whose keys begin with the address's, by key."""
        request = {"Bucket": prefix.bucket, "Prefix": prefix.key}
        while True:
            page = await self._ask("ListObjectsV2", request)
            for each in page.get("Contents") or ():
                yield Listed(each["Key"], each["Size"])
            if not page.get("IsTruncated"):
                return
            request = {**request, "ContinuationToken": page["NextContinuationToken"]}

    async def read(self, source: Address) -> bytes:
        """A whole object, for what is small."""
        body: bytes = (await self._ask("GetObject", {"Bucket": source.bucket, "Key": source.key}))["Body"]
        return body

    async def download(self, source: Address, size: int, target: Path, *, linked: bool = False) -> None:
        """An object into a new file; `linked`: nobody will write to it. Raises OSError."""
        request = {"Bucket": source.bucket, "Key": source.key}
        if size >= FILE_BYTES_MIN and await self._taken_from_file(request, target, linked=linked):
            self._moved(size)
            return
        with target.open("xb") as file:
            if size <= CHUNK_BYTES:
                file.write((await self._ask("GetObject", request))["Body"])
                self._moved(size)
                return
            etag = None
            for start in range(0, size, CHUNK_BYTES):
                stop = min(start + CHUNK_BYTES, size)
                same: dict[str, str] = {} if etag is None else {"IfMatch": etag}
                answer = await self._ask(
                    "GetObject", {**request, **same, "Range": f"bytes={start}-{stop - 1}"}
                )
                etag = answer["ETag"]
                await asyncio.to_thread(file.write, answer["Body"])
                self._moved(stop - start)

    async def _taken_from_file(self, request: dict[str, str], target: Path, *, linked: bool) -> bool:
        """Whether the object was copied from its file. A byte of it is read first, which the role must be
        allowed as for the whole.
        """
        if self.data is None:
            return False
        first = await self._ask("GetObject", {**request, "Range": "bytes=0-0"})
        size, modified = int(first["ContentRange"].rpartition("/")[2]), first["LastModified"]
        file = files.opened(self.data, request["Bucket"], request["Key"], size, modified)
        if file is None:
            return False
        with file:
            await asyncio.to_thread(copies.link if linked else copies.copy, file, target)
        return True

    async def upload(self, source: BinaryIO, target: Address) -> None:
        """An open file into an object, in parts where it is large. Raises OSError."""
        request = {"Bucket": target.bucket, "Key": target.key}
        first = await asyncio.to_thread(source.read, CHUNK_BYTES)
        if len(first) < CHUNK_BYTES:
            await self._ask("PutObject", {**request, **self._encryption, "Body": first})
            self._moved(len(first))
            return
        begun = await self._ask("CreateMultipartUpload", {**request, **self._encryption})
        upload = {**request, "UploadId": begun["UploadId"]}
        try:
            parts = [part async for part in self._parts(first, source, upload)]
            await self._ask("CompleteMultipartUpload", {**upload, "MultipartUpload": {"Parts": parts}})
        except BaseException:
            await self._ask("AbortMultipartUpload", upload)
            raise

    @property
    def _encryption(self) -> dict[str, Any]:
        if self.output_key is None:
            return {}
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.output_key}

    async def _parts(
        self, first: bytes, rest: BinaryIO, upload: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        piece, number = first, 1
        while piece:
            answer = await self._ask("UploadPart", {**upload, "PartNumber": number, "Body": piece})
            self._moved(len(piece))
            yield {"PartNumber": number, "ETag": answer["ETag"]}
            piece, number = await asyncio.to_thread(rest.read, CHUNK_BYTES), number + 1

    def _moved(self, size: int) -> None:
        if self.transfer is not None:
            self.transfer.moved(size)

    async def _ask(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        return await self.call("s3", operation, parameters, self.principal, self.region)
