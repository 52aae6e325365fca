#include "worker/pipelines/fold/modeller.h"
#include "worker/pipelines/inputs.h"
#include "worker/pipelines/pack.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_SIZE = 64 * 1024, PATIENCE = 400 /* ms from one progress to the next */ };
static const char missing[] =
    "the model that was asked for needs the program " PT_MODELLER ", which is not installed with "
    "this worker: install it (scripts/run --all), or choose auto or table";

typedef struct {
    pid_t pid;
    int to, from; /* its standard input and output */
    double deadline;
    pt_modeller_progress_fn progress;
    void *context;
    double fraction; /* the last that it said */
    char step[64];
} modeller_t;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- the job
 * ------------------------------------------------------------------------------------------ */

static json_t *chain(const char *kind, const pt_part_t *part)
{
    return json_pack("{s:s, s:s}", "kind", kind, "sequence", part->domain.residues);
}

/* The variable domains alone, whatever they stood in: an scFv is modelled as an Fv. */
static json_t *chains_of(const pt_molecule_t *molecule)
{
    json_t *chains = json_array();
    json_array_append_new(chains, chain(molecule->nanobody ? "vhh" : "heavy", &molecule->heavy));
    if (molecule->light.there)
        json_array_append_new(chains, chain("light", &molecule->light));
    return chains;
}

static void pack_id(msgpack_packer *packer, const char *key)
{
    static const char none[16];
    pt_pack_text(packer, key);
    msgpack_pack_bin(packer, sizeof none);
    msgpack_pack_bin_body(packer, none, sizeof none);
}

static void pack_pair(msgpack_packer *packer, const char *key, const char *value)
{
    pt_pack_text(packer, key);
    pt_pack_text(packer, value);
}

static void pack_job(msgpack_packer *packer, const pt_molecule_t *molecule)
{
    json_t *chains = chains_of(molecule);
    msgpack_pack_map(packer, 5);
    pack_pair(packer, "m", "job");
    pack_id(packer, "job_id");
    pack_pair(packer, "job_type", "structure");
    pt_pack_text(packer, "attempt");
    msgpack_pack_int(packer, 1);
    pt_pack_text(packer, "inputs");
    msgpack_pack_map(packer, 4);
    pack_id(packer, "variant_id");
    pack_pair(packer, "name", "variable domains");
    pack_pair(packer, "format", molecule->nanobody ? "nanobody" : "mab");
    pt_pack_text(packer, "chains");
    pt_pack_json(packer, chains);
    json_decref(chains);
}

/* It is less than a pipe holds, so the child need not read yet. */
static bool send_job(const modeller_t *self, const pt_molecule_t *molecule)
{
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    pack_job(&packer, molecule);
    bool ok = write(self->to, buffer.data, buffer.size) == (ssize_t)buffer.size;
    msgpack_sbuffer_destroy(&buffer);
    return ok;
}

/* --- the child
 * ---------------------------------------------------------------------------------------- */

/* Beside this program, else as PATH has it. */
static void become_modeller(void)
{
    char path[PATH_MAX + sizeof PT_MODELLER + 1];
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
    if (n > 0) {
        path[n] = 0;
        char *slash = strrchr(path, '/');
        memcpy(slash ? slash + 1 : path, PT_MODELLER, sizeof PT_MODELLER);
        execl(path, PT_MODELLER, (char *)NULL);
    }
    execlp(PT_MODELLER, PT_MODELLER, (char *)NULL);
}

/* In the child, after fork: only what is safe there. The parent reads errno when it cannot be run.
 */
static void run_child(const int in[2], const int out[2], int failure)
{
    signal(SIGPIPE, SIG_DFL);
    if (dup2(in[0], STDIN_FILENO) >= 0 && dup2(out[1], STDOUT_FILENO) >= 0)
        become_modeller();
    int why = errno;
    ssize_t n = write(failure, &why, sizeof why);
    _exit(n == sizeof why ? 127 : 126);
}

static void close_all(const int *descriptors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (descriptors[i] >= 0)
            close(descriptors[i]);
}

/* Three pipes, all closed on exec: in, out, and why it did not start. */
static bool open_pipes(int pipes[6])
{
    memset(pipes, -1, 6 * sizeof *pipes);
    for (int i = 0; i < 3; i++)
        if (pipe2(pipes + 2 * (size_t)i, O_CLOEXEC) != 0) {
            close_all(pipes, 6);
            return false;
        }
    return true;
}

static bool start(modeller_t *self, pt_error_t *error)
{
    int pipes[6], why = 0;
    if (!open_pipes(pipes))
        return pt_error_set(error, "structure_failed", "no pipe: %s", strerror(errno));
    self->pid = fork();
    if (self->pid == 0)
        run_child(pipes, pipes + 2, pipes[5]);
    const int of_child[] = {pipes[0], pipes[3], pipes[5]};
    close_all(of_child, 3);
    self->to = pipes[1];
    self->from = pipes[2];
    bool started = self->pid > 0 && read(pipes[4], &why, sizeof why) == 0;
    close(pipes[4]);
    if (started)
        return true;
    if (why == ENOENT)
        return pt_error_set(error, "no_structure_engine", "%s", missing);
    return pt_error_set(error, "structure_failed", PT_MODELLER " did not start: %s",
                        strerror(why ? why : errno));
}

static void finish(modeller_t *self)
{
    const int both[] = {self->to, self->from};
    close_all(both, 2);
    if (self->pid > 0) {
        kill(self->pid, SIGKILL);
        while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
}

/* --- what it says
 * ------------------------------------------------------------------------------------- */

static void take_progress(modeller_t *self, const msgpack_object *message)
{
    const msgpack_object *step = pt_map_get(message, "step");
    const msgpack_object *fraction = pt_map_get(message, "fraction");
    if (step && step->type == MSGPACK_OBJECT_STR && step->via.str.size < sizeof self->step)
        snprintf(self->step, sizeof self->step, "%.*s", (int)step->via.str.size, step->via.str.ptr);
    if (fraction &&
        (fraction->type == MSGPACK_OBJECT_FLOAT64 || fraction->type == MSGPACK_OBJECT_FLOAT32))
        self->fraction = fraction->via.f64;
}

static json_t *refused(const msgpack_object *message, pt_error_t *error)
{
    json_t *said = pt_unpack_json(message);
    const char *why = json_string_value(json_object_get(said, "message"));
    const char *code = json_string_value(json_object_get(said, "code"));
    bool no_engine = code && strcmp(code, "engine_missing") == 0; /* the program without ProMod3 */
    pt_error_set(error, no_engine ? "no_structure_engine" : "structure_failed",
                 "no model could be made: %.400s", why ? why : PT_MODELLER " gave no reason");
    error->retry = json_is_true(json_object_get(said, "retry"));
    json_decref(said);
    return NULL;
}

/* Every whole message; true at an ending, with *answer or *error. */
static bool take_messages(modeller_t *self, msgpack_unpacker *unpacker, json_t **answer,
                          pt_error_t *error)
{
    msgpack_unpacked message;
    msgpack_unpacked_init(&message);
    bool ended = false;
    msgpack_unpack_return r = MSGPACK_UNPACK_SUCCESS;
    while (!ended && (r = msgpack_unpacker_next(unpacker, &message)) == MSGPACK_UNPACK_SUCCESS) {
        const msgpack_object *verb = pt_map_get(&message.data, "m");
        if (pt_is_text(verb, "progress"))
            take_progress(self, &message.data);
        ended = pt_is_text(verb, "result") || pt_is_text(verb, "error");
        if (ended)
            *answer = pt_is_text(verb, "result") ? pt_unpack_json(&message.data)
                                                 : refused(&message.data, error);
    }
    msgpack_unpacked_destroy(&message);
    if (!ended && r != MSGPACK_UNPACK_CONTINUE) {
        pt_error_set(error, "structure_failed", PT_MODELLER " wrote what is no message");
        return true;
    }
    return ended;
}

/* Waits a while for more bytes: their number, 0 at end of file, -1 when there are none yet. */
static ssize_t read_some(const modeller_t *self, msgpack_unpacker *unpacker)
{
    struct pollfd poll_for = {.fd = self->from, .events = POLLIN};
    if (poll(&poll_for, 1, PATIENCE) <= 0)
        return -1;
    if (!msgpack_unpacker_reserve_buffer(unpacker, READ_SIZE))
        return 0;
    ssize_t n = read(self->from, msgpack_unpacker_buffer(unpacker), READ_SIZE);
    if (n > 0)
        msgpack_unpacker_buffer_consumed(unpacker, (size_t)n);
    return n;
}

static json_t *converse(modeller_t *self, msgpack_unpacker *unpacker, pt_error_t *error)
{
    json_t *answer = NULL;
    for (;;) {
        self->progress(self->step, self->fraction, self->context);
        ssize_t n = read_some(self, unpacker);
        if (n == 0) {
            pt_error_set(error, "structure_failed", PT_MODELLER " ended without an answer");
            error->retry = true;
            return NULL;
        }
        if (n > 0 && take_messages(self, unpacker, &answer, error))
            return answer;
        if (now() > self->deadline) {
            pt_error_set(error, "structure_timeout", "no model within %d s", PT_MODELLER_SECONDS);
            return NULL;
        }
    }
}

json_t *pt_model_make(const pt_molecule_t *molecule, pt_modeller_progress_fn progress,
                      void *context, pt_error_t *error)
{
    modeller_t self = {.pid = -1,
                       .to = -1,
                       .from = -1,
                       .deadline = now() + PT_MODELLER_SECONDS,
                       .progress = progress,
                       .context = context,
                       .step = "starting"};
    msgpack_unpacker unpacker;
    json_t *answer = NULL;
    if (!msgpack_unpacker_init(&unpacker, READ_SIZE)) {
        pt_error_set(error, "out_of_memory", "out of memory before modelling");
        error->retry = true;
        return NULL;
    }
    if (start(&self, error)) {
        if (send_job(&self, molecule))
            answer = converse(&self, &unpacker, error);
        else
            pt_error_set(error, "structure_failed", PT_MODELLER " did not take its job");
    }
    finish(&self);
    msgpack_unpacker_destroy(&unpacker);
    return answer;
}
