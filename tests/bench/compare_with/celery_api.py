"""FastAPI: the row is committed, then the job goes into the queue, then 202."""
import queue
import uuid

from celery_app import connect, run
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
pool: queue.SimpleQueue = queue.SimpleQueue()
for _ in range(40):  # as many as Starlette has threads
    pool.put(connect())


class Submission(BaseModel):
    variant_id: uuid.UUID
    job_type: str


@app.post('/v1/jobs', status_code=202)
def submit(submission: Submission) -> dict:
    job_id = str(uuid.uuid4())
    connection = pool.get()
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute('insert into jobs (id, variant_id, job_type) values (%s, %s, %s) returning created_at',
                           (job_id, str(submission.variant_id), submission.job_type))
            created_at = cursor.fetchone()[0]
    finally:
        pool.put(connection)
    run.delay(job_id)
    return {'id': job_id, 'variant_id': submission.variant_id, 'job_type': submission.job_type,
            'status': 'pending', 'created_at': created_at}
