#include "broker/keys.h"

#include "proto/program/log.h"

#include <stdatomic.h>
#include <sys/inotify.h>

#define CHANGES                                                                                    \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)

/* All holders at one time; replaced whole. */
typedef struct {
    pt_keyholder_t **holders; /* owned, sorted by key */
    uint64_t *numbers;        /* of all, sorted */
    size_t count;
} roll_t;

struct pt_keys {
    char *folder;
    int inotify, watched; /* the folder's watch, or -1 */
    pthread_rwlock_t lock;
    roll_t roll; /* under lock */
    uint64_t last_number;
    _Atomic uint64_t generation;
};

/* ---- one file ---------------------------------------------------------------------------- */

static const char *read_holder(pt_keyholder_t *holder, const char *path)
{
    pt_certificate_t file;
    if (!pt_certificate_read(&file, path))
        return "not a certificate";
    memcpy(holder->key, file.public_key, sizeof holder->key);
    const char *why =
        pt_right_read(&holder->right, pt_certificate_meta(&file, "role"),
                      pt_certificate_meta(&file, "job_types"), pt_certificate_meta(&file, "org"));
    pt_certificate_clear(&file);
    return why;
}

/* ---- the roll ---------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    const pt_keyholder_t *one = *(pt_keyholder_t *const *)a, *other = *(pt_keyholder_t *const *)b;
    int order = strcmp(one->key, other->key);
    return order ? order : strcmp(one->name, other->name);
}

static int compare_key(const void *key, const void *holder)
{
    return strcmp(key, (*(pt_keyholder_t *const *)holder)->key);
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return one < other ? -1 : one > other;
}

static const pt_keyholder_t *find(const roll_t *roll, const char *key)
{
    pt_keyholder_t **found = NULL;
    if (roll->count > 0)
        found = bsearch(key, roll->holders, roll->count, sizeof *roll->holders, compare_key);
    return found ? *found : NULL;
}

static void clear_roll(roll_t *roll)
{
    for (size_t i = 0; i < roll->count; i++)
        free(roll->holders[i]);
    free(roll->holders);
    free(roll->numbers);
}

static void complain(const pt_keys_t *self, const char *file, const char *why)
{
    pt_log(PT_ERROR, "a certificate does not count", PT_S("folder", self->folder),
           PT_S("file", file), PT_S("reason", why));
}

static void enter(const pt_keys_t *self, roll_t *roll, const char *file)
{
    char *path = zsys_sprintf("%s/%s", self->folder, file);
    pt_keyholder_t *holder = zmalloc(sizeof *holder);
    const char *why = read_holder(holder, path);
    if (why) {
        complain(self, file, why);
        free(holder);
    } else {
        snprintf(holder->name, sizeof holder->name, "%s", file);
        roll->holders[roll->count++] = holder;
    }
    zstr_free(&path);
}

/* Of two files with one key the first by name counts. */
static void sort(const pt_keys_t *self, roll_t *roll)
{
    size_t kept = 0;
    qsort(roll->holders, roll->count, sizeof *roll->holders, compare_keys);
    for (size_t i = 0; i < roll->count; i++) {
        pt_keyholder_t *holder = roll->holders[i];
        if (kept == 0 || !streq(roll->holders[kept - 1]->key, holder->key)) {
            roll->holders[kept++] = holder;
            continue;
        }
        complain(self, holder->name, "another file has the same key");
        free(holder);
    }
    roll->count = kept;
}

/* Who says what it said before keeps its number. */
static void number_all(pt_keys_t *self, roll_t *roll)
{
    for (size_t i = 0; i < roll->count; i++) {
        pt_keyholder_t *holder = roll->holders[i];
        const pt_keyholder_t *before = find(&self->roll, holder->key);
        bool same = before && pt_right_equal(&before->right, &holder->right);
        holder->number = same ? before->number : ++self->last_number;
        roll->numbers[i] = holder->number;
    }
    qsort(roll->numbers, roll->count, sizeof *roll->numbers, compare_numbers);
}

static bool read_roll(pt_keys_t *self, roll_t *roll)
{
    struct dirent **entries;
    int n = pt_certificate_scan(self->folder, &entries);
    if (n < 0) {
        pt_log(PT_ERROR, "cannot read the folder of authorised certificates",
               PT_S("folder", self->folder), PT_S("reason", strerror(errno)));
        return false;
    }
    roll->count = 0;
    roll->holders = zmalloc(((size_t)n + 1) * sizeof *roll->holders);
    roll->numbers = zmalloc(((size_t)n + 1) * sizeof *roll->numbers);
    for (int i = 0; i < n; i++) {
        enter(self, roll, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    sort(self, roll);
    number_all(self, roll);
    return true;
}

static bool reload(pt_keys_t *self)
{
    roll_t roll, old;
    if (!read_roll(self, &roll))
        return false;
    pthread_rwlock_wrlock(&self->lock);
    old = self->roll;
    self->roll = roll;
    pthread_rwlock_unlock(&self->lock);
    atomic_fetch_add(&self->generation, 1);
    clear_roll(&old);
    return true;
}

/* ---- watching ---------------------------------------------------------------------------- */

/* Whether anything was said of the folder; takes it. */
static bool take_changes(pt_keys_t *self)
{
    char buffer[4096];
    bool any = false;
    while (read(self->inotify, buffer, sizeof buffer) > 0)
        any = true;
    return any;
}

/* Whether the path leads to another folder than before. The same one keeps its watch. */
static bool watch_again(pt_keys_t *self)
{
    int before = self->watched;
    self->watched = inotify_add_watch(self->inotify, self->folder, CHANGES);
    return self->watched != before && self->watched >= 0;
}

void pt_keys_watch(pt_keys_t *self)
{
    bool changed = take_changes(self); /* before it is read: what comes after is said again */
    bool other = watch_again(self);
    if (!changed && !other)
        return;
    if (reload(self))
        pt_log(PT_INFO, "authorised certificates were read again",
               PT_N("count", pt_keys_count(self)));
    else
        self->watched = -1; /* a second from now again */
}

int pt_keys_descriptor(const pt_keys_t *self)
{
    return self->inotify;
}

/* ---- for everybody ----------------------------------------------------------------------- */

pt_keys_t *pt_keys_new(const char *folder)
{
    pt_keys_t *self = zmalloc(sizeof *self);
    self->folder = strdup(folder);
    self->watched = -1;
    pthread_rwlock_init(&self->lock, NULL);
    self->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (self->inotify < 0)
        pt_log(PT_ERROR, "cannot watch the folder of authorised certificates",
               PT_S("reason", strerror(errno)));
    watch_again(self);
    if (self->inotify < 0 || !reload(self))
        pt_keys_destroy(&self);
    return self;
}

void pt_keys_destroy(pt_keys_t **self_p)
{
    pt_keys_t *self = *self_p;
    if (!self)
        return;
    if (self->inotify >= 0)
        close(self->inotify);
    clear_roll(&self->roll);
    pthread_rwlock_destroy(&self->lock);
    free(self->folder);
    free(self);
    *self_p = NULL;
}

const pt_keyholder_t *pt_keys_hold(pt_keys_t *self, const char *key)
{
    pthread_rwlock_rdlock(&self->lock);
    return key ? find(&self->roll, key) : NULL;
}

void pt_keys_let_go(pt_keys_t *self)
{
    pthread_rwlock_unlock(&self->lock);
}

bool pt_keys_stands(pt_keys_t *self, uint64_t number)
{
    pthread_rwlock_rdlock(&self->lock);
    const roll_t *roll = &self->roll;
    bool stands = roll->count > 0 && bsearch(&number, roll->numbers, roll->count, sizeof number,
                                             compare_numbers) != NULL;
    pthread_rwlock_unlock(&self->lock);
    return stands;
}

uint64_t pt_keys_generation(pt_keys_t *self)
{
    return atomic_load(&self->generation);
}

size_t pt_keys_count(pt_keys_t *self)
{
    pthread_rwlock_rdlock(&self->lock);
    size_t n = self->roll.count;
    pthread_rwlock_unlock(&self->lock);
    return n;
}
