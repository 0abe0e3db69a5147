"""Stands for AWS's image sagemaker-clarify-processing, which is closed: bias and explanations.

The metrics of bias are those of AWS's own library `smclarify`, which is open; explanations come from `shap`.
https://docs.aws.amazon.com/sagemaker/latest/dg/clarify-processing-job-configure-analysis.html
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))  # also where PYTHONSAFEPATH is set
    from analysers.analysis import main  # type: ignore[import-not-found, unused-ignore]

    sys.exit(main())
