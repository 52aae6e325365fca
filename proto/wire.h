/* Bytes from the network, looked at before anything is allocated for them. */
#ifndef PT_WIRE_H
#define PT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The limits of version 1. A sender never exceeds them: a frame above PT_FRAME_MAX closes the
   connection at the receiver and takes the neighbours along. */
#define PT_VERSION 1
#define PT_FRAME_MAX (128 * 1024)       /* any one frame, ZMQ_MAXMSGSIZE of every socket */
#define PT_PAYLOAD_MAX (64 * 1024)      /* inputs of a job, result in an ending, declaration */
#define PT_CHUNK_MAX (64 * 1024)        /* bytes of a large payload in one chunk */
#define PT_LARGE_MAX (64 * 1024 * 1024) /* a large payload */
#define PT_PARTIAL_MAX (16 * 1024)      /* what a failed job had reached */
#define PT_LOG_PIECE_MAX 8192           /* bytes of text in one log message */
#define PT_LOG_MAX (64 * 1024)          /* bytes of text kept of an attempt */
#define PT_PRIORITIES 3                 /* 0 high, 1 normal, 2 low */
#define PT_PRIORITY_NORMAL 1            /* of a job that does not say */
#define PT_WEIGHT_MAX 100
#define PT_DEPTH_MAX 24     /* nesting of a msgpack object */
#define PT_TYPE_MAX 32      /* a job type's bytes, NUL included */
#define PT_NAME_MAX 128     /* machine, step, code; NUL included */
#define PT_TEXT_MAX 1000    /* a reason for people */
#define PT_REFS_MAX 1000    /* jobs named in one message */
#define PT_TYPES_MAX 64     /* job types named in one message */
#define PT_INTERVAL_MS 1000 /* beats; three without one and the peer is gone */
#define PT_MISSED_MAX 3

/* The length of the msgpack object at the start of `data`, or 0 if there is no whole, well-formed
   one (cut off, reserved byte, deeper than PT_DEPTH_MAX, more elements than bytes). Allocates
   nothing, and reads each byte once. */
size_t pt_msgpack_length(const void *data, size_t size);

/* One object and nothing after it. */
bool pt_msgpack_valid(const void *data, size_t size);

/* Well-formed UTF-8 (RFC 3629) without NUL: what PostgreSQL's text and json take. */
bool pt_text_valid(const char *text, size_t size);

/* [a-z0-9_]+, at most PT_TYPE_MAX - 1 bytes. */
bool pt_job_type_valid(const char *text, size_t size);

/* Copies a job type, which is valid and therefore fits; of a longer text only the beginning. */
void pt_job_type_copy(char to[PT_TYPE_MAX], const char *from);

#endif
