"""Under what key a run's files hold a score in, the names that a spec and a person use out.

`fid_classifier#3fa9c1d2` is the name, the extractor of its features and the fingerprint of all that it depends on. Only
a score on Inception's features has the bare name, as the literature has it: `fid#…`.
"""

from gendsl.vocabulary.scores import FEATURE_SCORES

_SUFFIXES = ("classifier", "lite0", "pixels", "keras")  # of extractors, but Inception


def named(name: str, extractor: str) -> str:
    """`fid_classifier` of a name and an extractor."""
    return f"{name}_{extractor}" if extractor in _SUFFIXES else name


def shown(key: str) -> str:
    """`fid_classifier` of `fid_classifier#3fa9c1d2`: what a person reads."""
    return key.partition("#")[0]


def plain(key: str) -> str:
    """The name that a spec uses for a key: `fid` of `fid_classifier#3fa9c1d2`, `fid/a` of `fid_lite0/a#3fa9c1d2`."""
    name, slash, output = shown(key).partition("/")
    for suffix in _SUFFIXES:
        bare = name.removesuffix(f"_{suffix}")
        if bare != name and bare in FEATURE_SCORES:
            return f"{bare}{slash}{output}"
    return f"{name}{slash}{output}"
