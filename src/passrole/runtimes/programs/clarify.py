"""Stands for AWS's image sagemaker-clarify-processing, which is closed: the bias of data.

The metrics are those of AWS's own library `smclarify`, which is open.
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-configure-analysis.html
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))  # also where PYTHONSAFEPATH is set
    from analysers.bias import main  # type: ignore[import-not-found, unused-ignore]

    sys.exit(main())
