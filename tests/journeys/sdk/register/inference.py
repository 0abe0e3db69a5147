"""The handler that is packed into the model's archive."""


def model_fn(model_dir):
    return model_dir
