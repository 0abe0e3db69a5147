"""What AWS promises a training or processing container: /opt/ml, its files, its environment, its artefacts.

Pure, except `folder.lay_out` and `artefacts`, which read and write the job's own folder. Knows no S3 and no
pipelines: `worker/jobs` downloads the inputs and uploads the results.
"""
