"""Nanobodies with solved structures, and single chains joined from the VH and VL of solved structures."""
import pytest
from sources import at_positions, lines, number, read_table, shared
from test_program import LINKER, STRATEGIES

HALLMARKS = ["42", "49", "50", "52"]


@pytest.fixture(scope="module")
def nanobodies():
    """name → (sequence, strategy → result)."""
    records = [(row["pdb"], row["VHH"]) for row in read_table(shared("vhh_structures.tsv"))]
    answered, status = lines("humanization", records)
    assert status == 0 and len(answered) == len(records) > 40
    return {line["name"]: (sequence, {r["strategy"]: r for r in line["results"]})
            for (_, sequence), line in zip(records, answered)}


def test_nanobodies_keep_their_hallmarks(nanobodies):
    for sequence, results in nanobodies.values():
        assert list(results) == STRATEGIES
        parental = at_positions(number([sequence])[0][0])
        for result in results.values():
            assert result["humanized_vl"] is None and list(result["mutations"]) == ["vh"]
            analysis = result["vhh_analysis"]
            assert [h["imgt"] for h in analysis["hallmarks"]] == HALLMARKS and analysis["kept"]
            now = dict(result["numbering"]["vh"]["positions"])
            for hallmark in analysis["hallmarks"]:
                assert hallmark["residue"] == hallmark["parental"] == parental[hallmark["imgt"]]
                assert hallmark["residue"] == now[hallmark["imgt"]]
            assert result["humanness"]["after"] >= result["humanness"]["before"]


def test_what_is_said_of_a_nanobody(nanobodies):
    kinds = []
    for sequence, results in nanobodies.values():
        analysis = results["cdr_grafting"]["vhh_analysis"]
        cdr3 = results["cdr_grafting"]["numbering"]["vh"]["cdrs"]["imgt"]["cdr3"]["sequence"]
        assert analysis["cdr3_length"] == len(cdr3)
        assert len(analysis["extra_cysteines"]) == sequence.count("C") - 2
        v = analysis["nearest_human_v"]
        assert v["before"]["gene"].startswith("IGHV3-")  # camelid VHHs are of clan III
        assert v["after"]["identity"] > v["before"]["identity"]
        kinds.append(analysis["hallmark_type"])
    assert kinds.count("vhh") > 0.8 * len(kinds)


def test_a_human_vh_alone_has_the_hallmarks_of_a_vh():
    vh = ("EVQLLESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKGRFTISRDNSKNTLYLQMNSLRAEDTAVYYC"
          "AKGGYFDYWGQGTLVTVSS")  # IGHV3-23*01
    (line,), _ = lines("humanization", [("a", vh)])
    analysis = line["results"][0]["vhh_analysis"]
    assert analysis["hallmark_type"] == "vh"
    assert [h["parental"] for h in analysis["hallmarks"]] == ["V", "G", "L", "W"] == [
        h["human"] for h in analysis["hallmarks"]]


@pytest.fixture(scope="module")
def pairs():
    """VH and VL of solved structures that are whole: what lacks its last residues cannot be told from its linker."""
    rows = read_table(shared("fv_templates.tsv"))
    numbered = [[domains[0]["positions"] for domains in number([row[c] for row in rows])] for c in ("VH", "VL")]
    return [(row["VH"], row["VL"]) for row, vh, vl in zip(rows, *numbered)
            if (vh[0][0], vh[-1][0], vl[0][0], vl[-1][0]) == ("1", "128", "1", "127")]


@pytest.mark.parametrize("order", ["vh-vl", "vl-vh"])
def test_single_chains_keep_order_and_linker(pairs, order):
    leader, tail = "MKW", "GSHHHHHH"
    records = []
    for i, (vh, vl) in enumerate(pairs):
        first, second = (vh, vl) if order == "vh-vl" else (vl, vh)
        records += [(f"{i}", leader + first + LINKER + second + tail), (f"{i}fv VH", vh), (f"{i}fv VL", vl)]
    assert len(pairs) > 20
    answered, status = lines("humanization", records)
    assert status == 0
    for (vh, vl), single, apart in zip(pairs, answered[::2], answered[1::2]):
        for result, same in zip(single["results"], apart["results"]):
            check_single_chain(result, same, (vh, vl), order, leader, tail)


def check_single_chain(result, same, pair, order, leader, tail):
    analysis = result["scfv_analysis"]
    assert analysis["order"] == order
    assert (analysis["leader"], analysis["linker"], analysis["tail"]) == (leader, LINKER, tail)
    assert analysis["linker_length"] == len(LINKER)
    # Each domain is humanized as in an Fv of two chains, and given alone.
    assert (result["humanized_vh"], result["humanized_vl"]) == (same["humanized_vh"], same["humanized_vl"])
    names = order.split("-")
    whole = analysis["humanized_sequence"]
    assert whole == (leader + result["humanized_" + names[0]] + LINKER + result["humanized_" + names[1]] + tail)
    parent = dict(zip(("vh", "vl"), pair))
    before = leader + parent[names[0]] + LINKER + parent[names[1]] + tail
    for bounds, text, prefix in ((analysis["domains"], before, "parental_"),
                                 (analysis["humanized_domains"], whole, "humanized_")):
        assert [b["domain"] for b in bounds] == names
        for b in bounds:
            assert text[b["start"] - 1:b["end"]] == result[prefix + b["domain"]]
