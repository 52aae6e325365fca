#include "worker/spool.h"

#include "proto/program/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (1024 * 1024)
#define NAME_SIZE (PT_UUID_TEXT + 12) /* UUID.ATTEMPT */
#define PRIVATE "paratope-spool-"     /* then six letters */
#define PRIVATE_TRIES 100

typedef struct writing writing_t;
struct writing {
    writing_t *next;
    pt_uuid_t job_id;
    uint32_t attempt;
    uint8_t *data; /* owned */
    size_t size, written;
    int file; /* -1: not opened yet */
    crypto_hash_sha256_state hash;
};

struct pt_spool {
    char path[PATH_MAX];
    bool is_private;
    int folder; /* locked as long as we live */
    writing_t *first, **last;
    pt_spool_tell_t *tell;
    void *context;
};

/* ---- files and folders ------------------------------------------------------------------- */

static const char *name_of(const pt_uuid_t *job_id, uint32_t attempt, char name[NAME_SIZE])
{
    char uuid[PT_UUID_TEXT];
    snprintf(name, NAME_SIZE, "%s.%u", pt_uuid_format(job_id, uuid), attempt);
    return name;
}

/* Only what a spool has written: somebody may have named the wrong folder. */
static bool is_ours(const char *name)
{
    pt_uuid_t uuid;
    const char *dot = strchr(name, '.');
    return dot && pt_uuid_parse(&uuid, name, (size_t)(dot - name)) && dot[1] &&
           strspn(dot + 1, "0123456789") == strlen(dot + 1);
}

static void empty(int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    for (struct dirent *entry; list && (entry = readdir(list));)
        if (is_ours(entry->d_name))
            unlinkat(folder, entry->d_name, 0);
    if (list)
        closedir(list);
}

static bool has_name(int folder, int at, const char *path)
{
    struct stat is, named;
    return fstat(folder, &is) == 0 && fstatat(at, path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           is.st_dev == named.st_dev && is.st_ino == named.st_ino;
}

/* Opens and locks a folder; -1 with errno if that cannot be, EWOULDBLOCK if another has it, ENOENT
   also if whoever had it removed it meanwhile. */
static int take_folder(int at, const char *path)
{
    int folder = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0)
        return -1;
    int why = flock(folder, LOCK_EX | LOCK_NB) != 0 ? EWOULDBLOCK
              : has_name(folder, at, path)          ? 0
                                                    : ENOENT;
    if (why == 0)
        return folder;
    close(folder);
    errno = why;
    return -1;
}

/* ---- the private folder ------------------------------------------------------------------ */

static const char *temporary(void)
{
    const char *path = getenv("TMPDIR");
    return path && *path == '/' ? path : "/tmp";
}

/* A worker that was killed could not remove its own. */
static void remove_abandoned(int parent, const char *name)
{
    struct stat is;
    int folder = take_folder(parent, name);
    if (folder < 0)
        return;
    if (fstat(folder, &is) == 0 && is.st_uid == geteuid()) {
        empty(folder);
        unlinkat(parent, name, AT_REMOVEDIR);
    }
    close(folder);
}

static void remove_all_abandoned(void)
{
    DIR *list = opendir(temporary());
    for (struct dirent *entry; list && (entry = readdir(list));)
        if (strncmp(entry->d_name, PRIVATE, strlen(PRIVATE)) == 0)
            remove_abandoned(dirfd(list), entry->d_name);
    if (list)
        closedir(list);
}

/* Until it is locked, another worker that starts at this moment may take it for abandoned: then
   there is no more of it, and a new one is made. */
static int take_private(pt_spool_t *self)
{
    int folder = -1;
    remove_all_abandoned();
    self->is_private = true;
    for (int tries = 0; folder < 0 && tries < PRIVATE_TRIES; tries++) {
        if (snprintf(self->path, sizeof self->path, "%s/" PRIVATE "XXXXXX", temporary()) >=
                (int)sizeof self->path ||
            !mkdtemp(self->path))
            return -1;
        folder = take_folder(AT_FDCWD, self->path);
        if (folder < 0 && errno != EWOULDBLOCK && errno != ENOENT)
            return -1;
    }
    return folder;
}

static int take_named(pt_spool_t *self, const char *folder)
{
    snprintf(self->path, sizeof self->path, "%s", folder);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return -1;
    return take_folder(AT_FDCWD, folder);
}

/* ---- life -------------------------------------------------------------------------------- */

pt_spool_t *pt_spool_new(const char *folder, pt_spool_tell_t *tell, void *context)
{
    pt_spool_t *self = calloc(1, sizeof *self);
    if (!self)
        abort();
    self->last = &self->first;
    self->tell = tell;
    self->context = context;
    self->folder = folder ? take_named(self, folder) : take_private(self);
    if (self->folder >= 0 && faccessat(self->folder, ".", R_OK | W_OK | X_OK, AT_EACCESS) == 0) {
        empty(self->folder);
        return self;
    }
    pt_log(PT_ERROR, "the spool folder cannot be used", PT_S("spool", self->path),
           PT_S("why", errno == EWOULDBLOCK ? "another worker uses it" : strerror(errno)));
    self->is_private = false; /* whatever stands there is not ours */
    pt_spool_destroy(&self);
    return NULL;
}

static void free_writing(writing_t *writing)
{
    if (writing->file >= 0)
        close(writing->file);
    free(writing->data);
    free(writing);
}

void pt_spool_destroy(pt_spool_t **self_p)
{
    pt_spool_t *self = *self_p;
    if (!self)
        return;
    for (writing_t *next, *writing = self->first; writing; writing = next) {
        next = writing->next;
        free_writing(writing);
    }
    if (self->folder >= 0) {
        empty(self->folder);
        close(self->folder);
    }
    if (self->is_private)
        rmdir(self->path);
    free(self);
    *self_p = NULL;
}

/* ---- writing ----------------------------------------------------------------------------- */

void pt_spool_put(pt_spool_t *self, const pt_uuid_t *job_id, uint32_t attempt, void *data,
                  size_t size)
{
    writing_t *writing = calloc(1, sizeof *writing);
    if (!writing)
        abort();
    writing->job_id = *job_id;
    writing->attempt = attempt;
    writing->data = data;
    writing->size = size;
    writing->file = -1;
    crypto_hash_sha256_init(&writing->hash);
    *self->last = writing;
    self->last = &writing->next;
}

static void take_out(pt_spool_t *self, writing_t **at)
{
    writing_t *writing = *at;
    *at = writing->next;
    if (!*at)
        self->last = at;
    free_writing(writing);
}

void pt_spool_drop(pt_spool_t *self, const pt_uuid_t *job_id, uint32_t attempt)
{
    char name[NAME_SIZE];
    for (writing_t **at = &self->first; *at; at = &(*at)->next)
        if ((*at)->attempt == attempt && pt_uuid_equal(&(*at)->job_id, job_id)) {
            take_out(self, at);
            break;
        }
    unlinkat(self->folder, name_of(job_id, attempt, name), 0);
}

bool pt_spool_busy(const pt_spool_t *self)
{
    return self->first != NULL;
}

/* Why the next piece could not be written, or NULL. */
static const char *write_piece(pt_spool_t *self, writing_t *writing)
{
    char name[NAME_SIZE];
    if (writing->file < 0)
        writing->file = openat(self->folder, name_of(&writing->job_id, writing->attempt, name),
                               O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (writing->file < 0)
        return strerror(errno);
    size_t left = writing->size - writing->written;
    const uint8_t *from = writing->data + writing->written;
    ssize_t wrote = write(writing->file, from, left < PIECE ? left : PIECE);
    if (wrote < 0 && errno != EINTR)
        return strerror(errno);
    if (wrote > 0) {
        crypto_hash_sha256_update(&writing->hash, from, (size_t)wrote);
        writing->written += (size_t)wrote;
    }
    return NULL;
}

static void tell_written(pt_spool_t *self, const writing_t *writing)
{
    uint8_t digest[PT_DIGEST_SIZE];
    crypto_hash_sha256_state hash = writing->hash;
    crypto_hash_sha256_final(&hash, digest);
    self->tell(self->context, &writing->job_id, writing->attempt, digest, NULL);
}

void pt_spool_run(pt_spool_t *self)
{
    writing_t *writing = self->first;
    if (!writing)
        return;
    const char *why = write_piece(self, writing);
    if (!why && writing->written < writing->size)
        return;
    self->first = writing->next; /* before it is told: what is told may drop it */
    if (!self->first)
        self->last = &self->first;
    if (why) {
        char name[NAME_SIZE];
        unlinkat(self->folder, name_of(&writing->job_id, writing->attempt, name), 0);
        self->tell(self->context, &writing->job_id, writing->attempt, NULL, why);
    } else {
        tell_written(self, writing);
    }
    free_writing(writing);
}

/* ---- reading ----------------------------------------------------------------------------- */

const char *pt_spool_read(const pt_spool_t *self, const pt_uuid_t *job_id, uint32_t attempt,
                          uint64_t offset, void *to, size_t size)
{
    char name[NAME_SIZE];
    size_t done = 0;
    int file =
        openat(self->folder, name_of(job_id, attempt, name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return strerror(errno);
    const char *why = NULL;
    while (done < size && !why) {
        ssize_t got = pread(file, (char *)to + done, size - done, (off_t)(offset + done));
        if (got == 0)
            why = "its file has become shorter";
        else if (got < 0 && errno != EINTR)
            why = strerror(errno);
        done += got > 0 ? (size_t)got : 0;
    }
    close(file);
    return why;
}
