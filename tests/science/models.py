"""Crystal structures of the shared data as models of their variants, numbered in IMGT as a structure job gives them."""
import gzip
import io
import re

import msgpack
from sources import number, run, shared

THREE = dict(zip("ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL".split(),
                 "ARNDCQEGHILKMFPSTWYV"))
STRUCTURE_ID = bytes(range(16))


def atom_lines(path):
    with gzip.open(path, "rt") as file:
        return [line.rstrip("\n") for line in file if line.startswith("ATOM")]


def chains_of(atoms):
    """chain -> [(number and insertion as they stand, letter)]"""
    chains = {}
    for line in atoms:
        residues = chains.setdefault(line[21], [])
        if not residues or residues[-1][0] != line[22:27]:
            residues.append((line[22:27], THREE[line[17:20]]))
    return chains


def fit_columns(position):
    """'111A' -> ' 111A'"""
    digits, letter = re.fullmatch(r"(\d+)([A-Z]?)", position).groups()
    return f"{digits:>4}{letter or ' '}"


def templates(count=None):
    """name -> (VH, VL, PDB text in IMGT numbers): the first structures of fv_templates, each whole or not at all."""
    paths = sorted(shared("fv_templates").glob("*.pdb.gz"))[:count]
    atoms = {path.name[:4]: atom_lines(path) for path in paths}
    chains = {name: chains_of(lines) for name, lines in atoms.items()}
    keys = [(name, chain) for name in atoms for chain in "HL"]
    numbered = dict(zip(keys, number(["".join(a for _, a in chains[n][c]) for n, c in keys])))
    found = {}
    for name, lines in atoms.items():
        new, domains = {}, []
        for chain in "HL":
            (domain,) = numbered[name, chain]
            residues = chains[name][chain][domain["start"] - 1:]
            new |= {(chain, old): fit_columns(p) for (p, _), (old, _) in zip(domain["positions"], residues)}
            domains.append("".join(letter for _, letter in domain["positions"]))
        text = "".join(f"{line[:22]}{new[line[21], line[22:27]]}{line[27:]}\n" for line in lines
                       if (line[21], line[22:27]) in new)
        found[name] = (*domains, text)
    return found


def job(vh, vl=None, model=None, job_type="stability", **options):
    """A job message; `model` is the text of model.pdb of an earlier structure job."""
    chains = [{"kind": "heavy" if vl else "vhh", "sequence": vh}]
    if vl:
        chains.append({"kind": "light", "sequence": vl})
    inputs = {"variant_id": bytes(16), "name": "x", "format": "mab" if vl else "nanobody", "chains": chains}
    if options:
        inputs["options"] = options
    if model is not None:
        files = {"model.pdb": {"media_type": "chemical/x-pdb", "content": model}}
        inputs["earlier"] = {"structure": {"job_id": STRUCTURE_ID, "results": {}, "files": files}}
    return {"m": "job", "job_id": bytes(16), "job_type": job_type, "attempt": 1, "inputs": inputs}


def endings(*jobs):
    """What the pipeline ends each job with."""
    done = run(jobs[0]["job_type"], text=b"".join(map(msgpack.packb, jobs)))
    assert done.returncode == 0, done.stderr
    return [m for m in msgpack.Unpacker(io.BytesIO(done.stdout)) if m["m"] in ("result", "error")]


def results(*jobs):
    found = endings(*jobs)
    assert all(m["m"] == "result" for m in found), found
    return [m["results"] for m in found]
