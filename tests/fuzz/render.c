/* Results as JSON: what a worker computed, into the table. */
#include "gateway/render.h"
#include "fuzz.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    uint8_t *payload = take(&reader, &size);
    pt_rendered_t rendered;
    if (pt_render_result(payload, size, &rendered) == NULL) {
        check_json(rendered.results);
        check_json(rendered.model_versions);
        CHECK(rendered.model_versions[0] == '{');
    } else {
        CHECK(!rendered.results && !rendered.model_versions);
    }
    pt_rendered_clear(&rendered);
    free(payload);
    return 0;
}
