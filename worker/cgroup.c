#include "worker/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_PATH (PT_CGROUP_PATH + 64)
#define PIPELINE "pipeline-" /* and its keeper's process id: the name of a group */

static bool write_text(const char *folder, const char *name, const char *text)
{
    char path[FILE_PATH];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    ssize_t size = (ssize_t)strlen(text), written = write(descriptor, text, (size_t)size);
    int error = errno;
    close(descriptor);
    errno = error;
    return written == size;
}

static bool write_number(const char *folder, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, number);
    return write_text(folder, name, text);
}

/* ---- where we are ------------------------------------------------------------------------ */

#define MOUNT_MAX 256
#define PATH_ROOM 300

/* Whether a line of the file says it. */
static bool find_line(const char *file, bool (*says)(const char *line, char *to), char *to)
{
    char line[1024];
    bool found = false;
    FILE *lines = fopen(file, "re");
    while (lines && !found && fgets(line, sizeof line, lines))
        found = says(line, to);
    if (lines)
        fclose(lines);
    return found;
}

/* Where version 2 is mounted: "… … … … MOUNT-POINT … - cgroup2 …". */
static bool says_mount(const char *line, char *to)
{
    return strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %255s", to) == 1;
}

/* Our own place below it: "0::/PATH", and the path is empty at the root. */
static bool says_path(const char *line, char *to)
{
    *to = 0;
    return strncmp(line, "0::/", 4) == 0 && sscanf(line, "0::/%299[^\n]", to) != 0;
}

void pt_cgroup_own(pt_cgroup_t *self)
{
    char mount[MOUNT_MAX], path[PATH_ROOM];
    self->path[0] = 0;
    if (find_line("/proc/self/mountinfo", says_mount, mount) &&
        find_line("/proc/self/cgroup", says_path, path))
        snprintf(self->path, sizeof self->path, "%s%s%s", mount, *path ? "/" : "", path);
}

/* ---- the agent's part -------------------------------------------------------------------- */

static bool has_memory(const char *folder)
{
    char path[FILE_PATH], line[512] = "";
    snprintf(path, sizeof path, "%s/cgroup.controllers", folder);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool has = fgets(line, sizeof line, file) && strstr(line, "memory");
    fclose(file);
    return has;
}

/* Groups of keepers that were killed before they could remove theirs. One that is in use stays. */
static void remove_old(const char *base)
{
    char path[FILE_PATH + 256]; /* and a name */
    DIR *folder = opendir(base);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (strncmp(entry->d_name, PIPELINE, strlen(PIPELINE)) == 0) {
            snprintf(path, sizeof path, "%s/%s", base, entry->d_name);
            rmdir(path);
        }
    if (folder)
        closedir(folder);
}

bool pt_cgroup_prepare(pt_cgroup_t *self, char *why, size_t size)
{
    char below[FILE_PATH];
    pt_cgroup_own(self);
    snprintf(below, sizeof below, "%s/agent", self->path);
    bool ready = false;
    if (!self->path[0] || !has_memory(self->path))
        snprintf(why, size, "no cgroup of version 2 with a memory controller");
    else if ((mkdir(below, 0755) != 0 && errno != EEXIST) ||
             !write_number(below, "cgroup.procs", getpid()))
        snprintf(why, size, "%s: %s", below, strerror(errno));
    else if (!(ready = write_text(self->path, "cgroup.subtree_control", "+memory")))
        snprintf(why, size, "%s: %s", self->path, strerror(errno));
    if (ready)
        remove_old(self->path);
    else
        self->path[0] = 0;
    return ready;
}

/* ---- the keeper's part ------------------------------------------------------------------- */

void pt_cgroup_make(pt_cgroup_t *self, const char *base, int64_t memory)
{
    self->path[0] = 0;
    if (!*base || !memory)
        return;
    int size = snprintf(self->path, sizeof self->path, "%s/%s%d", base, PIPELINE, (int)getpid());
    rmdir(self->path); /* of a killed keeper that had the same number */
    bool made = size < (int)sizeof self->path && mkdir(self->path, 0755) == 0;
    if (made && write_number(self->path, "memory.max", memory)) {
        write_text(self->path, "memory.swap.max", "0"); /* where there is no swap, no such file */
        write_text(self->path, "memory.oom.group", "1");
        return;
    }
    if (made)
        rmdir(self->path);
    self->path[0] = 0;
}

bool pt_cgroup_enter(const pt_cgroup_t *self)
{
    return !self->path[0] || write_text(self->path, "cgroup.procs", "0");
}

int64_t pt_cgroup_kills(const pt_cgroup_t *self)
{
    char path[FILE_PATH], line[128];
    int64_t kills = -1;
    snprintf(path, sizeof path, "%s/memory.events", self->path);
    FILE *file = self->path[0] ? fopen(path, "re") : NULL;
    if (!file)
        return -1;
    while (fgets(line, sizeof line, file))
        if (strncmp(line, "oom_kill ", 9) == 0)
            kills = strtoll(line + 9, NULL, 10);
    fclose(file);
    return kills;
}

void pt_cgroup_remove(const pt_cgroup_t *self)
{
    if (self->path[0])
        rmdir(self->path);
}
