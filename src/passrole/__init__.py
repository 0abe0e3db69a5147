"""Amazon SageMaker Pipelines on your own machine, authorised as AWS IAM would."""
