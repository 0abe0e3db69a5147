"""An inference image's `serve`: a model behind HTTP, by the user's inference.py or by XGBoost's algorithm.

    python serve_model.py --socket PATH --form script [--code PLACED] [--framework sklearn|torch|xgboost]
    python serve_model.py --socket PATH --form xgboost

It answers as AWS's containers do: `GET /ping` with 200 once the model is loaded, `GET
/execution-parameters` where there are any, and `POST /invocations`. It listens on a socket in the file
system, not on a port: who may connect is who may open that file. The model is in /opt/ml/model, or in
`model/` of SAGEMAKER_BASE_DIR.

**The user's code** is what SAGEMAKER_SUBMIT_DIRECTORY says: an archive that the platform has fetched
(`PLACED`), or a folder; without it `code/` in the model's archive. SAGEMAKER_PROGRAM names the module,
inference.py otherwise. Its requirements.txt is installed as script_mode.py does.

**One request at a time** reaches the model, as in a worker of AWS's server; `/ping` does not wait for it.

It needs Python 3.8 and the standard library; a default handler needs the package that it is about.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
https://github.com/aws/sagemaker-inference-toolkit, https://github.com/aws/sagemaker-xgboost-container
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))  # also where PYTHONSAFEPATH is set
    from model_server.program import main  # type: ignore[import-not-found, unused-ignore]

    sys.exit(main(sys.argv[1:]))
