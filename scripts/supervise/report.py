"""A humanization for people: the chains under their originals, germlines, humanness.

What a result lacks is left out, so that another pipeline's results can be shown too."""
from collections.abc import Iterator

WIDTH = 60
CHAINS = (('VH', 'vh'), ('VL', 'vl'))


def report(results: object) -> Iterator[str]:
    """Line by line."""
    strategies = [entry for entry in results if isinstance(entry, dict)] if isinstance(results, list) else []
    if not strategies:
        yield f'  result: {results}'
    for entry in strategies:
        method = at(entry, 'humanness', 'method')
        yield ''
        yield f"  {entry.get('strategy', 'no strategy named')}" + (f' (humanness by {method})' if method else '')
        for label, chain in CHAINS:
            if isinstance(entry.get(f'humanized_{chain}'), str):
                yield from show_chain(label, chain, entry)


def show_chain(label: str, chain: str, entry: dict) -> Iterator[str]:
    humanized = entry[f'humanized_{chain}']
    parental = entry.get(f'parental_{chain}')
    if not isinstance(parental, str) or len(parental) != len(humanized):
        parental = humanized  # nothing to compare with
    marks = ''.join(' ' if a == b else '^' for a, b in zip(parental, humanized))
    told = [germline(at(entry, 'germlines', chain, gene)) for gene in ('v', 'j')]
    told += [humanness(at(entry, 'humanness', chain)), f"{marks.count('^')} of {len(humanized)} residues changed"]
    yield f"    {label}  {', '.join(part for part in told if part)}"
    for start in range(0, len(humanized), WIDTH):
        part = slice(start, start + WIDTH)
        yield f'      original  {start + 1:>4} {parental[part]}'
        yield f'      humanized      {humanized[part]}'
        if marks[part].strip():
            yield f'      changed        {marks[part].rstrip()}'


def germline(gene: object) -> str:
    name, identity = at(gene, 'gene'), at(gene, 'identity')
    return f'{name} ({identity:.1%} identical)' if name and isinstance(identity, (int, float)) else str(name or '')


def humanness(value: object) -> str:
    before, after = at(value, 'before', 'score'), at(value, 'after', 'score')
    numbers = isinstance(before, (int, float)) and isinstance(after, (int, float))
    return f'humanness {before:.3f} → {after:.3f}' if numbers else ''


def at(value: object, *path: str) -> object:
    """value[path[0]][path[1]]…, or None where that ends."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
