"""Does the score tell human antibodies from others, and does it go with published scores?"""
from report import table
from sources import lines, read_fasta, read_table, shared

SCORES = {"score": "**germline+window 1**", "germline_identity": "germline identity alone",
          "window_identity": "window identity alone", "germline_9mers": "share of germline 9-mers",
          "repertoire": "repertoire frequency"}


def roc_area(high, low):
    return sum((a > b) + 0.5 * (a == b) for a in high for b in low) / (len(high) * len(low))


def ranks(values):
    """Mean rank of equals."""
    order = sorted(values)
    first = {}
    for i, value in enumerate(order):
        first.setdefault(value, i)
    return [first[v] + (order.count(v) - 1) / 2 for v in values]


def spearman(a, b):
    x, y = ranks(a), ranks(b)
    mx, my = sum(x) / len(x), sum(y) / len(y)
    covariance = sum((p - mx) * (q - my) for p, q in zip(x, y))
    return covariance / (sum((p - mx) ** 2 for p in x) * sum((q - my) ** 2 for q in y)) ** 0.5


def chain_means(records):
    """name → each score's mean over the antibody's chains."""
    answered, status = lines("humanness", records)
    assert status == 0
    return {line["name"]: {s: sum(c[s] for c in line["chains"]) / len(line["chains"]) for s in SCORES}
            for line in answered}


def test_tells_human_antibodies_from_others(report):
    rows = read_table(shared("test_only/jain2017.tsv"))
    scores = chain_means([(f"{r['name']} {c}", r[c.lower()]) for r in rows for c in ("VH", "VL")])
    human = [r["name"] for r in rows if r["type"] == "HU"]
    others = [r["name"] for r in rows if r["type"] != "HU"]
    humanized = [r["name"] for r in rows if r["type"] == "ZU"]
    areas = {s: roc_area([scores[n][s] for n in human], [scores[n][s] for n in others]) for s in SCORES}
    against = {s: roc_area([scores[n][s] for n in human], [scores[n][s] for n in humanized]) for s in SCORES}
    report["humanness"] = table(
        ["score", f"human ({len(human)}) against all others ({len(others)})", f"against humanized ({len(humanized)})"],
        [[title, f"{areas[s]:.3f}", f"{against[s]:.3f}"] for s, title in SCORES.items()])
    assert areas["score"] >= 0.977


def test_goes_with_t20(report):
    ours, theirs = [], []
    for version in ("parental", "experimental", "straight_grafts", "vernier_grafts"):
        t20 = {r["description"]: float(r["t20"]) for r in read_table(shared(f"humab25/{version}_T20.tsv"))}
        chains = read_fasta(shared(f"humab25/{version}.fa"))
        scores = chain_means([(f"{name}_{chain}", s) for (name, chain), s in chains.items()])
        for name, chain in chains:
            ours.append(scores[f"{name}_{chain}"]["score"])
            theirs.append(t20[f"{name} {chain}"])
    rho = spearman(ours, theirs)
    report["t20"] = f"{len(ours)} chains): Spearman {rho:.2f}"
    assert rho > 0.8
