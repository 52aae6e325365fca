#include "gateway/results/files.h"

#include "proto/wire.h"

#include <string.h>

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* How many bytes from the beginning are of that set. */
static size_t span(const char *text, size_t size, const char *set)
{
    size_t n = 0;
    while (n < size && text[n] && strchr(set, text[n]))
        n++;
    return n;
}

bool pt_file_name_valid(const char *name, size_t size)
{
    bool dots = (size == 1 || size == 2) && memcmp(name, "..", size) == 0;
    return size > 0 && size <= PT_FILE_NAME_MAX && !dots && span(name, size, ALNUM "._-") == size;
}

/* A token of RFC 9110, and the bytes in `before` it; 0 if there is none. */
static size_t token(const char *text, size_t size, const char *before)
{
    size_t n = span(text, size, before);
    size_t own = span(text + n, size - n, ALNUM "!#$&^_.+-");
    return own > 0 ? n + own : 0;
}

/* Moves behind `; name=value`. */
static bool take_parameter(const char **text, size_t *size)
{
    size_t name = token(*text, *size, "; ");
    if (name == 0 || **text != ';' || name == *size || (*text)[name] != '=')
        return false;
    size_t value = token(*text + name + 1, *size - name - 1, "");
    *text += name + 1 + value;
    *size -= name + 1 + value;
    return value > 0;
}

bool pt_media_type_valid(const char *type, size_t size)
{
    if (size > PT_FILE_TYPE_MAX)
        return false;
    size_t head = token(type, size, "");
    if (head == 0 || head == size || type[head] != '/')
        return false;
    size_t tail = token(type + head + 1, size - head - 1, "");
    type += head + 1 + tail;
    size -= head + 1 + tail;
    while (tail > 0 && size > 0)
        if (!take_parameter(&type, &size))
            return false;
    return tail > 0;
}

static bool is_text(pt_span_t whole, pt_value_t *value)
{
    *value = pt_value_next(&whole);
    return value->kind == PT_VALUE_TEXT && pt_text_valid(value->bytes, value->size);
}

static const char *check_file(pt_span_t at)
{
    bool has_type = false, has_content = false;
    pt_value_t map = pt_value_next(&at), value;
    for (size_t i = 0; map.kind == PT_VALUE_MAP && map.size == 2 && i < 2; i++) {
        pt_span_t first = pt_value_whole(&at), whole = pt_value_whole(&at);
        pt_value_t key = pt_value_next(&first);
        if (pt_value_is(&key, "media_type"))
            has_type = is_text(whole, &value) && pt_media_type_valid(value.bytes, value.size);
        if (pt_value_is(&key, "content"))
            has_content = is_text(whole, &value);
    }
    return has_type && has_content ? NULL : "a file that is not a media_type and a content as text";
}

/* Whether an earlier file has that name. */
static bool is_taken(const pt_value_t *names, size_t count, const pt_value_t *name)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].size == name->size && memcmp(names[i].bytes, name->bytes, name->size) == 0)
            return true;
    return false;
}

const char *pt_result_files_check(pt_span_t at)
{
    pt_value_t map = pt_value_next(&at), names[PT_FILES_MAX];
    if (map.kind != PT_VALUE_MAP)
        return "files is no map";
    if (map.size > PT_FILES_MAX)
        return "more than 16 files";
    for (size_t i = 0; i < map.size; i++) {
        pt_span_t first = pt_value_whole(&at), file = pt_value_whole(&at);
        names[i] = pt_value_next(&first);
        if (names[i].kind != PT_VALUE_TEXT || !pt_file_name_valid(names[i].bytes, names[i].size))
            return "a file's name that is not 1 to 64 of a-z, A-Z, 0-9, `.`, `_` and `-`";
        if (is_taken(names, i, &names[i]))
            return "two files with one name";
        const char *why = check_file(file);
        if (why)
            return why;
    }
    return NULL;
}
