#include "worker/pipelines/choice.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pt_choice_refuse(pt_error_t *error, const char *pointer, const char *format, ...)
{
    char why[256];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    pt_error_set(error, "invalid_options", "%s: %s", pointer, why);
    snprintf(error->option, sizeof error->option, "%s", pointer);
    return false;
}

static bool refuse(pt_error_t *error, const char *key, const char *why)
{
    char pointer[64];
    snprintf(pointer, sizeof pointer, "/%s", key);
    return pt_choice_refuse(error, pointer, "%s", why);
}

bool pt_choice_word(const json_t *options, const char *key, const char *const words[], int *index,
                    pt_error_t *error)
{
    const json_t *value = json_object_get(options, key);
    if (!value)
        return true;
    for (int i = 0; json_is_string(value) && words[i]; i++)
        if (strcmp(json_string_value(value), words[i]) == 0) {
            *index = i;
            return true;
        }
    return refuse(error, key, "it is none of the words that it can be");
}

bool pt_choice_number(const json_t *options, const char *key, double least, double most,
                      double *value, pt_error_t *error)
{
    const json_t *given = json_object_get(options, key);
    if (!given)
        return true;
    double number = json_number_value(given);
    if (!json_is_number(given) || !(number >= least && number <= most))
        return refuse(error, key, "it is no number, or too small or too large");
    *value = number;
    return true;
}

bool pt_choice_list(const json_t *options, const char *key, size_t most, const json_t **list,
                    pt_error_t *error)
{
    *list = json_object_get(options, key);
    if (*list && (!json_is_array(*list) || json_array_size(*list) > most))
        return refuse(error, key, "it is no list, or too long");
    return true;
}

bool pt_choice_place(const char *text, size_t *domain, pt_position_t *position)
{
    enum { DIGITS_MAX = 3 };
    if (!text || (text[0] != 'H' && text[0] != 'L'))
        return false;
    size_t digits = strspn(text + 1, "0123456789");
    const char *rest = text + 1 + digits;
    long number = strtol(text + 1, NULL, 10);
    if (digits == 0 || digits > DIGITS_MAX || number < 1 || number > UINT8_MAX)
        return false;
    if (*rest && (!isupper((unsigned char)*rest) || rest[1]))
        return false;
    *domain = text[0] == 'L';
    *position = (pt_position_t){(uint8_t)number, *rest};
    return true;
}
