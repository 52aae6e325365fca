// Fastify: the row is committed, then the job goes into the queue, then 202.
import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import { Queue } from 'bullmq';
import { connection, pool } from './shared.mjs';

const queue = new Queue('jobs', { connection, defaultJobOptions: { removeOnComplete: true, attempts: 3 } });
const app = Fastify();
const body = {
    type: 'object', required: ['variant_id', 'job_type'],
    properties: { variant_id: { type: 'string', format: 'uuid' }, job_type: { type: 'string', maxLength: 31 } },
};
app.post('/v1/jobs', { schema: { body } }, async (request, reply) => {
    const id = randomUUID();
    const { variant_id, job_type } = request.body;
    const { rows } = await pool.query({
        name: 'submit', values: [id, variant_id, job_type],
        text: 'insert into jobs (id, variant_id, job_type) values ($1, $2, $3) returning created_at',
    });
    await queue.add(job_type, { id, variant_id });
    return reply.code(202).send({ id, variant_id, job_type, status: 'pending', created_at: rows[0].created_at });
});
await app.listen({ host: '127.0.0.1', port: Number(process.env.PORT) });
