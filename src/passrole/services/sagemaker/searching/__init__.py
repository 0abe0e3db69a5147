"""Search over resources of SageMaker: what can be found, by which properties, and what an expression asks.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html
"""
