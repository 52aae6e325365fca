/* Results as JSON: what a worker computed, into the table. */
#include "gateway/results/render.h"
#include "fuzz.h"
#include "gateway/results/files.h"
#include "proto/wire.h"

#include <jansson.h>

/* jansson has only integers of 64 bits with a sign, and PostgreSQL's json keeps what it was given.
 */
static void check_json(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    CHECK(value || strcmp(error.text, "too big integer") == 0 ||
          json_error_code(&error) == json_error_numeric_overflow);
    CHECK(pt_text_valid(text, strlen(text)));
    json_decref(value);
}

/* What a path and an answer's head can have. */
static void check_files(const char *text)
{
    const char *name;
    json_t *file, *files = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    CHECK(!text || json_is_object(files));
    CHECK(json_object_size(files) <= PT_FILES_MAX);
    json_object_foreach(files, name, file)
    {
        const char *type = json_string_value(json_object_get(file, "media_type"));
        CHECK(pt_file_name_valid(name, strlen(name)) && !strchr(name, '/'));
        CHECK(type && !strpbrk(type, "\r\n") && strchr(type, '/'));
        CHECK(json_is_string(json_object_get(file, "content")) && json_object_size(file) == 2);
    }
    json_decref(files);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    uint8_t *payload = take(&reader, &size);
    pt_rendered_t rendered;
    if (pt_render_result(payload, size, &rendered) == NULL) {
        check_json(rendered.results);
        check_json(rendered.model_versions);
        CHECK(rendered.model_versions[0] == '{');
        check_files(rendered.files);
    } else {
        CHECK(!rendered.results && !rendered.model_versions && !rendered.files);
    }
    pt_rendered_clear(&rendered);
    pt_render_partial(payload, size, &rendered);
    if (rendered.partial)
        check_json(rendered.partial);
    pt_rendered_clear(&rendered);
    free(payload);
    return 0;
}
