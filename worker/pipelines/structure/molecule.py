"""The chains of a job, checked and numbered: which domains are to be modelled, or why they cannot be."""
from dataclasses import dataclass

from assembly import Target
from numbering import number
from residues import ATOMS

CHAINS_MAX = 8
KINDS = {'heavy': ('heavy chain', 1, 0), 'light': ('light chain', 0, 1), 'vhh': ('VHH', 1, 0), '': ('sequence', 1, 0)}
NOT_SUPPORTED = {'scfv': 'an scFv', 'fc_fusion': 'an Fc fusion'}


class Refused(Exception):
    """The inputs cannot be modelled: a code of PIPELINE.md, words for people, and the input at fault (a JSON pointer;
    None where it is none of them)."""

    def __init__(self, code, message, at_fault=None):
        super().__init__(message)
        self.code, self.message, self.at_fault = code, message, at_fault


class EngineError(Exception):
    """The engine could not make a model; the message says what it said."""


@dataclass(frozen=True)
class Chain:
    kind: str  # heavy, light, vhh, scfv; '' when nobody said
    sequence: str


def read_chains(inputs):
    """The chains of a job's inputs."""
    chains = inputs.get('chains') if isinstance(inputs, dict) else None
    if not isinstance(chains, list) or not 1 <= len(chains) <= CHAINS_MAX:
        raise Refused('invalid_inputs', f'the job has no array of 1 to {CHAINS_MAX} chains', '/chains')
    for n, chain in enumerate(chains):
        if not isinstance(chain, dict) or not isinstance(chain.get('sequence'), str) \
                or chain.get('kind') not in (*KINDS, 'scfv') or not chain['kind']:
            raise Refused('invalid_inputs', f'chain {n + 1} has no sequence, or its kind is not heavy, light, vhh or '
                          'scfv', f'/chains/{n}')
    return [Chain(chain['kind'], chain['sequence']) for chain in chains]


def check_format(chains, form):
    kind = form if form in NOT_SUPPORTED else next((c.kind for c in chains if c.kind in NOT_SUPPORTED), None)
    if kind:
        raise Refused('format_not_supported', f'structures are modelled of Fvs and nanobodies, not of '
                      f'{NOT_SUPPORTED[kind]}: submit its VH and VL as the chains of a mab, or its VHH alone',
                      '/format')


def check_letters(n, chain):
    title = KINDS[chain.kind][0]
    if not chain.sequence:
        raise Refused('empty_sequence', f'{title}: the sequence is empty', f'/chains/{n}')
    for i, letter in enumerate(chain.sequence, 1):
        if letter not in ATOMS:
            raise Refused('invalid_residue', f'{title}: {letter!r} at position {i} is none of the 20 amino acids',
                          f'/chains/{n}')


def read(program, chains, form, lone_heavy):
    """The targets to model: the heavy domain, and the light one unless it is a nanobody."""
    check_format(chains, form)
    for n, chain in enumerate(chains):
        check_letters(n, chain)
    found = {}
    for n, (chain, domains) in enumerate(zip(chains, number(program, [chain.sequence for chain in chains]))):
        target = target_of(n, chain, domains)
        if target.chain in found:
            raise Refused('duplicate_chain', f'there are two {"heavy" if target.chain == "H" else "light"} variable '
                          'domains in different chains: one antibody has one', f'/chains/{n}')
        found[target.chain] = target
    return check_pair(found, chains, lone_heavy)


def target_of(n, chain, domains):
    title, heavy, light = KINDS[chain.kind]
    if 'error' in domains[0]:
        raise Refused(domains[0]['code'], f'{title}: {domains[0]["error"]}', f'/chains/{n}')
    if len(domains) > 1:
        raise Refused('format_not_supported' if chain.kind == '' else 'wrong_chain_kind',
                      f'the {title} has {len(domains)} variable domains, and one is what can be modelled: submit VH '
                      'and VL as the chains of a mab', f'/chains/{n}')
    domain = domains[0]
    kind = 'H' if domain['chain_type'] == 'H' else 'L'
    if chain.kind and kind != ('H' if heavy else 'L'):
        raise Refused('wrong_chain_kind', f'the {title} has a {"heavy" if kind == "H" else "light"} variable domain',
                      f'/chains/{n}')
    positions = [position for position, _ in domain['positions']]
    sequence = ''.join(letter for _, letter in domain['positions'])
    return Target(kind, domain['chain_type'] if kind == 'L' else '', sequence, positions, domain['start'] - 1)


def check_pair(found, chains, lone_heavy):
    if 'H' not in found:
        raise Refused('missing_chain', 'there is no heavy chain: give the heavy chain of the antibody as well',
                      '/chains')
    nanobody = any(chain.kind == 'vhh' for chain in chains)
    if nanobody and 'L' in found:
        raise Refused('wrong_chain_kind', 'a VHH works without a light chain: give heavy and light, or the VHH alone',
                      '/chains')
    if 'L' not in found and not nanobody and not lone_heavy:
        raise Refused('missing_chain', 'there is no light chain: give it as well, or say that this is a nanobody',
                      '/chains')
    if 'L' not in found:
        found['H'].chain = 'N'
    return list(found[kind] for kind in 'HL' if kind in found)
