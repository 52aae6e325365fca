#include "worker/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_LEAST (16 * 1024 * 1024) /* below, hardly any program starts */
#define FILES_LEAST 16
#define MOST (INT64_C(1) << 50)

static int64_t unit(char letter)
{
    static const char letters[] = "KMGT";
    const char *at = letter ? strchr(letters, letter) : NULL;
    return at ? INT64_C(1) << (10 * (at - letters + 1)) : 0;
}

/* Reads a number up to `,` or the end, and moves there; false if there is none. */
static bool read_number(const char **text, bool bytes, int64_t *to)
{
    char *end = NULL;
    errno = 0;
    long long n = strtoll(*text, &end, 10);
    if (errno || end == *text || n <= 0 || n > MOST || **text < '0' || **text > '9')
        return false;
    int64_t times = bytes ? unit(*end) : 0;
    *text = end + (times != 0);
    if (times && n > MOST / times)
        return false;
    *to = n * (times ? times : 1);
    return **text == ',' || **text == 0;
}

const char *pt_limits_read(pt_limits_t *self, const char *text)
{
    const struct {
        const char *key;
        int64_t *to, least;
        bool bytes;
    } keys[] = {{"memory=", &self->memory, MEMORY_LEAST, true},
                {"cpu=", &self->cpu, 1, false},
                {"files=", &self->files, FILES_LEAST, false}};
    memset(self, 0, sizeof *self);
    while (*text) {
        size_t k = 0;
        while (k < 3 && strncmp(text, keys[k].key, strlen(keys[k].key)) != 0)
            k++;
        if (k == 3 || *keys[k].to)
            return "a limit is memory=BYTES, cpu=SECONDS or files=NUMBER, each once";
        text += strlen(keys[k].key);
        if (!read_number(&text, keys[k].bytes, keys[k].to))
            return "a limit is a positive number; bytes may end in K, M, G or T";
        if (*keys[k].to < keys[k].least)
            return "the least are 16M of memory, 1 s of CPU time and 16 files";
        text += *text == ',';
    }
    return NULL;
}

void pt_limits_write(const pt_limits_t *self, char text[PT_LIMITS_TEXT])
{
    const struct {
        const char *key;
        int64_t n;
    } keys[] = {{"memory", self->memory}, {"cpu", self->cpu}, {"files", self->files}};
    size_t used = 0;
    text[0] = 0;
    for (size_t k = 0; k < 3; k++)
        if (keys[k].n)
            used += (size_t)snprintf(text + used, PT_LIMITS_TEXT - used, "%s%s=%" PRId64,
                                     used ? "," : "", keys[k].key, keys[k].n);
}
