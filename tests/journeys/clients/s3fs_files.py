"""s3fs, and pandas over it: files in parts, listings, and a create that must be the first."""

import pandas as pd
import s3fs

files = s3fs.S3FileSystem()
files.mkdir("s3fs")
pd.DataFrame({"a": [1, 2]}).to_csv("s3://s3fs/p.csv", index=False)
assert pd.read_csv("s3://s3fs/p.csv")["a"].tolist() == [1, 2]
with files.open("s3fs/large", "wb", block_size=5 * 2**20) as file:
    for _ in range(12):
        file.write(b"x" * 2**20)
assert files.size("s3fs/large") == 12 * 2**20
with files.open("s3fs/once", "xb") as file:
    file.write(b"first")
try:
    with files.open("s3fs/once", "xb") as file:
        file.write(b"second")
except FileExistsError:
    pass
else:
    raise AssertionError("a second create was taken")
assert files.cat("s3fs/once") == b"first"
try:
    files.cat("s3fs/none")
except FileNotFoundError:
    pass
else:
    raise AssertionError("what is missing was read")
files.rm("s3fs", recursive=True)
