"""What is unpacked on a server's disk is a copy: lost, torn or old, it is made again from the store."""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.refusals import refusal_with_status
from tests.services.lambda_.conftest import Workshop, module, zipped
from tests.store import chosen

from passrole import trees
from passrole.config import Config
from passrole.services.lambda_.leftovers import _MARK, COPY_SECONDS_MIN, discard_unused
from passrole.services.lambda_.qualifiers import VERSIONS
from passrole.services.lambda_.records import FUNCTIONS
from passrole.store import Tx, contents
from passrole.store.contents import PIECE_BYTES

Start = Callable[..., Server]
LARGE = PIECE_BYTES + 1
SAYS = "def handler(event, context):\n    return {!r}\n"


@pytest.fixture
def own(start_server: Start) -> Iterator[Workshop]:
    """On a server of the test's own."""
    yield Workshop(start_server())


def said(own: Workshop, name: str, **given: Any) -> Any:
    answer = own.client.invoke(FunctionName=name, **given)
    found = json.load(answer["Payload"])
    assert "FunctionError" not in answer, found
    return found


def at_rest(own: Workshop, look: Callable[[Any], Awaitable[Any]]) -> Any:
    """What is found, or done, in the store of a server that does not run."""

    async def run() -> Any:
        store = chosen.opened(own.server.data)
        try:
            return await look(store)
        finally:
            await store.close()

    return asyncio.run(run())


def counted(own: Workshop) -> dict[str, int]:
    def count(tx: Tx) -> dict[str, int]:
        tables = ("contents", "content_pieces", "content_users")
        return {table: tx.all(f"SELECT count(*) FROM {table}")[0][0] for table in tables}

    found: dict[str, int] = at_rest(own, lambda store: store.read(count))
    return found


def without_copies(own: Workshop) -> None:
    """A server that has unpacked nothing yet."""
    own.server.kill()
    for folder in ("functions", "layers"):
        shutil.rmtree(own.server.data / folder, ignore_errors=True)
    own.server.start()


def layer(own: Workshop, name: str, text: str) -> str:
    archive = zipped({f"python/{name}.py": f"SAID = {text!r}"})
    answer = own.client.publish_layer_version(LayerName=name, Content={"ZipFile": archive})
    arn: str = answer["LayerVersionArn"]
    return arn


def with_layers(own: Workshop) -> str:
    """A function with two layers, one of which was deleted."""
    layers = [layer(own, "below", "first"), layer(own, "above", "second")]
    name = own.create("import above, below\nreturn [below.SAID, above.SAID]", Layers=layers)
    own.client.delete_layer_version(LayerName="above", VersionNumber=1)
    return name


def test_what_is_not_on_the_disk_is_brought_there(own: Workshop) -> None:
    name, layered = own.create("return 'first'"), with_layers(own)
    own.client.publish_version(FunctionName=name)
    own.client.update_function_code(FunctionName=name, ZipFile=own.zip("return 'second'"))
    for _ in range(2):
        assert said(own, name) == "second"
        assert said(own, name, Qualifier="1") == "first"
        assert said(own, layered) == ["first", "second"]
        without_copies(own)


def test_layers_are_checked_where_nothing_is_unpacked(own: Workshop) -> None:
    arn, name = layer(own, "below", "first"), own.create("import below; return below.SAID")
    without_copies(own)
    own.client.update_function_configuration(FunctionName=name, Layers=[arn])
    assert said(own, name) == "first"


def test_an_archive_of_several_pieces_is_brought_by_many_at_once(own: Workshop) -> None:
    code = zipped({"h.py": SAYS.format("large"), "large": os.urandom(LARGE).hex()})
    assert len(code) > 2 * PIECE_BYTES
    name = own.create(Code={"ZipFile": code})
    without_copies(own)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: said(own, name), range(4))) == ["large"] * 4
    (folder,) = (own.server.data / "functions" / own.server.region / name).iterdir()
    assert (folder / "large").stat().st_size == 2 * LARGE


def test_a_machine_that_stopped_has_torn_nothing(own: Workshop) -> None:
    name = own.create("return 'whole'")
    (file,) = (own.server.data / "functions").rglob("h.py")
    own.server.kill()
    file.write_bytes(b"\0" * file.stat().st_size)
    (own.server.data / _MARK).write_text("an earlier start")
    own.server.start()
    assert said(own, name) == "whole"
    own.server.kill()
    own.server.start()
    assert file.exists(), "what was unpacked since is used again"


def test_the_last_who_uses_an_archive_takes_it_away(own: Workshop) -> None:
    code = {"ZipFile": module("return 'same'")}
    one, two = own.create(Code=code), own.create(Code=code)
    own.client.publish_version(FunctionName=one)
    own.client.update_function_code(FunctionName=one, ZipFile=own.zip("return 'other'"))
    layered = with_layers(own)
    own.client.delete_function(FunctionName=two)
    without_copies(own)
    assert [said(own, one, Qualifier=each) for each in ("1", "$LATEST")] == ["same", "other"]
    for name in (one, layered):
        own.client.delete_function(FunctionName=name)
    own.client.delete_layer_version(LayerName="below", VersionNumber=1)
    own.server.kill()
    assert set(counted(own).values()) == {0}


def test_what_is_refused_keeps_no_archive(own: Workshop) -> None:
    name = own.create("return 1")
    for call, given in (
        (own.client.create_function, own.parameters(FunctionName=name)),
        (own.client.create_function, own.parameters(Code={"ZipFile": b"no archive"})),
        (own.client.update_function_code, {"FunctionName": name, "ZipFile": b"no archive"}),
        (
            own.client.update_function_code,
            {"FunctionName": name, "ZipFile": own.zip("x"), "RevisionId": "old"},
        ),
    ):
        with pytest.raises(ClientError):
            call(**given)
    own.client.update_function_code(FunctionName=name, ZipFile=own.zip("return 2"), DryRun=True)
    own.server.kill()
    assert counted(own) == {"contents": 1, "content_pieces": 1, "content_users": 1}


@chosen.of_a_file
def test_a_kill_in_the_middle_of_an_upload_leaves_nothing_half(own: Workshop) -> None:
    import sqlite3

    name, code = new_name("large"), zipped({"h.py": SAYS.format("large"), "x": os.urandom(8 * LARGE).hex()})

    def pieces() -> int:
        with sqlite3.connect(own.server.data / "passrole.db") as rows:
            return int(rows.execute("SELECT count(*) FROM content_pieces").fetchone()[0])

    with ThreadPoolExecutor(1) as pool:
        creating = pool.submit(own.create, FunctionName=name, Code={"ZipFile": code})
        eventually(lambda: pieces() > 1)
        own.server.kill()
        assert creating.exception() is not None
    own.server.start()
    assert refusal_with_status(lambda: own.client.invoke(FunctionName=name))[0] == 404
    assert [path for path in trees.files(own.server.data / "functions") if path.name == "h.py"] == []
    own.create(FunctionName=name, Code={"ZipFile": code})
    without_copies(own)
    assert said(own, name) == "large"
    own.client.delete_function(FunctionName=name)
    own.server.kill()
    at_rest(own, lambda store: contents.sweep(store, 1e12))
    assert set(counted(own).values()) == {0}


def test_an_archive_that_is_damaged_is_our_failure_and_is_logged(own: Workshop) -> None:
    name = own.create("return 1")
    own.server.kill()
    at_rest(own, lambda store: store.write(lambda tx: tx.run("UPDATE content_pieces SET bytes = ?", b"x")))
    own.server.start()
    assert said(own, name) == 1, "there is a copy"
    without_copies(own)
    assert refusal_with_status(lambda: own.client.invoke(FunctionName=name))[0] == 500
    assert "is not in the store as it was written" in Path(own.server.log.name).read_text()


def as_before(tx: Tx) -> None:
    """Rows as they were when code was in folders alone."""
    for collection in (FUNCTIONS, VERSIONS):
        for key, function in collection.all(tx):
            collection.put(tx, key, replace(function, archive="", layer_archives=[]))
    for table in ("contents", "content_pieces", "content_users"):
        tx.run(f"DELETE FROM {table}")


def test_code_that_was_in_folders_alone_is_adopted(own: Workshop) -> None:
    name, layered = own.create("return 'first'"), with_layers(own)
    shown = own.client.get_function_configuration(FunctionName=name)
    lost = own.create("return 'lost'")
    own.client.publish_version(FunctionName=name)
    assert said(own, name, Qualifier="1") == "first"
    own.server.kill()
    at_rest(own, lambda store: store.write(as_before))
    (own.server.data / _MARK).unlink()
    shutil.rmtree(own.server.data / "functions" / own.server.region / lost)
    own.server.start()
    without_copies(own)
    assert [said(own, name, Qualifier=each) for each in ("1", "$LATEST")] == ["first", "first"]
    assert said(own, layered) == ["first", "second"]
    again = own.create("import below; return below.SAID", Layers=[_arn(own, "below")])
    assert said(own, again) == "first"
    assert own.client.get_function_configuration(FunctionName=name)["CodeSha256"] == shown["CodeSha256"]
    assert refusal_with_status(lambda: own.client.invoke(FunctionName=lost))[0] == 500


def _arn(own: Workshop, name: str) -> str:
    (version,) = own.client.list_layer_versions(LayerName=name)["LayerVersions"]
    arn: str = version["LayerVersionArn"]
    return arn


def test_code_that_another_server_changed_goes_from_this_disk_when_it_is_old(own: Workshop) -> None:
    name, gone = own.create("return 1"), own.create("return 2")
    own.server.kill()
    root = own.server.data / "functions" / own.server.region
    (folder,), (unused,) = (root / name).iterdir(), (root / gone).iterdir()
    at_rest(own, lambda store: store.write(lambda tx: _delete(tx, gone)))

    def discarded(now: float) -> set[Path]:
        found = set[Path]()

        async def discard(code: Path) -> None:
            found.add(code)

        config = Config(data=own.server.data)
        counted = at_rest(own, lambda store: discard_unused(store, config, discard, now))
        assert counted == len(found)
        return found

    assert discarded(time.time()) == set(), "a call may be under way"
    assert discarded(time.time() + COPY_SECONDS_MIN + 1) == {unused.resolve()}
    assert folder.is_dir()


def _delete(tx: Tx, name: str) -> None:
    for key, function in FUNCTIONS.all(tx):
        if function.name == name:
            FUNCTIONS.delete(tx, key)
