"""What AWS promises a training or processing container: /opt/ml, its files, its environment, its artefacts.

Pure but for `folder.lay_out` and `artefacts`, which read and write the job's own folder. Knows no S3 and no
pipelines: who places the data and takes the results away is above.
"""
