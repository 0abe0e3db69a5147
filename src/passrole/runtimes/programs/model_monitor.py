"""Stands for AWS's closed image sagemaker-model-monitor-analyzer: the quality of data and of models.

It calculates statistics and constraints of a dataset, and compares it with the constraints and statistics of
an earlier one, if its environment names them. The files have the forms that AWS documents; the numbers come
from pandas.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-contract-outputs.html
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))  # also where PYTHONSAFEPATH is set
    from analysers.quality import main  # type: ignore[import-not-found, unused-ignore]

    sys.exit(main())
