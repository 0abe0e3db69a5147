"""Rust's object_store under polars, with the lines of `passrole env --for polars`."""

import botocore.session
import polars as pl

botocore.session.get_session().create_client("s3").create_bucket(Bucket="polars")
pl.DataFrame({"a": range(1_000_000)}).write_parquet("s3://polars/a/t.parquet")
pl.DataFrame({"a": [1]}).write_parquet("s3://polars/a/u.parquet")
assert pl.read_parquet("s3://polars/a/t.parquet").height == 1_000_000
assert pl.scan_parquet("s3://polars/a/*.parquet").select(pl.len()).collect().item() == 1_000_001
