#include "proto/program/log.h"

#include "proto/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *program = "paratope";
static const char *const level_names[] = {"debug", "info", "warning", "error"};

/* A line is built whole and written with one call, so that lines of threads and processes that
   share the descriptor do not mix. */
typedef struct {
    char text[4096];
    size_t size;
} line_t;

static void add(line_t *line, const char *format, ...)
{
    size_t room = sizeof line->text - 2 - line->size; /* the newline always fits */
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line->text + line->size, room, format, args);
    va_end(args);
    if (size > 0)
        line->size += (size_t)size < room ? (size_t)size : room - 1;
}

static void add_json_text(line_t *line, const char *text)
{
    size_t size = strlen(text);
    if (!pt_text_valid(text, size)) {
        add(line, "\"(not UTF-8)\"");
        return;
    }
    add(line, "\"");
    for (size_t i = 0; i < size && line->size < sizeof line->text - 64; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            add(line, "\\%c", c);
        else if (c < 0x20)
            add(line, "\\u%04x", c);
        else
            add(line, "%c", c);
    }
    add(line, "\"");
}

static void add_time(line_t *line, const char *format)
{
    struct timespec now;
    struct tm utc;
    char text[40];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(text, sizeof text, format, &utc);
    add(line, "%s.%03ld", text, now.tv_nsec / 1000000);
}

static void write_json(line_t *line, pt_level_t level, const char *message,
                       const pt_log_field_t *fields)
{
    add(line, "{\"time\":\"");
    add_time(line, "%Y-%m-%dT%H:%M:%S");
    add(line, "Z\",\"level\":\"%s\",\"program\":\"%s\",\"message\":", level_names[level], program);
    add_json_text(line, message);
    for (; fields->key; fields++) {
        if (!fields->text && !fields->is_number)
            continue;
        add(line, ",\"%s\":", fields->key);
        if (fields->text)
            add_json_text(line, fields->text);
        else
            add(line, "%lld", (long long)fields->number);
    }
    add(line, "}");
}

static void write_text(line_t *line, pt_level_t level, const char *message,
                       const pt_log_field_t *fields)
{
    add_time(line, "%H:%M:%S");
    add(line, " %-7s %s: %s", level_names[level], program, message);
    for (; fields->key; fields++) {
        if (fields->text)
            add(line, " %s=%s", fields->key, fields->text);
        else if (fields->is_number)
            add(line, " %s=%lld", fields->key, (long long)fields->number);
    }
}

void pt_log_open(const char *name)
{
    program = name;
}

void pt_log_write(pt_level_t level, const char *message, const pt_log_field_t *fields)
{
    line_t line = {.size = 0};
    if (isatty(STDERR_FILENO))
        write_text(&line, level, message, fields);
    else
        write_json(&line, level, message, fields);
    line.text[line.size++] = '\n';
    if (write(STDERR_FILENO, line.text, line.size) < 0)
        return; /* nobody reads: there is nowhere to say so */
}
