"""The parts of an image's name: `registry/path/repository:tag@digest`."""


def repository(image: str) -> str:
    """An image's repository without registry, tag and digest. The port of a registry is not a tag."""
    path = image.partition("@")[0].rpartition("/")[2]
    return path.partition(":")[0]


def tag(image: str) -> str | None:
    """An image's tag, if it has one."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2] or None
