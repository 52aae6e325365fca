#include "worker/pipelines/pipeline.h"
#include "worker/pipelines/inputs.h"
#include "worker/pipelines/pack.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024, MESSAGE_MAX = 64 * 1024 * 1024 + 1024 };

enum { PROGRESS_PER_SECOND = 20 };

/* Lives as long as the process: the limit on progress is one for all its jobs. */
struct pt_reporter {
    int out;
    double fraction;                  /* the last that was said of this job */
    bool broken;                      /* the agent no longer reads */
    double said[PROGRESS_PER_SECOND]; /* when the last ones were said, seconds; a ring */
    unsigned next;
};

static bool write_all(int out, const msgpack_sbuffer *buffer)
{
    size_t done = 0;
    while (done < buffer->size) {
        ssize_t n = write(out, buffer->data + done, buffer->size - done);
        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0)
            done += (size_t)n;
    }
    return true;
}

/* Is there room for one more message in this second? */
static bool may_say(pt_reporter_t *reporter)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    double *oldest = &reporter->said[reporter->next % PROGRESS_PER_SECOND];
    if (reporter->next >= PROGRESS_PER_SECOND && seconds - *oldest < 1.0)
        return false;
    *oldest = seconds;
    reporter->next++;
    return true;
}

void pt_report(pt_reporter_t *reporter, const char *step, double fraction)
{
    if (!may_say(reporter))
        return;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    if (fraction > reporter->fraction)
        reporter->fraction = fraction > 1 ? 1 : fraction;
    msgpack_pack_map(&packer, 3);
    pt_pack_text(&packer, "m");
    pt_pack_text(&packer, "progress");
    pt_pack_text(&packer, "step");
    pt_pack_text(&packer, step);
    pt_pack_text(&packer, "fraction");
    msgpack_pack_double(&packer, reporter->fraction);
    reporter->broken |= !write_all(reporter->out, &buffer);
    msgpack_sbuffer_destroy(&buffer);
}

/* --- one job
 * ------------------------------------------------------------------------------------------- */

static void pack_error(msgpack_packer *packer, const pt_error_t *error)
{
    msgpack_pack_map(packer, 4);
    pt_pack_text(packer, "m");
    pt_pack_text(packer, "error");
    pt_pack_text(packer, "code");
    pt_pack_text(packer, error->code);
    pt_pack_text(packer, "message");
    pt_pack_text(packer, error->message);
    pt_pack_text(packer, "retry");
    if (error->retry)
        msgpack_pack_true(packer);
    else
        msgpack_pack_false(packer);
}

static bool pack_result(msgpack_packer *packer, const json_t *results, const json_t *versions,
                        pt_error_t *error)
{
    if (results && versions && !msgpack_pack_map(packer, 3) && !pt_pack_text(packer, "m") &&
        !pt_pack_text(packer, "result") && !pt_pack_text(packer, "results") &&
        !pt_pack_json(packer, results) && !pt_pack_text(packer, "model_versions") &&
        !pt_pack_json(packer, versions))
        return true;
    pt_error_set(error, "out_of_memory", "out of memory while the result was written");
    error->retry = true;
    return false;
}

static bool answer(const char *job_type, pt_compute_fn compute, const msgpack_object *job,
                   pt_reporter_t *reporter)
{
    pt_inputs_t inputs;
    pt_error_t error;
    json_t *results = NULL, *versions = NULL;
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    reporter->fraction = 0;

    bool ok =
        pt_is_text(pt_map_get(job, "job_type"), job_type) ||
        pt_error_set(&error, "wrong_job_type", "this pipeline computes %s jobs only", job_type);
    ok = ok && pt_inputs_read(job, &inputs, &error) &&
         compute(&inputs, reporter, &results, &versions, &error);
    if (ok && !pack_result(&packer, results, versions, &error)) {
        msgpack_sbuffer_clear(&buffer);
        ok = false;
    }
    if (!ok)
        pack_error(&packer, &error);
    bool written = write_all(reporter->out, &buffer) && !reporter->broken;
    json_decref(results);
    json_decref(versions);
    msgpack_sbuffer_destroy(&buffer);
    return written;
}

/* --- the stream
 * ---------------------------------------------------------------------------------------- */

/* Bytes read, 0 at end of file, -1 on an error. */
static ssize_t fill(msgpack_unpacker *unpacker, int in)
{
    if (!msgpack_unpacker_reserve_buffer(unpacker, READ_SIZE))
        return -1;
    ssize_t n;
    do
        n = read(in, msgpack_unpacker_buffer(unpacker), READ_SIZE);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        msgpack_unpacker_buffer_consumed(unpacker, (size_t)n);
    return n;
}

static int stop(const char *why)
{
    fprintf(stderr, "paratope-pipeline: %s\n", why);
    return 1;
}

/* Everything that has come in whole. NULL to go on, else why that is impossible. */
static const char *take_jobs(msgpack_unpacker *unpacker, msgpack_unpacked *message,
                             const char *job_type, pt_compute_fn compute, pt_reporter_t *reporter)
{
    msgpack_unpack_return r;
    while ((r = msgpack_unpacker_next(unpacker, message)) == MSGPACK_UNPACK_SUCCESS) {
        const msgpack_object *verb = pt_map_get(&message->data, "m");
        if (!verb)
            return "standard input has something that is no message: it must be a map with the key "
                   "m";
        if (pt_is_text(verb, "job") && !answer(job_type, compute, &message->data, reporter))
            return "the answer could not be written";
    }
    if (r != MSGPACK_UNPACK_CONTINUE)
        return "standard input is not msgpack";
    if (msgpack_unpacker_message_size(unpacker) > MESSAGE_MAX)
        return "a message on standard input is longer than 64 MiB";
    return NULL;
}

int pt_pipeline_serve(const char *job_type, pt_compute_fn compute, int in, int out)
{
    msgpack_unpacker unpacker;
    msgpack_unpacked message;
    pt_reporter_t reporter = {.out = out};
    if (!msgpack_unpacker_init(&unpacker, READ_SIZE))
        return stop("out of memory");
    msgpack_unpacked_init(&message);
    const char *why = NULL;
    ssize_t n;
    while (!why && (n = fill(&unpacker, in)) > 0)
        why = take_jobs(&unpacker, &message, job_type, compute, &reporter);
    if (!why && n < 0)
        why = "standard input cannot be read";
    if (!why && msgpack_unpacker_message_size(&unpacker) > 0)
        why = "standard input ends in the middle of a message";
    msgpack_unpacked_destroy(&message);
    msgpack_unpacker_destroy(&unpacker);
    return why ? stop(why) : 0;
}
