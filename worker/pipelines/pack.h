/*
 *  JSON values as msgpack.
 */
#ifndef PT_PACK_H
#define PT_PACK_H

#include <jansson.h>
#include <msgpack.h>

/* Integers as int, reals as float 64, objects in the order in which they were filled. 0, or -1 when
   memory is out. */
int pt_pack_json(msgpack_packer *packer, const json_t *value);

/* msgpack as a JSON value, a new reference; bin 16 becomes the text of a UUID, other bin null. NULL
   when it is nested more than 24 deep, a map's key is no text, text is no UTF-8 or memory is out.
 */
json_t *pt_unpack_json(const msgpack_object *object);

/* A msgpack str. */
int pt_pack_text(msgpack_packer *packer, const char *text);

#endif
