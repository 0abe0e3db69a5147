"""Arrow's C++ client: parquet out and in, in parts and by range, and a data set of several files."""

import os

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

s3 = fs.S3FileSystem(
    endpoint_override=os.environ["AWS_ENDPOINT_URL"],
    region=os.environ["AWS_REGION"],
    allow_bucket_creation=True,
)
s3.create_dir("arrow")
rows = pa.table({"a": range(1_000_000), "b": [str(each) for each in range(1_000_000)]})
pq.write_table(rows, "arrow/one/t.parquet", filesystem=s3)
assert pq.read_table("arrow/one/t.parquet", columns=["a"], filesystem=s3).num_rows == 1_000_000
ds.write_dataset(
    rows, "arrow/many", format="parquet", filesystem=s3, max_rows_per_file=300_000, max_rows_per_group=300_000
)
assert ds.dataset("arrow/many", filesystem=s3).count_rows() == 1_000_000
s3.move("arrow/one/t.parquet", "arrow/one/u.parquet")
assert s3.get_file_info("arrow/one/t.parquet").type == fs.FileType.NotFound
s3.delete_dir("arrow/many")
