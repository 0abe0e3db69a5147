"""Runs foreign code, each in its own process. It knows no pipelines, no services and no door."""
