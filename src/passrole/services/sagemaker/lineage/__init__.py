"""Lineage: actions, artifacts and contexts, what joins them, and the graph that these are.

https://docs.aws.amazon.com/sagemaker/latest/dg/lineage-tracking.html
"""
