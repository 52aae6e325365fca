#include "proto/uuid.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void pt_random(void *data, size_t size)
{
    uint8_t *at = data;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0)
            continue; /* only EINTR is possible for a valid buffer */
        at += got;
        size -= (size_t)got;
    }
}

static void set_version(pt_uuid_t *self, uint8_t version)
{
    self->bytes[6] = (uint8_t)((self->bytes[6] & 0x0f) | (version << 4));
    self->bytes[8] = (uint8_t)((self->bytes[8] & 0x3f) | 0x80);
}

pt_uuid_t pt_uuid_new(int64_t unix_us)
{
    pt_uuid_t self = pt_uuid_random();
    uint64_t ms = (uint64_t)(unix_us / 1000);
    for (int i = 0; i < 6; i++)
        self.bytes[i] = (uint8_t)(ms >> (8 * (5 - i)));
    set_version(&self, 7);
    return self;
}

pt_uuid_t pt_uuid_random(void)
{
    pt_uuid_t self;
    pt_random(self.bytes, sizeof self.bytes);
    set_version(&self, 4);
    return self;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool dash_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

bool pt_uuid_parse(pt_uuid_t *self, const char *text, size_t size)
{
    if (size != PT_UUID_TEXT - 1)
        return false;
    size_t byte = 0;
    for (size_t i = 0; i < size;) {
        if (dash_at(i)) {
            if (text[i++] != '-')
                return false;
            continue;
        }
        int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return false;
        self->bytes[byte++] = (uint8_t)(high * 16 + low);
        i += 2;
    }
    return true;
}

char *pt_uuid_format(const pt_uuid_t *self, char text[PT_UUID_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    char *at = text;
    for (size_t i = 0; i < PT_UUID_SIZE; i++) {
        if (dash_at((size_t)(at - text)))
            *at++ = '-';
        *at++ = digits[self->bytes[i] >> 4];
        *at++ = digits[self->bytes[i] & 15];
    }
    *at = 0;
    return text;
}

bool pt_uuid_equal(const pt_uuid_t *a, const pt_uuid_t *b)
{
    return memcmp(a->bytes, b->bytes, PT_UUID_SIZE) == 0;
}

int pt_uuid_compare(const void *a, const void *b)
{
    return memcmp(a, b, PT_UUID_SIZE);
}
