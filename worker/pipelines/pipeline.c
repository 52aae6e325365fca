#include "worker/pipelines/pipeline.h"
#include "proto/options_schema.h"
#include "worker/pipelines/inputs.h"
#include "worker/pipelines/pack.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024, MESSAGE_MAX = 64 * 1024 * 1024 + 1024 };

enum { PROGRESS_PER_SECOND = 20, STEP_MAX = 64 };
#define SAME_STEP_SECONDS 0.1 /* one step leaves room for others in the same second */

/* Lives as long as the process: the limit on progress is one for all its jobs. */
struct pt_reporter {
    int out;
    double fraction;                  /* the last that was said of this job */
    bool broken;                      /* the agent no longer reads */
    double said[PROGRESS_PER_SECOND]; /* when the last ones were said, seconds; a ring */
    unsigned next;
    char step[STEP_MAX + 1]; /* the last that was said */
    double at;               /* and when, seconds */
};

/* What serves: the pipeline, the schema of its options, read once. */
typedef struct {
    const pt_pipeline_t *pipeline;
    json_t *schema;
    pt_reporter_t reporter;
} service_t;

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

/* Is there room for one more message in this second, and is it not said too often? */
static bool may_say(pt_reporter_t *reporter, const char *step)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds = (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    if (strcmp(step, reporter->step) == 0 && seconds - reporter->at < SAME_STEP_SECONDS)
        return false;
    double *oldest = &reporter->said[reporter->next % PROGRESS_PER_SECOND];
    if (reporter->next >= PROGRESS_PER_SECOND && seconds - *oldest < 1.0)
        return false;
    *oldest = reporter->at = seconds;
    snprintf(reporter->step, sizeof reporter->step, "%s", step);
    reporter->next++;
    return true;
}

void pt_report(pt_reporter_t *reporter, const char *step, double fraction)
{
    if (!may_say(reporter, step))
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

static void pack_error(msgpack_packer *packer, const pt_error_t *error, const json_t *partial)
{
    msgpack_pack_map(packer, partial ? 5 : 4);
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
    if (partial) {
        pt_pack_text(packer, "partial");
        pt_pack_json(packer, partial);
    }
}

static int pack_field(msgpack_packer *packer, const char *key, const json_t *value)
{
    return pt_pack_text(packer, key) || pt_pack_json(packer, value);
}

static bool pack_result(msgpack_packer *packer, const pt_answer_t *answer, pt_error_t *error)
{
    if (answer->results && answer->versions && !msgpack_pack_map(packer, answer->files ? 4 : 3) &&
        !pt_pack_text(packer, "m") && !pt_pack_text(packer, "result") &&
        !pack_field(packer, "results", answer->results) &&
        !pack_field(packer, "model_versions", answer->versions) &&
        !(answer->files && pack_field(packer, "files", answer->files)))
        return true;
    pt_error_set(error, "out_of_memory", "out of memory while the result was written");
    error->retry = true;
    return false;
}

/* The gateway has checked them, by a schema that may be older or newer than this one. */
static bool check_options(const service_t *self, const json_t *options, pt_answer_t *answer,
                          pt_error_t *error)
{
    pt_options_error_t fault;
    if (pt_options_validate(self->schema, options, &fault, 1) == 0)
        return true;
    pt_error_set(error, "invalid_options", "options: %s%s%s", fault.pointer,
                 *fault.pointer ? " " : "", fault.message);
    answer->partial = json_pack("{s:s, s:o}", "reached", "job read", "at_fault",
                                json_sprintf("/options%s", fault.pointer));
    return false;
}

static bool compute(service_t *self, const msgpack_object *job, pt_answer_t *answer,
                    pt_error_t *error)
{
    pt_inputs_t inputs;
    if (!pt_is_text(pt_map_get(job, "job_type"), self->pipeline->job_type))
        return pt_error_set(error, "wrong_job_type", "this pipeline computes %s jobs only",
                            self->pipeline->job_type);
    bool ok = pt_inputs_read(job, &inputs, error) &&
              check_options(self, inputs.options, answer, error) &&
              self->pipeline->compute(&inputs, &self->reporter, answer, error);
    pt_inputs_clear(&inputs);
    return ok;
}

static void clear(pt_answer_t *answer)
{
    json_decref(answer->results);
    json_decref(answer->versions);
    json_decref(answer->files);
    json_decref(answer->partial);
}

static bool answer_job(service_t *self, const msgpack_object *job)
{
    pt_error_t error;
    pt_answer_t answer = {.results = NULL};
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    self->reporter.fraction = 0;
    self->reporter.step[0] = 0;
    bool ok = compute(self, job, &answer, &error);
    if (ok && !pack_result(&packer, &answer, &error)) {
        msgpack_sbuffer_clear(&buffer);
        ok = false;
    }
    if (!ok)
        pack_error(&packer, &error, answer.partial);
    bool written = write_all(self->reporter.out, &buffer) && !self->reporter.broken;
    clear(&answer);
    msgpack_sbuffer_destroy(&buffer);
    return written;
}

static bool declare(const pt_pipeline_t *pipeline, int out)
{
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    const char *const texts[][2] = {{"m", "declare"},
                                    {"title", pipeline->title},
                                    {"version", pipeline->version},
                                    {"options_schema", pipeline->options_schema}};
    enum { TEXTS = sizeof texts / sizeof *texts };
    msgpack_pack_map(&packer, TEXTS + 1);
    for (int i = 0; i < TEXTS; i++) {
        pt_pack_text(&packer, texts[i][0]);
        pt_pack_text(&packer, texts[i][1]);
    }
    pt_pack_text(&packer, "wants");
    msgpack_pack_array(&packer, pipeline->wants ? 1 : 0);
    if (pipeline->wants)
        pt_pack_text(&packer, pipeline->wants);
    bool written = write_all(out, &buffer);
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
static const char *take_jobs(msgpack_unpacker *unpacker, msgpack_unpacked *message, service_t *self)
{
    msgpack_unpack_return r;
    while ((r = msgpack_unpacker_next(unpacker, message)) == MSGPACK_UNPACK_SUCCESS) {
        const msgpack_object *verb = pt_map_get(&message->data, "m");
        if (!verb)
            return "standard input has something that is no message: it must be a map with the key "
                   "m";
        if (pt_is_text(verb, "job") && !answer_job(self, &message->data))
            return "the answer could not be written";
    }
    if (r != MSGPACK_UNPACK_CONTINUE)
        return "standard input is not msgpack";
    if (msgpack_unpacker_message_size(unpacker) > MESSAGE_MAX)
        return "a message on standard input is longer than 64 MiB";
    return NULL;
}

/* Until end of file. NULL, or why it cannot go on. */
static const char *serve(service_t *self, int in)
{
    msgpack_unpacker unpacker;
    msgpack_unpacked message;
    if (!msgpack_unpacker_init(&unpacker, READ_SIZE))
        return "out of memory";
    msgpack_unpacked_init(&message);
    const char *why = NULL;
    ssize_t n;
    while (!why && (n = fill(&unpacker, in)) > 0)
        why = take_jobs(&unpacker, &message, self);
    if (!why && n < 0)
        why = "standard input cannot be read";
    if (!why && msgpack_unpacker_message_size(&unpacker) > 0)
        why = "standard input ends in the middle of a message";
    msgpack_unpacked_destroy(&message);
    msgpack_unpacker_destroy(&unpacker);
    return why;
}

int pt_pipeline_serve(const pt_pipeline_t *pipeline, int in, int out)
{
    service_t self = {.pipeline = pipeline,
                      .schema = json_loads(pipeline->options_schema, 0, NULL),
                      .reporter = {.out = out}};
    pt_options_error_t error;
    const char *why = NULL;
    if (!pt_options_schema_check(self.schema, &error)) {
        fprintf(stderr, "paratope-pipeline: the schema of the options: %s %s\n", error.pointer,
                error.message);
        why = "its options cannot be checked";
    } else {
        why = declare(pipeline, out) ? serve(&self, in) : "standard output cannot be written";
    }
    json_decref(self.schema);
    return why ? stop(why) : 0;
}
