"""Every decoder is given bytes that nobody meant: libFuzzer, for a few seconds each.

`scripts/test fuzz --minutes 30` goes on for so long, all targets together, and keeps in build-fuzz/corpus what reaches
something new; grow.py puts that into the archives of corpus/."""
import os
import shutil

import pytest
import runs
import seeds

MINUTES = float(os.environ.get('PARATOPE_FUZZ_MINUTES', 0))
SECONDS = round(MINUTES * 60 / len(seeds.TARGETS)) or 2
PLANTED_SECONDS = 240  # most are found within one, or a few on a busy machine; then the target has failed

missing = runs.missing()
pytestmark = [pytest.mark.skipif(missing is not None, reason=str(missing)),
              pytest.mark.timeout(SECONDS + PLANTED_SECONDS + 120)]


@pytest.mark.timeout(900)
@pytest.mark.parametrize('which', ['fuzz', 'planted'])
def test_the_targets_are_built(which):
    """First, so that the time that it takes is no target's."""
    runs.build(which)


@pytest.mark.parametrize('target', seeds.TARGETS)
def test_no_bytes_break(target, tmp_path, record_run):
    runs.build(f'fuzz_{target}')
    run = runs.run(target, tmp_path, SECONDS, corpus=runs.BUILD / 'corpus' / target if MINUTES else None)
    record_run(run, planted=False)
    if run.status:
        kept = runs.BUILD / f'found-{target}'
        if run.artifact:
            shutil.copy(run.artifact, kept)
        pytest.fail(f'{run.what}\nthe bytes are in {kept}; put them into tests/fuzz/findings/{target}/ when it is mended')
    assert run.executions > 0 and run.edges > 0


@pytest.mark.parametrize('target', seeds.TARGETS)
def test_the_planted_mistake_is_found(target, tmp_path, record_run):
    runs.build(f'planted_{target}')
    run = runs.run(target, tmp_path, PLANTED_SECONDS, planted=True)
    record_run(run, planted=True)
    assert run.status, f'not found in {PLANTED_SECONDS} s and {run.executions} executions'
