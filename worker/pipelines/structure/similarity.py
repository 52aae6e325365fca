"""How alike two numbered domains are. A domain has `sequence`, `positions`, `index` and `layout`."""
from ost.seq.alg import BLOSUM62

GAP = -1.0  # for a residue that the other one has not, as for an unlike one


def matches(a, b):
    """Equal residues at equal positions."""
    return sum(n in b.index and b.sequence[b.index[n]] == letter for n, letter in zip(a.positions, a.sequence))


def identity(a, b):
    """Matches over the longer length, 0 to 1."""
    return matches(a, b) / max(len(a.sequence), len(b.sequence))


def pair_identity(a, b):
    """The same over two domains each."""
    lengths = [max(len(x.sequence), len(y.sequence)) for x, y in zip(a, b)]
    return sum(matches(x, y) for x, y in zip(a, b)) / sum(lengths)


def framework_identity(a, b):
    ours, theirs = a.layout.framework, b.layout.framework
    same = sum(p in theirs and b.sequence[theirs[p]] == a.sequence[n] for p, n in ours.items())
    return same / max(len(ours), len(theirs))


def loop_similarity(a, b, cdr, around):
    """BLOSUM62 over a's CDR and `around` residues on both sides: the mean of a residue."""
    loop = a.layout.cdrs[cdr]
    ours = range(max(0, loop.start - around), min(len(a.positions), loop.stop + around))
    theirs = [b.index.get(a.positions[n]) for n in ours]
    return sum(GAP if m is None else BLOSUM62.GetWeight(a.sequence[n], b.sequence[m])
               for n, m in zip(ours, theirs)) / len(ours)
