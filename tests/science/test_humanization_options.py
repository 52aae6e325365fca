"""What a humanization may be asked for: through the tool, and as a job."""
import io
import json

import msgpack
import pytest
from sources import TABLES, lines, number, read_fasta, read_table, run, shared
from test_program import STRATEGIES, VH, VL, endings, job, serve

FV = [("a VH", VH), ("a VL", VL)]
SCHEMES = ("imgt", "kabat", "chothia", "martin", "aho")


def humanized(records=FV, **options):
    """strategy → its result."""
    (line,), status = lines("humanization", records, "--options", json.dumps(options))
    assert status == 0, line
    return {result["strategy"]: result for result in line["results"]}


def refused(records=FV, **options):
    """The error that options end in."""
    (line,), status = lines("humanization", records, "--options", json.dumps(options))
    assert status == 1 and line["code"] == "invalid_options"
    return line["error"]


def count(result):
    return sum(len(mutations) for mutations in result["mutations"].values())


def test_strategies_come_in_the_order_asked_for():
    assert list(humanized()) == STRATEGIES == list(humanized(strategies=[]))
    assert list(humanized(strategies=["optimized", "cdr_grafting"])) == ["optimized", "cdr_grafting"]


def test_defaults_are_what_the_schema_says():
    """Naming every default changes nothing."""
    (declared,) = msgpack.Unpacker(io.BytesIO(run("humanization").stdout))
    properties = json.loads(declared["options_schema"])["properties"]
    assert all(p["description"] for p in properties.values())
    assert humanized(**{name: p["default"] for name, p in properties.items()}) == humanized()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_positions_are_in_the_scheme(scheme):
    """As the numbering tool numbers the humanized chains; each mutation stands where its residue does."""
    for result in humanized(scheme=scheme).values():
        assert result["numbering"]["scheme"] == scheme
        for chain, letter in (("vh", "H"), ("vl", "L")):
            (line,), = number([result["humanized_" + chain]], scheme)
            positions = result["numbering"][chain]["positions"]
            assert positions == line["positions"][:len(positions)]
            at = {letter + position: residue for position, residue in positions}
            details = result["mutation_details"][chain]
            assert details and all(at[d["position"]] == d["to"] for d in details)
            assert all(at[d["position"]] == d["kept"] for d in result["back_mutations"][chain])
        places = {p for d in result["liability_details"] for p in [d["position"]]}
        assert places == {p for group in result["liabilities"].values() for p in group}


def test_cdrs_of_one_definition_are_kept():
    """Kabat's CDR H1 begins five residues behind IMGT's, its CDR H2 ends nine behind."""
    for definition in ("imgt", "kabat", "union"):
        result = humanized(cdr_definition=definition)["cdr_grafting"]
        for name in ("imgt", "kabat") if definition == "union" else (definition,):
            for chain, parent in (("vh", VH), ("vl", VL)):
                for cdr in result["numbering"][chain]["cdrs"][name].values():
                    assert cdr["sequence"] in parent
    made = {d: count(humanized(cdr_definition=d)["cdr_grafting"]) for d in ("imgt", "kabat", "union")}
    assert made["union"] < min(made["imgt"], made["kabat"])


def test_trastuzumabs_frameworks_give_trastuzumab_but_for_its_back_mutations():
    """Carter et al. 1992 took VH3 and VK1 consensus frameworks; humanized 4D5 keeps R71, A93 … of the mouse."""
    result = humanized(target_germlines={"vh": "IGHV3-66", "vl": "IGKV1-39*01"})["cdr_grafting"]
    assert result["germlines"]["vh"]["v"]["gene"].startswith("IGHV3-66*")
    assert result["germlines"]["vl"]["v"]["gene"] == "IGKV1-39*01"
    validated = read_fasta(shared("humab25/experimental.fa"))
    for chain in ("VH", "VL"):
        theirs, ours = validated["Herceptin", chain], result["humanized_" + chain.lower()]
        assert len(theirs) == len(ours)
        assert sum(a != b for a, b in zip(ours, theirs)) <= 12


def test_kept_residues_stay():
    """H71 in Kabat's scheme, A in murine 4D5, is the residue that trastuzumab's makers changed back and forth."""
    plain = humanized(scheme="kabat")["cdr_grafting"]
    changed = {d["position"]: d for d in plain["mutation_details"]["vh"]}
    assert "H71" in changed
    kept = humanized(scheme="kabat", keep=["H71", "L66"])["cdr_grafting"]
    assert "H71" not in {d["position"] for d in kept["mutation_details"]["vh"]}
    (why,) = [d for d in kept["back_mutations"]["vh"] if d["position"] == "H71"]
    assert why["kept"] == changed["H71"]["from"] and "asked" in why["reason"]


def test_a_target_takes_the_fewest_changes_and_says_whether_it_is_reached():
    made = 0
    for target in (0.7, 0.75, 0.8):
        result = humanized(humanness_target=target, strategies=["optimized"])["optimized"]
        assert result["humanness_target"] == {"target": target, "vh": True, "vl": True}
        assert all(result["humanness"][chain]["after"]["score"] >= target for chain in ("vh", "vl"))
        assert count(result) >= made
        made = count(result)
        assert [d for d in result["back_mutations"]["vl"] if "not needed" in d["reason"]]
    beyond = humanized(humanness_target=1)["optimized"]
    assert beyond["humanness_target"]["vh"] is False and count(beyond) > made


def test_every_weighed_change_has_its_bits():
    for result in (humanized()["optimized"], humanized(humanness_target=0.8)["optimized"]):
        for chain in ("vh", "vl"):
            for d in result["mutation_details"][chain]:
                assert d["gain_bits"] > 0 <= d["risk_bits"]
    for d in humanized()["optimized"]["mutation_details"]["vh"]:
        assert d["gain_bits"] - d["risk_bits"] >= 1


@pytest.mark.parametrize("options, pointer", [
    ({"target_germlines": {"vh": "IGHV3-233"}}, "/target_germlines/vh"),
    ({"target_germlines": {"vl": "IGLV1-40*01"}}, "/target_germlines/vl"),
    ({"target_germlines": {"vh": "IGKV1-39*01"}}, "/target_germlines/vh"),
    ({"keep": ["H3", "H999"]}, "/keep/1"),
    ({"keep": ["H128A"]}, "/keep/0"),
])
def test_options_that_do_not_suit_the_antibody(options, pointer):
    assert pointer in refused(**options)


def test_an_unknown_gene_is_told_near_ones():
    message = refused(target_germlines={"vh": "IGHV3-233*01"})
    assert "IGHV3-23*01" in message and "IGHV3-233*01" in message


def test_a_nanobody_has_no_light_chain_to_choose_for():
    assert "/target_germlines/vl" in refused([("n", VH)], target_germlines={"vl": "IGKV1-39*01"})
    assert "/keep/0" in refused([("n", VH)], keep=["L3"])


@pytest.mark.parametrize("options", [
    "{", "[]", "7", '{"colour": 1}', '{"scheme": "wolfguy"}', '{"strategies": ["sapiens"]}', '{"humanness_target": 2}',
    '{"strategies": ["optimized", "optimized"]}', '{"keep": ["X1"]}', '{"target_germlines": {"vh": 1}}',
    '{"scheme": "imgt", "scheme": "imgt"}', "/no/such/file"])
def test_the_tool_takes_no_wrong_options(options):
    done = run("humanization", "--fasta", "-", "--options", options, text=f">a VH\n{VH}\n>a VL\n{VL}\n")
    assert done.returncode == 2 and b"--options" in done.stderr and not done.stdout


def test_the_tool_takes_options_from_a_file(tmp_path):
    path = tmp_path / "options.json"
    path.write_text('{"strategies": ["resurfacing"]}')
    (line,), status = lines("humanization", FV, "--options", str(path))
    assert status == 0 and [r["strategy"] for r in line["results"]] == ["resurfacing"]
    assert run("numbering", "--fasta", "-", "--options", "{}", text=f">a\n{VH}\n").returncode == 2


def asked(**options):
    message = job(("heavy", VH), ("light", VL))
    message["inputs"]["options"] = options
    (ending,) = endings(serve(message))
    return ending


def test_a_job_takes_options():
    ending = asked(strategies=["vernier_grafting"], scheme="kabat", keep=["H71"])
    assert [r["strategy"] for r in ending["results"]] == ["vernier_grafting"]
    assert ending["results"][0]["numbering"]["scheme"] == "kabat"


@pytest.mark.parametrize("options, words", [
    ({"colour": 1}, "colour"), ({"scheme": 3}, "/scheme"), ({"keep": ["H999"]}, "/keep/0"),
    ({"target_germlines": {"vh": "IGHV9-9"}}, "/target_germlines/vh")])
def test_a_job_names_the_option_at_fault(options, words):
    ending = asked(**options)
    assert (ending["m"], ending["code"], ending["retry"]) == ("error", "invalid_options", False)
    assert words in ending["message"] and words.strip("/") in ending["partial"]["at_fault"]


def test_a_failed_job_says_what_it_had_reached():
    partial = asked(keep=["H999"])["partial"]
    assert (partial["reached"], partial["at_fault"]) == ("numbering", "/options/keep/0")
    assert [(d["domain"], d["chain_type"]) for d in partial["domains"]] == [("vh", "H"), ("vl", "K")]
    (ending,) = endings(serve(job(("heavy", VH), ("light", VL[:40]))))
    partial = ending["partial"]
    assert (partial["reached"], partial["at_fault"]) == ("job read", "/chains/1")
    assert [d["domain"] for d in partial["domains"]] == ["vh"]
    assert partial["domains"][0]["nearest_v"]["species"] == "mouse"


def test_resurfacing_leaves_the_core_alone():
    exposed = {(r["chain"], r["imgt"]): float(r["rsa"]) for r in read_table(TABLES / "burial.tsv")}
    result = humanized()["resurfacing"]
    for chain, kind in (("vh", "H"), ("vl", "K")):
        assert result["mutation_details"][chain]
        assert all(exposed[kind, d["imgt"]] >= 0.3 for d in result["mutation_details"][chain])
    assert count(result) < count(humanized()["vernier_grafting"])
