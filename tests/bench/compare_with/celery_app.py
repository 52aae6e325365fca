"""Celery: as worker.mjs."""
import datetime
import os

import celery
import psycopg2

app = celery.Celery('compare', broker=f"redis://127.0.0.1:{os.environ['REDIS_PORT']}/0")
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=4, broker_pool_limit=40)
connections: list = []


def connect():
    return psycopg2.connect(host=os.environ['PG_HOST'], port=os.environ['PG_PORT'], user='paratope',
                            dbname=os.environ['PG_NAME'])


def execute(*statements: tuple[str, tuple]) -> None:
    """One transaction on this process's connection."""
    if not connections:
        connections.append(connect())
    with connections[0] as connection, connection.cursor() as cursor:
        for text, values in statements:
            cursor.execute(text, values)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


@app.task(name='run')
def run(job_id: str) -> None:
    execute(("update jobs set status = 'running', started_at = %s where id = %s", (now(), job_id)))
    execute(("insert into results (job_id, results) values (%s, '{}')", (job_id,)),
            ("update jobs set status = 'completed', completed_at = %s where id = %s", (now(), job_id)))
