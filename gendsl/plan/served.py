"""A text in, whether it can be the name of an exported model out: the check asks it, and so does the export."""


def is_name(name: str) -> bool:
    """Whether a model may be called so: a name becomes one of a folder, and part of URLs and of scripts."""
    return bool(name) and not name.startswith((".", "-")) and all(one.isalnum() or one in "_.-" for one in name)
