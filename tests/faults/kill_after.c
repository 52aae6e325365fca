/* Preloaded into the gateway by tests/faults: kills the process the moment a transaction has been
 * committed and before anything is done about it. The file PT_KILL_AFTER holds the name of the
 * statement; it is removed first, so that this happens once.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __thread char last[64];

int PQsendQueryPrepared(void *conn, const char *name, int count, const char *const *values,
                        const int *lengths, const int *formats, int format)
{
    int (*real)(void *, const char *, int, const char *const *, const int *, const int *, int);
    *(void **)&real = dlsym(RTLD_NEXT, "PQsendQueryPrepared");
    snprintf(last, sizeof last, "%s", name);
    return real(conn, name, count, values, lengths, formats, format);
}

static int is_due(void)
{
    char wanted[64] = "";
    const char *path = getenv("PT_KILL_AFTER");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file)
        return 0;
    int read = fscanf(file, "%63s", wanted);
    fclose(file);
    return read == 1 && strcmp(wanted, last) == 0 && unlink(path) == 0;
}

int PQexitPipelineMode(void *conn)
{
    int (*real)(void *);
    *(void **)&real = dlsym(RTLD_NEXT, "PQexitPipelineMode");
    if (is_due())
        kill(getpid(), SIGKILL);
    return real(conn);
}
