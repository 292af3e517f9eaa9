"""Good specs in, figures out: what `check` says of specs that were damaged on purpose.

    python benchmarks/mutants.py                    checks 12 mutants of each kind from each spec, trains a sample
    python benchmarks/mutants.py --train 0          only checks
    python benchmarks/mutants.py --show 40          prints mutants that were missed, misplaced or answered twice

A mutant that `check` rejects is taken to be unable to train (there is no plan to try it with), unless its errors are
all about meaning or lie in blocks that training does not need; these are counted apart. One that it accepts and that
then fails in lowering or in the first two steps is a miss. The line counts as named when an error, or a label of one,
stands on it; of a statement that was dropped, also when an error stands on its neighbours or its block's head, or says
its word. Kinds called harmless keep the meaning, so rejecting one is a false alarm. The two steps run eagerly, with
small sizes.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from mutation import HARMLESS, KINDS
from mutation.good import Mutant, good_of, mutants_of
from mutation.training import SMALL, UNCLEAR, Worker, make_data, sample_of, work
from mutation.verdicts import Verdict, told, verdict_of

ROOT = Path(__file__).resolve().parent.parent
CAUGHT, NAMED = 0.95, 0.90  # the bars


def percent(part: int, whole: int) -> str:
    """A share as 97.3 %."""
    return f"{100 * part / whole:.1f} %" if whole else "none"


def main() -> int:
    """Prints the figures; 1 when a bar is missed or `check` crashes."""
    parser = argparse.ArgumentParser(description="what `check` says of damaged specs")
    parser.add_argument("--count", type=int, default=12, help="mutants of a kind from a spec")
    parser.add_argument("--train", type=int, default=150, help="accepted mutants to train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", type=int, default=0, help="examples to print of each list")
    parser.add_argument("--spec", default="*", help="a pattern of names")
    parser.add_argument("--seconds", type=float, default=90, help="time limit of a training")
    parser.add_argument("--log", default="", help="a file to which every training is written")
    parser.add_argument("--worker", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        work(asked.worker)
        return 0
    folder = tempfile.mkdtemp()
    try:
        make_data(Path(folder))
        return figures(asked, folder)
    finally:
        shutil.rmtree(folder)


def figures(asked: argparse.Namespace, folder: str) -> int:
    """Makes, checks and trains the mutants."""
    verdicts: list[Verdict] = []
    harmless: list[Verdict] = []
    hashes: dict[str, str | None] = {}
    usual: dict[str, frozenset[str]] = {}
    for path in sorted((ROOT / "specs").glob(f"{asked.spec}.gen")):
        good = good_of(path)
        itself = verdict_of(Mutant(good.name, "itself", "", good.source.text, frozenset(), "", ""), folder)
        if itself.rejected:
            print(f"{good.name} is not good itself:\n{told(itself)}")
        hashes[good.name] = itself.plan_hash
        usual[good.name] = itself.advice
        verdicts += [verdict_of(one, folder) for one in mutants_of(good, KINDS, asked.count, asked.seed)]
        harmless += [verdict_of(one, folder) for one in mutants_of(good, HARMLESS, asked.count, asked.seed)]
    crashes = [one for one in [*verdicts, *harmless] if one.crash]
    rejected = [one for one in verdicts if one.errors]
    accepted = [one for one in verdicts if not one.rejected]
    same = [one for one in accepted if one.plan_hash == hashes[one.mutant.spec]]
    other = [one for one in accepted if one.plan_hash != hashes[one.mutant.spec]]
    named = [one for one in rejected if one.named]
    alarms = [one for one in harmless if one.errors]
    print(f"{len(verdicts)} mutants: {len(rejected)} rejected, {len(same)} accepted with the same plan,")
    print(f"  {len(other)} accepted with another plan, {len(crashes)} crashes of the checker")
    advised = [one for one in other if one.advice - usual[one.mutant.spec]]
    print(f"  (a warning that the good spec does not have: {len(advised)} of those)")
    print(f"mutated line named: {percent(len(named), len(rejected))} of those rejected (bar {NAMED:.0%})")
    beside = [one for one in rejected if one.trainable]
    print(
        f"rejected, though it might train: {len(beside)} (errors of meaning, or in evaluate, sample, monitor, export…)"
    )
    many = [one for one in rejected if len(one.errors) > 2]
    print(f"more than two errors for one mutation: {percent(len(many), len(rejected))}")
    slowest = max((one.seconds for one in verdicts), default=0)
    print(f"slowest check: {slowest:.2f} s")
    print(f"harmless mutants rejected (false alarms): {len(alarms)} of {len(harmless)}")
    changed = [one for one in harmless if not one.rejected and one.plan_hash != hashes[one.mutant.spec]]
    print(f"harmless mutants with another plan: {len(changed)}")
    print(f"\n{'kind':22}{'mutants':>8}{'rejected':>10}{'named':>8}{'same':>6}{'other':>7}")
    for kind in dict.fromkeys(one.mutant.kind for one in verdicts):
        of = [one.mutant.kind == kind for one in verdicts].count(True)
        columns = [sum(one.mutant.kind == kind for one in group) for group in (rejected, named, same, other)]
        print(f"{kind:22}{of:8}{columns[0]:10}{columns[1]:8}{columns[2]:6}{columns[3]:7}")
    unnamed = [one for one in rejected if not one.named]
    for title, group in (
        ("crashes", crashes),
        ("errors that do not name the line", unnamed),
        ("more than two errors", many),
        ("false alarms", alarms + changed),
        ("accepted with another plan", other if not asked.train else []),
    ):
        if group and (asked.show or title == "crashes"):
            print(f"\n== {title}: {len(group)}")
            chosen = random.Random(0).sample(group, min(len(group), asked.show or 10))
            print("\n".join(told(one) for one in chosen))
    good_enough = not crashes and len(named) >= NAMED * len(rejected)
    if asked.train:
        good_enough &= trained(asked, folder, other, len(rejected) - len(beside))
    return 0 if good_enough else 1


def trained(asked: argparse.Namespace, folder: str, other: list[Verdict], rejected: int) -> bool:
    """Trains a sample of the accepted mutants and prints the share of those unable to train that were caught."""
    apart = [one for one in other if one.mutant.spec not in SMALL]
    candidates = [one for one in other if one.mutant.spec in SMALL]
    sample = sample_of(candidates, asked.train, asked.seed)
    worker = Worker(folder, seconds=asked.seconds)
    results: list[tuple[Verdict, str, float]] = []
    try:
        for one in sample:
            began = time.perf_counter()
            failure = worker.failure_of(one.mutant)
            results.append((one, failure, time.perf_counter() - began))
            if asked.log:
                with open(asked.log, "a", encoding="utf-8") as log:
                    print(f"{results[-1][2]:5.1f} s  {failure or 'trains'}  <- {told(one)}", file=log)
    finally:
        worker.close()
    unclear = [(one, why) for one, why, _ in results if why.partition(":")[0] in UNCLEAR]
    misses = [(one, why) for one, why, _ in results if why and why.partition(":")[0] not in UNCLEAR]
    fine = [one for one, why, _ in results if not why]
    estimate = len(misses) / len(results) * len(candidates) if results else 0.0
    share = rejected / (rejected + estimate) if rejected else 0.0
    print(f"\ntrained {len(results)} of {len(candidates)} accepted mutants: {len(fine)} train and mean something else,")
    print(f"  {len(misses)} fail (missed), {len(unclear)} unclear; {len(apart)} more need words that are not built yet")
    print(f"caught, of those that cannot train: {share:.1%} (bar {CAUGHT:.0%}; misses scaled to all accepted mutants)")
    for one, why in misses:
        print(f"\nMISS {told(one)}\n    {why}")
    for one, why in unclear:
        print(f"\nunclear {told(one)}\n    {why}")
    print("\ntrain and mean something else, by kind:")
    for kind, number in Counter(one.mutant.kind for one in fine).most_common():
        examples = [one for one in fine if one.mutant.kind == kind][:3]
        print(f"  {kind:22}{number:5}   {'; '.join(f'{one.mutant.spec}: {one.mutant.what}' for one in examples)}")
    return share >= CAUGHT


if __name__ == "__main__":
    sys.exit(main())
