import pg from 'pg';

export const connection = { host: '127.0.0.1', port: Number(process.env.REDIS_PORT) };
export const pool = new pg.Pool({
    host: process.env.PG_HOST, port: Number(process.env.PG_PORT), user: 'paratope', database: process.env.PG_NAME, max: 32,
});
