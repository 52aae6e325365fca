// BullMQ: each job is marked as running, does nothing, and is completed with its result in one transaction.
import { Worker } from 'bullmq';
import { connection, pool } from './shared.mjs';

const start = { name: 'start', text: "update jobs set status = 'running', started_at = to_timestamp($2) where id = $1" };
const finish = {
    name: 'finish',
    text: `with result as (insert into results (job_id, results) values ($1, '{}'))
           update jobs set status = 'completed', completed_at = to_timestamp($2) where id = $1`,
};
const now = () => (performance.timeOrigin + performance.now()) / 1000; // Date has milliseconds only
new Worker('jobs', async (job) => {
    await pool.query({ ...start, values: [job.data.id, now()] });
    await pool.query({ ...finish, values: [job.data.id, now()] });
}, { connection, concurrency: Number(process.env.CONCURRENCY) });
