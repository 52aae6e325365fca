"""Canonical classes of the CDRs but H3: the templates' own loops of one length, clustered. Used when the table of
templates is made; a model's class is that of its most typical template."""
from regions import CDRS
from superposition import fit, rmsd

RADIUS = 1.0  # A, backbone of the loop superposed on itself
FEWEST = 2  # loops; less is no class


def classes(domains):
    """{(number of the domain, CDR): class}; "L1-11-2" is the second largest cluster of L1 with eleven residues."""
    found = {}
    groups = {}
    for n, domain in enumerate(domains):
        kind = 'L' if domain.chain == 'L' else 'H'
        for cdr in CDRS:
            if f'{kind}{cdr}' != 'H3':
                groups.setdefault((f'{kind}{cdr}', domain.layout.length(cdr)), []).append(n)
    for (name, length), members in sorted(groups.items()):
        cdr = int(name[1])
        loops = {n: domains[n].backbone[domains[n].layout.cdrs[cdr]] for n in members}
        for rank, cluster in enumerate(clusters(loops), 1):
            for n in cluster:
                found[n, cdr] = f'{name}-{length}-{rank}'
    return found


def clusters(loops):
    """Around the loop with most others within the radius, then around that of what is left, and so on."""
    near = {n: {m for m in loops if rmsd(fit(loops[m], loops[n])(loops[m]), loops[n]) <= RADIUS} for n in loops}
    left = set(loops)
    while left:
        centre = max(sorted(left), key=lambda n: len(near[n] & left))
        cluster = near[centre] & left
        if len(cluster) < FEWEST:
            return
        yield sorted(cluster)
        left -= cluster
