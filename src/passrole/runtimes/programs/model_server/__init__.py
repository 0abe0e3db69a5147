"""A model behind HTTP, as AWS's inference images serve it. Started by serve_model.py."""
