#include "tests/simulation/inputs.h"

void inputs_write(const world_t *world, int job, msgpack_sbuffer *to)
{
    size_t size = job_at(world, job)->inputs;
    uint8_t *bytes = must_alloc(size);
    msgpack_packer packer;
    msgpack_packer_init(&packer, to, msgpack_sbuffer_write);
    msgpack_pack_map(&packer, size > 0);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((i ^ i >> 8 ^ i >> 16) + (size_t)job);
    if (size > 0) {
        msgpack_pack_int(&packer, job);
        msgpack_pack_bin(&packer, size);
        msgpack_pack_bin_body(&packer, bytes, size);
    }
    free(bytes);
}

bool inputs_end_of(const world_t *world, int job, const void *message, size_t size)
{
    msgpack_sbuffer inputs;
    msgpack_sbuffer_init(&inputs);
    inputs_write(world, job, &inputs);
    bool same = size >= inputs.size &&
                memcmp((const char *)message + size - inputs.size, inputs.data, inputs.size) == 0;
    msgpack_sbuffer_destroy(&inputs);
    return same;
}
