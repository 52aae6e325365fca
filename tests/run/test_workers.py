"""Any number of workers, none too."""
import time

from harness import System


def test_without_workers_a_job_waits_for_one(new_system):
    running = new_system(workers=0, pipelines={})
    assert running.names() == ['broker-1', 'gateway-1', 'postgres']
    job = running.submit()
    time.sleep(1)
    assert running.jobs([job])[job]['status'] == 'pending'


def test_three_workers(new_system):
    running = new_system(workers=3, pipelines={})
    assert [name for name in running.names() if 'worker' in name] == ['worker-1', 'worker-2', 'worker-3']
    jobs = [running.submit() for _ in range(6)]
    assert {row['status'] for row in running.wait_terminal(jobs).values()} == {'completed'}
