/* JSON text as msgpack, in one pass and without a tree in memory. */
#ifndef PT_TRANSCODE_H
#define PT_TRANSCODE_H

#include <msgpack.h>

/* Appends the value that `text` is (NUL-terminated, as PostgreSQL's json type gives it) to `out`,
   as long as that stays within `most` bytes. Whole numbers of 64 bits stay what they are, others
   become doubles. Returns NULL, or what is wrong; then `out` has some of it. */
const char *pt_transcode(const char *text, size_t most, msgpack_sbuffer *out);

/* What pt_transcode returns for one that is too long. */
extern const char pt_transcode_too_long[];

#define PT_TRANSCODE_DEPTH_MAX                                                                     \
    20 /* of nesting; what is around it takes the rest of PT_DEPTH_MAX                             \
        */

#endif
