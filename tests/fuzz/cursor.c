/* Cursors: what is read is what was written, for this organisation and no other. */
#include "gateway/http/cursor.h"
#include "fuzz.h"

static void check_text(const char *text, size_t size)
{
    pt_position_t at;
    pt_uuid_t org = {{0}}, other = {{1}};
    char again[PT_CURSOR_TEXT];
    if (!pt_cursor_read(&at, &org, text, size))
        return;
    CHECK(strlen(pt_cursor_write(&at, &org, again)) == size && memcmp(again, text, size) == 0);
    CHECK(!pt_cursor_read(&at, &other, text, size));
}

static void check_position(reader_t reader)
{
    pt_position_t at = {0}, again;
    pt_uuid_t org = {{0}};
    char text[PT_CURSOR_TEXT];
    for (int i = 0; i < 8; i++)
        at.created_at = (int64_t)((uint64_t)at.created_at << 8 | next(&reader));
    for (int i = 0; i < PT_UUID_SIZE; i++)
        at.id.bytes[i] = next(&reader);
    pt_cursor_write(&at, &org, text);
    bool in_range = at.created_at >= 0 && at.created_at < INT64_C(253402300800000000);
    CHECK(pt_cursor_read(&again, &org, text, strlen(text)) == in_range);
    if (in_range)
        CHECK(memcmp(&at, &again, sizeof at) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    check_position(reader);
    uint8_t *text = take(&reader, &size);
    check_text((const char *)text, size);
    free(text);
    return 0;
}
