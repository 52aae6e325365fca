"""Two sequences one above the other: global alignment, for chains that differ by a few residues."""

MATCH, MISMATCH, GAP = 2, -1, -3


def align(above: str, below: str) -> tuple[str, str]:
    """Both with `-` where the other has a residue more."""
    if len(above) == len(below):
        return above, below
    score = [[GAP * (i + j) for j in range(len(below) + 1)] for i in range(len(above) + 1)]
    for i, a in enumerate(above, 1):
        for j, b in enumerate(below, 1):
            score[i][j] = max(score[i - 1][j - 1] + (MATCH if a == b else MISMATCH),
                              score[i - 1][j] + GAP, score[i][j - 1] + GAP)
    i, j = len(above), len(below)
    pairs = []
    while i or j:
        a, b = above[i - 1:i], below[j - 1:j]
        if i and j and score[i][j] == score[i - 1][j - 1] + (MATCH if a == b else MISMATCH):
            pairs.append((a, b))
            i, j = i - 1, j - 1
        elif i and score[i][j] == score[i - 1][j] + GAP:
            pairs.append((a, '-'))
            i -= 1
        else:
            pairs.append(('-', b))
            j -= 1
    return ''.join(a for a, _ in reversed(pairs)), ''.join(b for _, b in reversed(pairs))
