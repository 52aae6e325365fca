"""How a humanization is measured against its parent and its validated version: the same code for every method."""
from dataclasses import dataclass
from functools import lru_cache

MATCH, MISMATCH, GAP = 1, 0, -1


@lru_cache(maxsize=None)
def align(a, b):
    """Global alignment (Needleman & Wunsch): pairs (index in a or None, index in b or None)."""
    best = [[GAP * (i + j) if not i or not j else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        row, above = best[i], best[i - 1]
        for j, y in enumerate(b, 1):
            row[j] = max(above[j - 1] + (MATCH if x == y else MISMATCH), above[j] + GAP, row[j - 1] + GAP)
    pairs = []
    i, j = len(a), len(b)
    while i or j:
        if i and j and best[i][j] == best[i - 1][j - 1] + (MATCH if a[i - 1] == b[j - 1] else MISMATCH):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and best[i][j] == best[i - 1][j] + GAP:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


def identity(a, b):
    """Matches over the longer length."""
    return sum(i is not None and j is not None and a[i] == b[j] for i, j in align(a, b)) / max(len(a), len(b))


def mutations(parent, other):
    """(position in the parent from 1, new residue). What is inserted stands at the position that it follows,
    with its number in the insertion; what is deleted is no new residue."""
    found = set()
    position = inserted = 0
    for i, j in align(parent, other):
        position, inserted = (position, inserted + 1) if i is None else (i + 1, 0)
        if j is not None and (i is None or parent[i] != other[j]):
            found.add((position, inserted, other[j]))
    return found


@dataclass
class Row:
    """One method over all chains."""
    to_validated: float
    to_parent: float
    recall: float
    precision: float
    made: int


def compare(parents, validated, method):
    """Each a dict chain → sequence with the same keys."""
    hits = made = wanted = 0
    for chain, parent in parents.items():
        ours, theirs = mutations(parent, method[chain]), mutations(parent, validated[chain])
        hits += len(ours & theirs)
        made += len(ours)
        wanted += len(theirs)
    n = len(parents)
    return Row(sum(identity(method[c], validated[c]) for c in parents) / n,
               sum(identity(method[c], parents[c]) for c in parents) / n,
               hits / wanted, hits / made if made else 0.0, made)
