"""Which residues of a domain are framework and which CDR, by IMGT positions."""
import re

CDRS = {1: (27, 38), 2: (56, 65), 3: (105, 117)}


def number(position):
    """Of '111A': 111."""
    return int(re.match(r'\d+', position).group())


def region(position):
    """0 in the framework, else the number of the CDR."""
    n = number(position)
    return next((cdr for cdr, (first, last) in CDRS.items() if first <= n <= last), 0)


class Layout:
    """Where the parts of a numbered domain are in its sequence."""

    def __init__(self, positions):
        self.regions = [region(position) for position in positions]
        self.framework = {p: n for n, p in enumerate(positions) if not self.regions[n]}
        self.cdrs = {cdr: slice(self.regions.index(cdr), len(positions) - self.regions[::-1].index(cdr))
                     if cdr in self.regions else slice(0, 0) for cdr in CDRS}

    def length(self, cdr):
        return self.cdrs[cdr].stop - self.cdrs[cdr].start
