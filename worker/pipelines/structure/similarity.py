"""How alike two numbered domains are. A domain has `sequence`, `positions`, `index` and `layout`."""
from ost.seq.alg import BLOSUM62


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
    """BLOSUM62 over a CDR of equal length and `around` residues on both sides: the mean of a residue."""
    ours, theirs = a.layout.cdrs[cdr], b.layout.cdrs[cdr]
    one = a.sequence[max(0, ours.start - around):ours.stop + around]
    two = b.sequence[max(0, theirs.start - around):theirs.stop + around]
    return sum(BLOSUM62.GetWeight(x, y) for x, y in zip(one, two)) / len(one)
