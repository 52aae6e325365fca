/* What a pipeline writes to its agent: cut into messages, however the bytes come; each read.
 * Bytes: the size of the pieces (0: all at once); the stream. */
#include "fuzz.h"
#include "proto/declared.h"
#include "worker/framing.h"
#include "worker/said.h"

typedef struct {
    size_t count, bytes;
    const char *why; /* why no message can follow */
} heard_t;

static bool is_inside(const void *part, size_t size, const uint8_t *message, size_t all)
{
    const uint8_t *from = part;
    return from >= message && from + size <= message + all && pt_msgpack_valid(part, size);
}

/* What is taken fits into a message, and is read as what was written. */
static void check_declaration(const void *data, size_t size)
{
    pt_declared_t said, again;
    msgpack_sbuffer out;
    if (pt_declared_read(&said, data, size) != NULL)
        return;
    msgpack_sbuffer_init(&out);
    pt_declared_write(&said, &out);
    CHECK(out.size <= PT_PAYLOAD_MAX && pt_msgpack_valid(out.data, out.size));
    CHECK(pt_declared_read(&again, out.data, out.size) == NULL);
    CHECK(again.schema_size == said.schema_size &&
          memcmp(again.schema, said.schema, said.schema_size) == 0);
    again.schema = said.schema; /* the rest is in it: both began as zeros */
    CHECK(memcmp(&again, &said, sizeof said) == 0);
    msgpack_sbuffer_destroy(&out);
}

static void check_message(const uint8_t *message, size_t size)
{
    pt_said_t said;
    CHECK(pt_msgpack_valid(message, size));
    if (pt_said_read(&said, message, size) != NULL)
        return;
    CHECK(pt_text_valid(said.step, strlen(said.step)));
    CHECK(pt_text_valid(said.message, strlen(said.message)));
    CHECK(said.fraction >= 0 && said.fraction <= 1);
    if (said.kind == PT_SAID_RESULT)
        CHECK(is_inside(said.results, said.results_size, message, size) &&
              is_inside(said.versions, said.versions_size, message, size) &&
              (!said.files || is_inside(said.files, said.files_size, message, size)));
    else if (said.kind == PT_SAID_ERROR)
        CHECK(said.code[0] && said.message[0] && said.partial_size <= PT_PARTIAL_MAX &&
              (!said.partial || is_inside(said.partial, said.partial_size, message, size)));
    else if (said.kind == PT_SAID_PROGRESS)
        CHECK(said.step[0]);
    else
        check_declaration(said.declared, said.declared_size);
}

/* An exact copy, so that a read beyond the message is seen. */
static void hear(heard_t *heard, const void *message, size_t size)
{
    reader_t reader = {message, size};
    uint8_t *copy = take(&reader, &size);
    check_message(copy, size);
    free(copy);
    heard->count++;
    heard->bytes += size;
}

static heard_t hear_all(const uint8_t *data, size_t size, size_t piece)
{
    heard_t heard = {0};
    pt_framing_t framing;
    pt_framing_init(&framing);
    for (size_t at = 0; at < size && !heard.why; at += piece) {
        const void *message;
        size_t n = size - at < piece ? size - at : piece, length;
        memcpy(pt_framing_room(&framing, n), data + at, n);
        pt_framing_added(&framing, n);
        pt_framing_result_t result;
        while ((result = pt_framing_next(&framing, &message, &length, &heard.why)) ==
               PT_FRAMING_WHOLE)
            hear(&heard, message, length);
        CHECK((result == PT_FRAMING_MORE) == (heard.why == NULL));
    }
    pt_framing_clear(&framing);
    return heard;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    size_t piece = next(&reader);
    heard_t pieces = hear_all(reader.at, reader.left, piece ? piece : 1);
    heard_t whole = hear_all(reader.at, reader.left, reader.left + 1);
    CHECK(pieces.count == whole.count && pieces.bytes == whole.bytes && pieces.why == whole.why);
    return 0;
}
