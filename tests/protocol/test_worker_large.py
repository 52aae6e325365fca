"""Large results and inputs of a real worker, as PROTOCOL.md section 3 has them on the wire."""
import hashlib
import uuid

import msgpack
import pytest
from test_worker import wait_credit
from worker_process import Worker, until

CHUNK = 65536


@pytest.fixture
def spool(tmp_path):
    return tmp_path / 'spool'


@pytest.fixture
def worker(broker, tmp_path, spool):
    one = Worker(tmp_path, [broker], options=['--spool', spool])
    wait_credit(broker, 1)
    yield one
    one.end()
    print(one.stderr.read_text())


def fetch(broker, result) -> bytes:
    """All of it, a chunk at a time."""
    whole = b''
    while len(whole) < result['size']:
        broker.send('fetch', job_id=result['job_id'], attempt=result['attempt'], offset=len(whole))
        whole += broker.wait('chunk', job_id=result['job_id'], offset=len(whole)).payload
    return whole


def test_a_large_result_is_named_and_fetched_until_it_is_settled(broker, worker, spool):
    job = broker.job('result=200000')
    result = broker.wait('result', job_id=job)
    assert result['status'] == 'completed' and result.payload is None
    whole = fetch(broker, result)
    assert len(whole) == result['size'] and hashlib.sha256(whole).digest() == result['digest']
    assert msgpack.unpackb(whole)['results']['blob'] == 'x' * 200000
    assert [len(chunk.payload) for chunk in broker.all('chunk')] == [CHUNK] * 3 + [len(whole) - 3 * CHUNK]
    assert len(list(spool.iterdir())) == 1
    broker.settle(job)
    until(lambda: not list(spool.iterdir()))
    broker.send('fetch', job_id=job, attempt=1, offset=0)
    gone = broker.wait('gone', job_id=job)
    assert gone['certain'] and not gone.get('handed_back')


def test_what_is_no_chunk_is_not_answered(broker, worker):
    job = broker.job('result=200000')
    broker.wait('result', job_id=job)
    for offset in (1, 4 * CHUNK, 2**62):
        broker.send('fetch', job_id=job, attempt=1, offset=offset)
    broker.send('fetch', job_id=job, attempt=1, offset=0)
    broker.wait('chunk', job_id=job, offset=0)
    assert len(broker.all('chunk')) == 1 and not broker.all('gone')


def test_large_inputs_are_fetched_before_the_job_starts(broker, worker):
    inputs = msgpack.packb({'variant_id': uuid.uuid4().bytes, 'name': 'x' * 300000, 'format': 'nanobody', 'chains': []})
    job = uuid.uuid4().bytes
    broker.send('job', job_id=job, org_id=uuid.uuid4().bytes, job_type='humanization', attempt=1,
                size=len(inputs), digest=hashlib.sha256(inputs).digest())
    until(lambda: len(broker.all('fetch')) == 4)
    asked = []
    while len(asked) * CHUNK < len(inputs):
        assert not broker.all('status') and not worker.starts()
        until(lambda: len(broker.all('fetch')) > len(asked))
        offset = broker.all('fetch')[len(asked)]['offset']
        asked.append(offset)
        broker.send('chunk', inputs[offset:offset + CHUNK], job_id=job, attempt=1, offset=offset)
    assert asked == list(range(0, len(inputs), CHUNK))
    result = broker.wait('result', job_id=job)
    assert msgpack.unpackb(fetch(broker, result))['results']['name'] == 'x' * 300000
    assert len(worker.starts()) == 1
