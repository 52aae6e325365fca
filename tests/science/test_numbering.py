"""Numbering against ANARCI, and against IMGT's alignment of germlines."""
from collections import Counter
from dataclasses import dataclass, field

from report import table
from sources import TABLES, at_positions, lines, number, read_fasta, read_table, shared

# Why a sequence is not numbered as ANARCI does it, by its first row's name. A new difference needs its reason.
WHY = {
    "ab_4toy_H": "eight residues inserted in FR3: ANARCI puts them behind 82 (IMGT); here they stand behind 85, where "
                 "this numbering puts all that is inserted between the strands D and E (as ANARCI does for 4lsv_H)",
    "ab_4lsv_L": "a CDR1 of two residues: ANARCI leaves out 26 to have three, here 26 is taken",
    "ab_3j3z_H": "AG inserted behind 18 (`GASAGVKLSC`, usually `GASVKLSC`): here an insertion 18A, 18B; ANARCI "
                 "has none, shifts FR1's start by two and leaves out 89",
}
SCHEMES = ("imgt", "kabat", "chothia", "martin", "aho")
SPECIES = ("rat", "rabbit", "pig", "alpaca", "cow")
ANCHORS = {"23": "C", "41": "W", "104": "C"}


def unique_rows(scheme, anchors_ok):
    """A row for each sequence; the same sequence may stand in several structures."""
    by_sequence = {}
    for row in read_table(shared("numbering/anarci_chains.tsv")):
        if row["scheme"] == scheme and row["anchors_ok"] == anchors_ok:
            by_sequence.setdefault(row["sequence"], row)
    return list(by_sequence.values())


@dataclass
class Agreement:
    chains: Counter  # by chain type
    equal: Counter
    residues: int = 0
    equal_residues: int = 0
    differ: list = field(default_factory=list)

    def add(self, row, domains):
        want, kind = row["positions"].split("_"), row["chain_type"]
        got = [p for domain in domains for p, _ in domain.get("positions") or []]
        same = len(domains) == 1 and domains[0].get("chain_type") == kind and got == want
        self.chains[kind] += 1
        self.equal[kind] += same
        self.residues += len(want)
        self.equal_residues += sum(a == b for a, b in zip(want, got)) if len(want) == len(got) else 0
        if not same:
            self.differ.append(row["sequence"])


def agreement(scheme):
    rows = unique_rows(scheme, "1")
    found = Agreement(Counter(), Counter())
    for row, domains in zip(rows, number([row["sequence"] for row in rows], scheme)):
        found.add(row, domains)
    return found


def test_agrees_with_anarci_in_five_schemes(report):
    by_scheme = {scheme: agreement(scheme) for scheme in SCHEMES}
    report["numbering"] = table(
        ["scheme", "unique sequences", "heavy equal", "kappa equal", "lambda equal", "all", "residues equal"],
        [[s, a.chains.total(), *(f"{a.equal[k]} of {a.chains[k]}" for k in "HKL"),
          f"{a.equal.total() / a.chains.total():.2%}", f"{a.equal_residues / a.residues:.3%}"]
         for s, a in by_scheme.items()])

    names = {row["sequence"]: row["id"] for s in SCHEMES for row in reversed(unique_rows(s, "1"))}
    differ = {}
    for scheme, found in by_scheme.items():
        for sequence in found.differ:
            differ.setdefault(names[sequence], []).append(scheme)
    report["differences"] = "\n".join(f"- {name} ({', '.join(schemes)}): {WHY.get(name, 'not explained')}"
                                      for name, schemes in sorted(differ.items()))
    for scheme, found in by_scheme.items():
        assert found.equal.total() / found.chains.total() >= 0.99, scheme
        assert found.equal_residues / found.residues >= 0.999, scheme
    assert set(differ) <= set(WHY), "a difference without a reason"


def test_has_the_anchors_where_anarci_is_off(report):
    """Counted over all 47 domains of the table, not only the unique ones."""
    rows = [row for row in read_table(shared("numbering/anarci_chains.tsv"))
            if row["scheme"] == "imgt" and row["anchors_ok"] == "0"]
    found = number([row["sequence"] for row in rows])
    right = sum(ANCHORS.items() <= at_positions(domains[0]).items() for domains in found)
    report["anchors"] = f"{right} of {len(rows)} domains"
    assert right == len(rows) == 47


def kabat_cdrs(row):
    """The CDRs' residues of an ANARCI row in Kabat's scheme."""
    bounds = {"H": ((31, 35), (50, 65), (95, 102))}.get(row["chain_type"], ((24, 34), (50, 56), (89, 97)))
    numbers = [int(p.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) for p in row["positions"].split("_")]
    return ["".join(a for a, n in zip(row["sequence"], numbers) if first <= n <= last) for first, last in bounds]


def test_kabat_cdrs(report):
    """pt_cdr_bounds as it shows in a humanization of the chain: nanobody for heavy, with a partner for light."""
    partner = ("EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAYLQMNSLRAEDTAVYYC"
               "SRWGGDGFYAMDYWGQGTLVTVSS")
    unique = unique_rows("kabat", "1")
    records = []
    for i, row in enumerate(unique):
        heavy = row["chain_type"] == "H"
        records.append((f"{i} VH", row["sequence"] if heavy else partner))
        if not heavy:
            records.append((f"{i} VL", row["sequence"]))
    same = total = 0
    for line in lines("humanization", records)[0]:
        row = unique[int(line["name"])]
        chain = "vh" if row["chain_type"] == "H" else "vl"
        cdrs = line["results"][0]["numbering"][chain]["cdrs"]["kabat"]
        for name, expected in zip(("cdr1", "cdr2", "cdr3"), kabat_cdrs(row)):
            total += 1
            same += cdrs.get(name, {}).get("sequence", "") == expected
    report["kabat"] = f"{same} of {total} CDRs equal ({same / total:.2%})"
    assert same / total >= 0.98


def imgt_columns(row):
    columns = dict(zip(row["positions"].split(","), row["aligned"]))
    return "".join(columns.get(str(p), "-") for p in range(1, 129))


def test_germlines_are_aligned_as_imgt_does(report):
    ours = {}
    for row in read_table(TABLES / "germlines.tsv"):
        for allele in [row["allele"], *filter(None, row["same_protein"].split(","))]:
            ours[row["species"], row["segment"], allele] = row["aligned"]
    theirs = {("human", row["segment"], row["allele"]): imgt_columns(row)
              for row in read_table(shared("test_only/imgt_human_germlines.tsv"))}
    human = {key: ours[key] == imgt for key, imgt in theirs.items() if key in ours and key[1] == "J"}
    human |= {key: ours[key][:104] == imgt[:104] for key, imgt in theirs.items() if key in ours and key[1] == "V"}
    # Mouse alleles carry other names at OGRDB: met by their sequence.
    mouse = {row["aligned128"][:104].replace("-", ""): row["aligned128"][:104]
             for row in read_table(shared("test_only/imgt_species_germlines.tsv"))
             if row["species"] == "mouse" and row["segment"] == "V"}
    pairs = [(a[:104], mouse[a[:104].replace("-", "")]) for (species, segment, _), a in ours.items()
             if species == "mouse" and segment == "V" and a[:104].replace("-", "") in mouse]
    same = sum(a == b for a, b in pairs)
    report["germlines"] = (f"{sum(human.values())} of {len(human)} human alleles and {same} of {len(pairs)} mouse "
                           "V alleles with the same protein have the same positions (V: 1 to 104)")
    assert len(human) > 250 and all(human.values())
    assert len(pairs) > 300 and same / len(pairs) > 0.99


def test_germlines_of_other_species(report):
    """IMGT's alignment of V genes that no profile has seen; the rhesus sets are themselves off by one."""
    genes = read_table(shared("test_only/imgt_species_germlines.tsv"))
    j = {}
    for row in genes:
        if row["segment"] == "J":
            j.setdefault((row["species"], row["chain"]), row["aligned128"].replace("-", ""))
    wanted = [row for row in genes if row["segment"] == "V" and row["species"] in SPECIES
              and (row["species"], row["chain"]) in j]
    found = number([row["aligned128"].replace("-", "") + j[row["species"], row["chain"]] for row in wanted])
    all_genes, same = Counter(), Counter()
    for row, domains in zip(wanted, found):
        at = at_positions(domains[0])
        all_genes[row["species"]] += 1
        same[row["species"]] += row["aligned128"][:104] == "".join(at.get(str(p), "-") for p in range(1, 105))
    report["species"] = table(["species", "V genes", "as IMGT aligns them"],
                              [[s, all_genes[s], same[s]] for s in SPECIES])
    assert same.total() / all_genes.total() >= 0.93


def test_chains_of_other_structures(report):
    """Chains that nothing here was set with: Fv templates, nanobodies."""
    sequences = [row[c] for row in read_table(shared("fv_templates.tsv")) for c in ("VH", "VL")]
    sequences += [row["VHH"] for row in read_table(shared("vhh_structures.tsv"))]
    wrong = [s for s, domains in zip(sequences, number(sequences))
             if len(domains) != 1 or not ANCHORS.items() <= at_positions(domains[0]).items()]
    assert len(sequences) > 300 and not wrong


CH1 = ("ASTKGPSVFPLAPSSKSTSGGTAALGCLVKDYFPEPVTVSWNSGALTSGVHTFPAVLQSSGLYSLSSVVTVPSSSLGTQTYICNVNHKPSNTKVDKKV"
       "EPKSCDKTHTCPPCP")  # human IgG1, P01857
CK = ("RTVAAPSVFIFPPSDEQLKSGTASVVCLLNNFYPREAKVQWKVDNALQSGNSQESVTEQDSKDSTYSLSSTLTLSKADYEKHKVYACEVTHQGLSSPV"
      "TKSFNRGEC")  # human kappa, P01834


def whole(chains):
    """Those that have all positions from the first to the last: what is cut off cannot be told from what follows."""
    return [s for s, domains in zip(chains, number(chains)) if domains[0]["positions"][0][0] == "1"
            and domains[0]["positions"][-1][0] == ("128" if domains[0]["chain_type"] == "H" else "127")]


def test_every_domain_of_a_sequence_is_found(report):
    """Full chains, single chains, tandems of up to eight domains: each numbered as it is alone."""
    rows = read_table(shared("fv_templates.tsv"))
    vh, vl = whole([row["VH"] for row in rows]), whole([row["VL"] for row in rows])
    leader, tag, linker, hinge = "MKWVTFISLLFLFSSAYS", "AAAHHHHHH", "GGGGS" * 3, "EPKSSDKTHTSPPSP"
    kinds = {
        "heavy chain with a constant domain": lambda i: [vh[i], CH1],
        "light chain with its constant domain": lambda i: [vl[i], CK],
        "scFv": lambda i: [vh[i], linker, vl[i]],
        "scFv, VL first, with leader and tag": lambda i: [leader, vl[i], linker, vh[i], tag],
        "two heavy domains side by side": lambda i: [vh[i], vh[-1 - i]],
        "tandem of two scFv": lambda i: [vh[i], linker, vl[i], hinge, vl[-1 - i], linker, vh[-1 - i]],
        "eight domains": lambda i: [part for k in range(4) for part in (vh[i - k], linker, vl[i - k], linker)]}
    count, said = min(len(vh), len(vl), 40), []
    assert count >= 25
    for name, build in kinds.items():
        parts = [build(i) for i in range(count)]
        alone = [d[0]["positions"] for d in number([p for some in parts for p in some if p in {*vh, *vl}])]
        found = [d["positions"] for domains in number(["".join(some) for some in parts]) for d in domains]
        said.append([name, count, f"{sum(a == b for a, b in zip(alone, found))} of {len(alone)}"])
        assert found == alone, name
    report["domains"] = table(["sequence", "how many", "domains found and numbered as alone"], said)


def species_of(sequences):
    return Counter(domains[0]["species"] for domains in number(sequences))


def test_species(report):
    """Fully human antibodies, murine parents of humanized ones, and ANARCI's own guesses."""
    human = species_of([row[c] for row in read_table(shared("test_only/jain2017.tsv")) if row["type"] == "HU"
                        for c in ("vh", "vl")])
    rabbit_or_rat = ("Campath", "Clazakizumab")
    murine = species_of([s for (name, _), s in read_fasta(shared("humab25/parental.fa")).items()
                         if name not in rabbit_or_rat])
    rows = [row for row in unique_rows("imgt", "1") if row["species"] in ("human", "mouse")]
    found = [domains[0] for domains in number([row["sequence"] for row in rows])]
    other = [(domain["nearest_v"]["identity"], domain["v_identity"]) for row, domain in zip(rows, found)
             if (row["species"], domain["species"]) == ("human", "mouse")]
    report["origin"] = (
        f"{human['human']} of {human.total()} chains of fully human antibodies (Jain et al. 2017, HU) are human, and "
        f"{murine['mouse']} of {murine.total()} chains of murine parents (the 25 pairs below) mouse. ANARCI calls "
        f"{len(other)} chains human that are called mouse here: on average they are "
        f"{sum(mouse for mouse, _ in other) / len(other):.0%} identical to a mouse V gene and "
        f"{sum(man for _, man in other) / len(other):.0%} to a human one")
    assert human["human"] / human.total() > 0.98 and murine["mouse"] / murine.total() > 0.9
