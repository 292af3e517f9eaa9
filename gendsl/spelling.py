"""A name that is none and the names there are in, the one that was probably meant out."""

from collections.abc import Iterable


def suggestion(name: str, candidates: Iterable[str], *, sole: bool = True) -> str | None:
    """The name that was probably meant: one equal but for case, or one within a third of edits.

    With `sole`, the only candidate is meant, however it is written.
    """
    pool = list(dict.fromkeys(candidates))
    if sole and len(pool) == 1:
        return pool[0]
    lower = name.lower()
    for candidate in pool:
        if candidate.lower() == lower:
            return candidate
    limit = max(1, len(name) // 3)
    near = [(_distance(lower, candidate.lower(), limit), candidate) for candidate in pool]
    best = min(near, key=lambda one: one[0], default=(limit + 1, ""))  # of equally near ones, the first
    if best[0] <= limit:
        return best[1]
    for candidate in pool:  # a word said in full, or said in other spelling: `batchnorm`, `conv_2d`
        if candidate.replace("_", "").lower() == lower.replace("_", ""):
            return candidate
    return None


def _distance(left: str, right: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap neighbours) between two words, or limit + 1 when there are more."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        after = [i]
        for j, b in enumerate(right, 1):
            cost = min(row[j] + 1, after[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            after.append(cost)
        if min(after) > limit:
            return limit + 1
        before, row = row, after
    return row[-1]


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """The help line of an unknown name."""
    found = suggestion(name, candidates)
    return f"did you mean `{found}`?" if found else ""
