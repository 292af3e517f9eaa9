"""A fast share of benchmarks/mutants.py: damaged specs are answered at their place, and harmless changes are not."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

from mutation import HARMLESS, KINDS  # noqa: E402
from mutation.good import Mutant, good_of, mutants_of  # noqa: E402
from mutation.training import make_data  # noqa: E402
from mutation.verdicts import told, verdict_of  # noqa: E402

GOODS = [good_of(path) for path in sorted((ROOT / "specs").glob("*.gen"))]
NAMED = 0.9  # the bar of the whole corpus


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("project")
    make_data(made)
    return str(made)


@pytest.fixture(scope="module")
def verdicts(folder):
    return [verdict_of(one, folder) for good in GOODS for one in mutants_of(good, KINDS, 2, seed=1)]


def test_no_mutant_brings_the_checker_down(verdicts):
    crashed = [one for one in verdicts if one.crash]
    assert not crashed, "\n".join(told(one) for one in crashed[:3])


def test_the_damaged_line_is_named(verdicts):
    rejected = [one for one in verdicts if one.errors]
    assert len(rejected) > 300
    named = sum(one.named for one in rejected)
    assert named >= NAMED * len(rejected), f"{named} of {len(rejected)}"


def test_every_error_has_a_mend(verdicts):
    bare = {f"{error.rule.code}: {error.message}" for one in verdicts for error in one.errors if not error.help}
    assert not bare, "\n".join(sorted(bare))


@pytest.mark.parametrize("good", GOODS, ids=lambda good: good.name)
def test_harmless_changes_are_accepted(good, folder):
    for mutant in mutants_of(good, HARMLESS, 4, seed=1):
        verdict = verdict_of(mutant, folder)
        assert not verdict.rejected, told(verdict)


@pytest.mark.parametrize("kind", [*KINDS, *HARMLESS], ids=lambda kind: kind.__name__)
def test_every_kind_damages_some_spec(kind):
    made = [(good, one) for good in GOODS for one in mutants_of(good, (kind,), 1, seed=0)]
    assert made
    assert all(one.text != good.source.text for good, one in made)


@pytest.mark.parametrize(
    ("spec", "old", "new"),
    [
        ("grid_gan", "-> point", "-> bernoulli(image)"),
        ("fashion_vae", "param latent = 16", "param other = 16"),
        ("fashion_sngan", "reshape 4, 4, 4*width", "reshape 4, 4, 4*x"),
    ],
)
def test_what_gives_no_plan_gives_an_error(spec, old, new, folder):
    good = next(one for one in GOODS if one.name == spec)
    assert old in good.source.text
    mutant = Mutant(spec, "by hand", new, good.source.text.replace(old, new), frozenset(), "", "")
    verdict = verdict_of(mutant, folder)
    assert verdict.errors, told(verdict)
