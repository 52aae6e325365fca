#include "gateway/http/cursor.h"

#include <sodium.h>
#include <string.h>

#define YEAR_10000 INT64_C(253402300800000000) /* PostgreSQL's text and ours part there */

/* 8 bytes time, 16 bytes id, 8 bytes check: 32 in all. */
enum { TIME = 8, ID = 16, CHECK = 8, WHOLE = TIME + ID + CHECK };

/* Finds typing errors and other organisations' cursors. It keeps nothing secret: who forges one
   gets a place in a list that is his own anyway. */
static void check_of(const uint8_t *bytes, const pt_uuid_t *org, uint8_t check[CHECK])
{
    uint8_t hash[crypto_generichash_BYTES_MIN];
    crypto_generichash(hash, sizeof hash, bytes, TIME + ID, (const uint8_t *)org, sizeof *org);
    memcpy(check, hash, CHECK);
}

char *pt_cursor_write(const pt_position_t *at, const pt_uuid_t *org, char text[PT_CURSOR_TEXT])
{
    uint8_t bytes[WHOLE];
    for (int i = 0; i < TIME; i++)
        bytes[i] = (uint8_t)((uint64_t)at->created_at >> (8 * (TIME - 1 - i)));
    memcpy(bytes + TIME, &at->id, ID);
    check_of(bytes, org, bytes + TIME + ID);
    return sodium_bin2base64(text, PT_CURSOR_TEXT, bytes, WHOLE,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

/* What it would be written as must be the text itself: that compares the check, and libsodium takes
   letters with their highest bit set, too. */
bool pt_cursor_read(pt_position_t *at, const pt_uuid_t *org, const char *text, size_t size)
{
    uint8_t bytes[WHOLE];
    char again[PT_CURSOR_TEXT];
    size_t read;
    const char *end;
    if (size != PT_CURSOR_TEXT - 1 ||
        sodium_base642bin(bytes, WHOLE, text, size, NULL, &read, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        read != WHOLE || end != text + size)
        return false;
    uint64_t time = 0;
    for (int i = 0; i < TIME; i++)
        time = time << 8 | bytes[i];
    at->created_at = (int64_t)time;
    memcpy(&at->id, bytes + TIME, ID);
    return time < YEAR_10000 && memcmp(pt_cursor_write(at, org, again), text, size) == 0;
}
