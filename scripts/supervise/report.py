"""A humanization for people: chains under their originals, germlines, humanness."""
from collections.abc import Iterator

from align import align

WIDTH = 60
CHAINS = (('VH', 'humanized_vh', 'vh'), ('VL', 'humanized_vl', 'vl'))


def report(originals: dict[str, str], results: object) -> Iterator[str]:
    """Line by line. `originals`: VH, VL or '' (a lone chain) → sequence."""
    strategies = [entry for entry in results if isinstance(entry, dict)] if isinstance(results, list) else []
    if not strategies:
        yield f'  result: {results}'
    for entry in strategies:
        yield ''
        yield f"  {entry.get('strategy', 'strategy without a name')}"
        for label, key, part in CHAINS:
            humanized = entry.get(key)
            original = originals.get(label) or (originals.get('') if label == 'VH' or len(originals) == 1 else None)
            if humanized:
                yield from chain(label, original or '', humanized, entry, part)


def chain(label: str, original: str, humanized: str, entry: dict, part: str) -> Iterator[str]:
    above, below = align(original, humanized) if original else (humanized, humanized)
    changed = sum(a != b for a, b in zip(above, below))
    yield f'    {label}: {changed} of {len(humanized)} residues changed'
    for line in (germlines(entry.get('germlines'), part), humanness(entry.get('humanness'), part)):
        if line:
            yield f'      {line}'
    for start in range(0, len(above), WIDTH):
        a, b = above[start:start + WIDTH], below[start:start + WIDTH]
        marks = ''.join('^' if x != y else ' ' for x, y in zip(a, b)).rstrip()
        yield f'      original  {start + 1:>4} {a}'
        yield f'      humanized {"":>4} {b}'
        yield f'      {"changed" if marks else "":<9} {"":>4} {marks}'.rstrip()


def germlines(value: object, part: str) -> str:
    """vh: {v: {gene, identity}, j: …} or the like, in one line."""
    genes = of_chain(value, part)
    if isinstance(genes, dict):
        genes = [entry if isinstance(entry, dict) else {'gene': entry} for entry in genes.values()]
    if not isinstance(genes, list):
        return ''
    told = []
    for entry in genes:
        name = entry.get('gene') or entry.get('allele') or entry.get('name') if isinstance(entry, dict) else entry
        identity = entry.get('identity') if isinstance(entry, dict) else None
        if name:
            told.append(f'{name} ({identity:.1%} identical)' if isinstance(identity, float) else str(name))
    return f"human germline {', '.join(told)}" if told else ''


def humanness(value: object, part: str) -> str:
    if not isinstance(value, dict):
        return ''
    scores = of_chain(value, part)
    method = value.get('method') or (scores.get('method') if isinstance(scores, dict) else None)
    before, after = (scores.get('before'), scores.get('after')) if isinstance(scores, dict) else (None, None)
    if not all(isinstance(score, (int, float)) for score in (before, after)):
        return ''
    return f'humanness {before:.3f} → {after:.3f}' + (f' ({method})' if method else '')


def of_chain(value: object, part: str) -> object:
    """Shapes {vh: …} and {before: {vh: …}, after: {vh: …}} alike."""
    if not isinstance(value, dict):
        return None
    if part in value:
        return value[part]
    nested = {key: inner[part] for key, inner in value.items() if isinstance(inner, dict) and part in inner}
    return nested or None
