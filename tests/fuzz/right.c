/* Certificates' metadata, and what they allow. Bytes: three texts, each with its length; a door; a
 * subscription's length and bytes; a header. */
#include "broker/right.h"
#include "fuzz.h"

static void check_right(const pt_right_t *right, reader_t *reader)
{
    pt_door_t door = (pt_door_t)below(reader, PT_DOORS);
    size_t size = next(reader);
    uint8_t *prefix = take(reader, &size);
    const char *refused = pt_right_subscribe(right, prefix, size);
    if (right->role == PT_ROLE_SUBSCRIBER && !right->all) /* of one organisation, and no other */
        CHECK(refused || size > 36);
    pt_right_enter(right, door);
    pt_msg_t msg;
    if (pt_msg_decode(&msg, reader->at, reader->left) == NULL) {
        pt_right_job(right, PT_GATEWAYS, &msg);
        CHECK(pt_right_job(right, PT_WORKERS, &msg) || right->role == PT_ROLE_WORKER);
        CHECK(pt_right_publish(right, &msg) || right->role != PT_ROLE_SUBSCRIBER);
        pt_msg_clear(&msg);
    }
    free(prefix);
}

static char *text_of(reader_t *reader)
{
    size_t size = next(reader);
    return size == 255 ? NULL : take_text(reader, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader_t reader = {data, size};
    char *role = text_of(&reader), *types = text_of(&reader), *org = text_of(&reader);
    pt_right_t *right = calloc(1, sizeof *right);
    CHECK(right);
    if (pt_right_read(right, role, types, org) == NULL) {
        CHECK(right->role < PT_ROLES && right->type_count <= PT_TYPES_MAX);
        for (size_t i = 0; i < right->type_count; i++)
            CHECK(pt_job_type_valid(right->types[i], strlen(right->types[i])));
        check_right(right, &reader);
    }
    free(right);
    free(role);
    free(types);
    free(org);
    return 0;
}
