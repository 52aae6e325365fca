#include "gateway/database/array.h"

#include "proto/uuid.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(pt_array_t *self, const char *text, size_t size)
{
    if (self->size + size + 1 > self->room) {
        self->room = (self->size + size + 1) * 2 + 64;
        self->text = realloc(self->text, self->room);
        assert(self->text);
    }
    memcpy(self->text + self->size, text, size);
    self->size += size;
    self->text[self->size] = 0;
}

static void separate(pt_array_t *self)
{
    put(self, self->count++ == 0 ? "{" : ",", 1);
}

void pt_array_text(pt_array_t *self, const char *text)
{
    separate(self);
    if (!text) {
        put(self, "NULL", 4);
        return;
    }
    put(self, "\"", 1);
    while (*text) {
        size_t plain = strcspn(text, "\"\\");
        put(self, text, plain);
        text += plain;
        if (*text) {
            put(self, "\\", 1);
            put(self, text++, 1);
        }
    }
    put(self, "\"", 1);
}

void pt_array_int(pt_array_t *self, int64_t number)
{
    char text[24];
    separate(self);
    put(self, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)number));
}

void pt_array_uuid(pt_array_t *self, const void *uuid)
{
    char text[PT_UUID_TEXT];
    separate(self);
    put(self, pt_uuid_format(uuid, text), PT_UUID_TEXT - 1);
}

const char *pt_array_end(pt_array_t *self)
{
    if (self->count == 0)
        put(self, "{", 1);
    put(self, "}", 1);
    return self->text;
}

void pt_array_clear(pt_array_t *self)
{
    free(self->text);
    memset(self, 0, sizeof *self);
}
