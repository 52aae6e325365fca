"""Options of immunogenicity, weights of alleles by an operator's table, exposure, and the ddG of suggestions."""
import io
import os
import subprocess

import msgpack
import pytest
from models import endings, job, results, templates
from sources import PROGRAM
from test_immunogenicity import MHC1, MHC2
from test_program import VH, VL

AMINO = "ACDEFGHIKLMNPQRSTVWY"
TABLE = "# source: Example study 2026\nallele\tfrequency\n"


def of(**options):
    return job(VH, VL, job_type="immunogenicity", **options)


@pytest.fixture(scope="module")
def usual():
    return results(of())[0]


def answer_with(table, *jobs):
    """The pipeline's ending with the environment's allele table."""
    done = subprocess.run([PROGRAM, "immunogenicity"], input=b"".join(map(msgpack.packb, jobs or [of()])),
                          capture_output=True, timeout=60, env={**os.environ, "PARATOPE_ALLELE_TABLE": str(table)})
    assert done.returncode == 0, done.stderr
    return [m for m in msgpack.Unpacker(io.BytesIO(done.stdout)) if m["m"] in ("result", "error")][0]


def test_the_options_list_the_alleles_that_there_are(usual):
    assert usual["panel"]["mhc1"] == MHC1 and usual["panel"]["mhc2"] == MHC2
    everything, = results(of(alleles=MHC1 + MHC2))
    assert everything == usual


def test_alleles_that_are_named_are_looked_at_alone(usual):
    one, = results(of(alleles=["HLA-DRB1*07:01"]))
    assert one["panel"]["mhc2"] == ["HLA-DRB1*07:01"] and one["panel"]["mhc1"] == MHC1
    assert one["mhc2_epitopes"] == [e for e in usual["mhc2_epitopes"] if e["allele"] == "HLA-DRB1*07:01"]
    assert one["mhc1_epitopes"] == usual["mhc1_epitopes"] and one["mhc1_risk"] == usual["mhc1_risk"]
    foreign = sum(not e["germline"] for e in one["mhc2_epitopes"])
    cores = len(VH) + len(VL) - 16
    assert one["mhc2_risk"] == pytest.approx(foreign / cores, abs=1e-4)
    assert one["foreign_share"] == usual["foreign_share"]


def test_the_threshold_is_of_class_two_ranks(usual):
    wide, = results(of(threshold_percent=10))
    narrow, = results(of(threshold_percent=2))
    assert narrow["mhc2_epitopes"] == [e for e in usual["mhc2_epitopes"] if e["rank"] <= 2]
    assert usual["mhc2_epitopes"] == [e for e in wide["mhc2_epitopes"] if e["rank"] <= 5]
    assert any(e["rank"] == 10 for e in wide["mhc2_epitopes"])
    assert narrow["mhc2_risk"] < usual["mhc2_risk"] < wide["mhc2_risk"] and wide["mhc1_risk"] == usual["mhc1_risk"]


def test_how_many_suggestions_and_which_residues_stay(usual):
    all_ = usual["deimmunization_suggestions"]
    assert len(all_) > 5
    few, = results(of(suggestions=3))
    assert few["deimmunization_suggestions"] == all_[:3]
    assert results(of(suggestions=0))[0]["deimmunization_suggestions"] == []
    kept = [all_[0]["imgt"], all_[1]["imgt"]]
    without = results(of(keep=kept))[0]["deimmunization_suggestions"]
    assert not {s["imgt"] for s in without} & set(kept)
    assert [s for s in without if s in all_] == [s for s in all_ if s["imgt"] not in kept]


@pytest.mark.parametrize("options, pointer", [
    ({"alleles": ["HLA-DRB1*99:01"]}, "/alleles/0"), ({"alleles": "HLA-A*01:01"}, "/alleles"),
    ({"threshold_percent": 0}, "/threshold_percent"), ({"threshold_percent": 11}, "/threshold_percent"),
    ({"threshold_percent": "5"}, "/threshold_percent"), ({"suggestions": 21}, "/suggestions"),
    ({"keep": ["H200"]}, "/keep/0"), ({"keep": ["31"]}, "/keep/0"), ({"keep": {}}, "/keep"), ({"colour": 1}, "colour")])
def test_an_option_that_does_not_fit_is_named_by_its_pointer(options, pointer):
    answer, = endings(of(**options))
    assert (answer["m"], answer["code"], answer["retry"]) == ("error", "invalid_options", False)
    assert pointer in answer["message"]


def test_suggestions_have_the_ddg_of_a_stability_job():
    vh, vl, model = next(iter(templates(1).values()))
    for text in (None, model):
        found, = results(job(vh, vl, text, job_type="immunogenicity"))
        matrix = results(job(vh, vl, text))[0]["ddg_matrix"]
        rows = {(c, r["index"]): r for c in ("vh", "vl") for r in matrix[c]}
        assert found["deimmunization_suggestions"] and found["burial"] == ("model" if text else "position table")
        for s in found["deimmunization_suggestions"]:
            row = rows[s["chain"], s["position"]]
            assert row["wild"] == s["mutation"][0]
            assert s["ddg"] == row["ddg"][AMINO.index(s["mutation"][-1])]


def test_bcell_risk_weighs_residues_by_their_exposure():
    """From the result alone: foreign share and accessibility of each residue of an epitope."""
    vh, vl, model = next(iter(templates(1).values()))
    for text in (None, model):
        found, = results(job(vh, vl, text, job_type="immunogenicity"))
        matrix = results(job(vh, vl, text))[0]["ddg_matrix"]
        rsa = {(c, r["index"]): r["rsa"] for c in ("vh", "vl") for r in matrix[c]}
        assert found["bcell_epitopes"]
        for e in found["bcell_epitopes"]:
            over = [rsa[e["chain"], i] for i in range(e["position"], e["end"] + 1)]
            assert e["exposure"] == pytest.approx(sum(over) / len(over), abs=0.006)
        limit = sum(e["foreign"] * e["exposure"] * (e["end"] - e["position"] + 1) for e in found["bcell_epitopes"])
        assert 0 < found["bcell_risk"] < 1.5 * limit / (len(vh) + len(vl))


def test_a_table_weighs_the_alleles_and_its_source_is_named(tmp_path, usual):
    table = tmp_path / "alleles.tsv"
    table.write_text(TABLE + "HLA-DRB1*07:01\t0.15\nHLA-DRB1*15:01\t0.05\nHLA-DQB1*02:01\t0.2\n")
    answer = answer_with(table)
    panel = answer["results"]["panel"]
    assert panel["weights"] == "allele table" and panel["weight_source"] == "Example study 2026"
    assert answer["model_versions"]["allele_frequencies"] == "Example study 2026"
    assert {a: w for a, w in panel["weight_of"].items() if w} == {"HLA-DRB1*07:01": 0.75, "HLA-DRB1*15:01": 0.25}
    weights, cores = panel["weight_of"], len(VH) + len(VL) - 16
    expected = sum(weights[e["allele"]] for e in usual["mhc2_epitopes"] if not e["germline"]) / cores
    assert answer["results"]["mhc2_risk"] == pytest.approx(expected, abs=1e-4)
    assert answer["results"]["mhc1_risk"] == usual["mhc1_risk"]
    assert answer["results"]["mhc2_epitopes"] == usual["mhc2_epitopes"]


@pytest.mark.parametrize("text, why", [
    (None, "line 0"), ("", "line 0: it must begin"), ("allele\tfrequency\n", "line 1: it must begin"),
    ("# source: \n", "line 1"), ("# source: a\nallele frequency\n", "line 2: the columns"), (TABLE, "none of the alleles"),
    (TABLE + "HLA-DRB1*07:01 0.1\n", "line 3: there is no tab"), (TABLE + "HLA-DRB1*07:01\t0\n", "line 3: the frequency"),
    (TABLE + "HLA-DRB1*07:01\t1.1\n", "line 3: the frequency"), (TABLE + "HLA-DRB1*07:01\tnan\n", "line 3: the frequency"),
    (TABLE + "HLA-DRB1*07:01\t0.1\nHLA-DRB1*07:01\t0.1\n", "line 4: the allele is there twice"),
    (TABLE + "HLA-DQB1*02:01\t0.1\n", "none of the alleles")])
def test_a_table_that_cannot_be_used_fails_the_job_with_its_line(tmp_path, text, why):
    table = tmp_path / "alleles.tsv"
    if text is not None:
        table.write_text(text)
    answer = answer_with(table)
    assert (answer["m"], answer["code"], answer["retry"]) == ("error", "allele_table_invalid", False)
    assert why in answer["message"] and answer["partial"] == {"reached": "numbering"}


def test_what_was_reached_is_said_when_a_job_fails():
    chains, options = endings(job("MKTAYIAKQR", VL, job_type="immunogenicity"), of(keep=["H200"]))
    assert chains["partial"] == {"reached": "job read", "at_fault": "/chains/0"}
    assert options["partial"] == {"reached": "numbering", "at_fault": "/options/keep/0"}
