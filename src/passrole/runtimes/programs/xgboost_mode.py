"""The `train` of AWS's XGBoost image where no script is given: the algorithm on the user's `xgboost` wheel.

    python xgboost_mode.py --tag 1.7-1

It reads the channels `train` and `validation`, checks hyperparameters as sagemaker-xgboost-container does and
in its words, prints a line a round (`[0]<TAB>train-rmse:0.2<TAB>validation-rmse:0.3`) and leaves
`model/xgboost-model`. The tag of the image decides how the model is saved: pickled before 1.3-1, by
`save_model` from then on. It cannot choose the version of xgboost; that is what the user has installed.

A user's error reaches the failure file as AWS's images write it: from 0.90 on as `framework error:` with a
traceback, which the platform calls an AlgorithmError; before, as `ClientError: ` and the sentence, which the
platform takes as it is.
https://github.com/aws/sagemaker-xgboost-container
https://github.com/aws/amazon-sagemaker-examples/issues/4555 (0.90 and later), issues/668 (before)

One machine: of several hosts the first trains, if it sees all the data. Pipe mode, recordio-protobuf and
cross validation (`_kfold`) are refused.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))  # also where PYTHONSAFEPATH is set
    from xgboost_algorithm.program import main  # type: ignore[import-not-found, unused-ignore]

    sys.exit(main(sys.argv[1:]))
