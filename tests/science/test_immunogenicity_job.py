"""The immunogenicity pipeline as the agent sees it, and what an operator may leave out."""
import shutil
import subprocess
import sys

import msgpack
import pytest
from sources import CHECKOUT, TABLES, run
from test_program import LINKER, VH, VL, endings, messages_in, said
from test_program import job as job_of

JOB_TYPE = "immunogenicity"
PIPELINE = CHECKOUT / "worker" / "pipelines" / JOB_TYPE


def job(*chains, **changes):
    return job_of(*chains, **{"job_type": JOB_TYPE, **changes})


def in_format(message, name):
    message["inputs"]["format"] = name
    return message


def serve(*messages):
    done = run(JOB_TYPE, text=b"".join(msgpack.packb(m) for m in messages))
    assert done.returncode == 0, done.stderr
    return messages_in(done.stdout)


def test_progress_then_a_result_as_the_contract_has_it():
    *progress, answer = serve(job(("heavy", VH), ("light", VL)))
    fractions = [p["fraction"] for p in progress]
    assert fractions == sorted(fractions) and fractions[-1] <= 1
    steps = [p["step"] for p in progress]
    assert steps[0] == "numbering" and "risk" in steps and "deimmunisation suggestions" in steps
    assert all(1 <= len(step.encode()) <= 64 for step in steps)
    result = answer["results"]
    for epitope in result["mhc1_epitopes"] + result["mhc2_epitopes"]:
        assert {"peptide", "position", "allele", "score", "rank"} <= set(epitope)
    assert all(0 <= result[key] <= 1 for key in ("mhc1_risk", "mhc2_risk", "bcell_risk", "risk_score"))
    assert result["bcell_epitopes"] and result["deimmunization_suggestions"]
    for suggestion in result["deimmunization_suggestions"]:
        assert suggestion["mutation"] and suggestion["removes"] and "humanness_change" in suggestion
    assert {"immunogenicity", "mhc1", "mhc2", "bcell", "germlines"} <= set(answer["model_versions"])
    assert len(msgpack.packb(answer)) < 64 * 1024


def test_same_inputs_same_bytes():
    a = job(("heavy", VH), ("light", VL))
    b = job(("heavy", VH), ("light", VL), job_id=bytes(range(16)), attempt=3)
    alone = said(JOB_TYPE, a)
    assert said(JOB_TYPE, b, a) == alone + alone


def test_formats():
    nanobody, scfv, fusion = endings(serve(
        job(("vhh", VH)), in_format(job(("scfv", VH + LINKER + VL)), "scfv"),
        in_format(job(("heavy", VH + "EPKSCDKTHTCPPCPAPELLGGPSVFLFPPKPKDTLMISRTPEVTCVVVDVSHEDPEVKFNWY"), ("light", VL)),
                  "fc_fusion")))
    assert [a["chain"] for a in nanobody["results"]["analysed"]] == ["vh"]
    assert [a["chain"] for a in scfv["results"]["analysed"]] == ["scfv"]
    assert fusion["results"]["analysed"][0] == {"chain": "vh", "start": 1, "end": len(VH)}


@pytest.mark.parametrize("chains, code", [
    ([("heavy", VH)], "missing_chain"),
    ([("light", VL)], "missing_chain"),
    ([("heavy", VH), ("heavy", VH)], "duplicate_chain"),
    ([("heavy", VL), ("light", VH)], "wrong_chain_kind"),
    ([("heavy", ""), ("light", VL)], "empty_sequence"),
    ([("heavy", VH[:50] + "X" + VH[51:]), ("light", VL)], "invalid_residue"),
    ([("heavy", "ACDEFGHIKLMNPQRSTVWY" * 5), ("light", VL)], "not_an_antibody"),
    ([("heavy", VH + "A" * 5000), ("light", VL)], "sequence_too_long"),
])
def test_what_cannot_be_computed_is_named(chains, code):
    (ending,) = endings(serve(job(*chains)))
    assert (ending["m"], ending["code"], ending["retry"]) == ("error", code, False)


def test_another_job_type_is_refused():
    (ending,) = endings(serve(job(("heavy", VH), ("light", VL), job_type="humanization")))
    assert ending["code"] == "wrong_job_type"


def test_random_bytes_end_it_with_a_message():
    done = run(JOB_TYPE, text=b"\xc1\xff\x00")
    assert done.returncode == 1 and b"standard input" in done.stderr


def test_a_job_behind_a_failed_one_is_computed():
    kinds = [e["m"] for e in endings(serve(job(("heavy", VH)), job(("heavy", VH), ("light", VL))))]
    assert kinds == ["error", "result"]


def test_the_class_one_table_can_be_left_out(tmp_path):
    """Its sources' sites speak of academic use: who may not use it builds without."""
    data = tmp_path / "data"
    data.mkdir()
    for name in ("mhc2.tsv", "mhc2_thresholds.tsv", "bcell_scales.tsv"):
        shutil.copy(TABLES / name, data)
    tables, program = tmp_path / "tables.c", tmp_path / "panels"
    subprocess.run([sys.executable, PIPELINE / "make_tables.py", data, tables], check=True)
    main = tmp_path / "main.c"
    main.write_text('#include "worker/pipelines/immunogenicity/tables.h"\n#include <stdio.h>\nint main(void)\n{\n'
                    '    printf("%zu %zu", pt_mhc_panels[PT_MHC_2].count, pt_mhc_panels[PT_MHC_1].count);\n}\n')
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", f"-I{CHECKOUT}", main, tables, "-o", program], check=True)
    assert subprocess.run([program], capture_output=True, check=True).stdout == b"8 0"
