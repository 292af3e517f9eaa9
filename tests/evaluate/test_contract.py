"""The contract: what a fingerprint depends on, and the names that are made of it."""

from dataclasses import fields, replace

import pytest

from gendsl.evaluate.contract import Contract, differences
from gendsl.plan.plan import Call
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.score_keys import named, plain, shown
from gendsl.vocabulary.scores import FEATURE_SCORES, better_of, numbers_of

ONE = Contract("fid", {"a": 1}, "digest", "train", 1_617, 1_000, "classifier", "sha", "none", "bytes")


@pytest.mark.parametrize("name", [field.name for field in fields(Contract)])
def test_every_field_is_in_the_fingerprint(name: str) -> None:
    value = getattr(ONE, name)
    other = {"b": 2} if isinstance(value, dict) else value + 1 if isinstance(value, int) else f"{value}x"
    changed = replace(ONE, **{name: other})
    assert changed.fingerprint != ONE.fingerprint
    assert list(differences(ONE.record(), changed.record())) == [name]


def test_a_fingerprint_stays_what_it_is() -> None:
    assert ONE.fingerprint == replace(ONE).fingerprint
    assert len(ONE.fingerprint) == 8 and int(ONE.fingerprint, 16) >= 0
    nested = replace(ONE, arguments={"with": Call("adam", {"rate": 1})})
    assert nested.record()["arguments"] == {"with": {"adam": {"rate": 1}}}


@pytest.mark.parametrize(
    ("extractor", "name", "output", "key", "bare"),
    (
        ("classifier", "fid", "", "fid_classifier", "fid"),
        ("inception", "fid", "", "fid", "fid"),
        ("", "diversity", "", "diversity", "diversity"),
        ("lite0", "fid", "a", "fid_lite0/a", "fid/a"),
        ("pixels", "inception_score", "", "inception_score_pixels", "inception_score"),
        ("keras", "precision", "", "precision_keras", "precision"),
        ("", "elbo_pixels", "", "elbo_pixels", "elbo_pixels"),  # a binding of the user's own
    ),
)
def test_names(extractor: str, name: str, output: str, key: str, bare: str) -> None:
    contract = replace(ONE, extractor=extractor)
    full = contract.key(name, output)
    assert full == f"{key}#{contract.fingerprint}"
    assert shown(full) == key and plain(full) == bare and plain(bare) == bare


def test_only_inceptions_score_is_called_fid() -> None:
    words = [word for word in WORDS["extractor"] if word != "auto"]
    assert [word for word in words if named("fid", word) == "fid"] == ["inception"]


def test_which_numbers_carry_an_extractor() -> None:
    extracted = {name for name, word in WORDS["score"].items() if word.parameter("features") is not None}
    assert {number for name in extracted for number in numbers_of(name)} == FEATURE_SCORES
    assert better_of("fid") == "lower" and better_of("recall") == "higher" and better_of("mine") == ""
