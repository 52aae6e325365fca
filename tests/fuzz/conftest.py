"""What each target covered, and how soon it found its planted mistake: a table at the end."""
import time

import pytest

rows = {}


@pytest.fixture
def record_run():
    began = time.monotonic()

    def record(run, planted):
        row = rows.setdefault(run.target, {})
        if planted:
            row['planted'] = f'{run.executions:>9,} in {time.monotonic() - began:4.1f} s' if run.status else 'not found'
        else:
            row.update(edges=run.edges, all=run.all_edges, features=run.features, executions=run.executions)

    return record


def pytest_terminal_summary(terminalreporter):
    if not rows:
        return
    terminalreporter.section('fuzz targets')
    terminalreporter.line(f"{'target':16}{'edges':>7}{'of':>7}{'features':>10}{'executions':>12}   planted mistake found after")
    for target, row in rows.items():
        terminalreporter.line(f"{target:16}{row.get('edges', 0):7}{row.get('all', 0):7}{row.get('features', 0):10}"
                              f"{row.get('executions', 0):12,}   {row.get('planted', '')}")
