"""Delta tables, whose commits rest on conditional puts: writers at the same time lose nothing."""

import os
from concurrent.futures import ThreadPoolExecutor

import botocore.session
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

TABLE = "s3://deltalake/table"
botocore.session.get_session().create_client("s3").create_bucket(Bucket="deltalake")
write_deltalake(TABLE, pa.table({"a": [0]}))


def append(number: int) -> None:
    write_deltalake(TABLE, pa.table({"a": [number]}), mode="append")


with ThreadPoolExecutor(4) as several:
    list(several.map(append, range(1, 9)))
table = DeltaTable(TABLE)
assert table.version() == 8
assert sorted(table.to_pyarrow_table()["a"].to_pylist()) == list(range(9))
os._exit(0)  # now and then Arrow's threads abort an interpreter that ends by itself
