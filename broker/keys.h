/* The certificates that a broker lets in, and what each may do: a folder of zcert's public files,
 * kept in memory. A file that is added, changed or removed counts within a moment, which who holds
 * connections learns by `generation`.
 *
 * One thread watches (pt_keys_watch); any may look up.
 */
#ifndef PT_KEYS_H
#define PT_KEYS_H

#include "broker/right.h"
#include "proto/program/certificate.h"

#define PT_HOLDER_NAME_MAX 256

/* One certificate as its file says it now. The number is new whenever the file says something
   else; so who remembers a number has certainty that nothing has changed. Never 0. */
typedef struct {
    char key[PT_KEY_TEXT];
    char name[PT_HOLDER_NAME_MAX]; /* the file's, for people */
    uint64_t number;
    pt_right_t right;
} pt_keyholder_t;

/* Why a key that is nobody's gets nowhere. */
#define PT_NOT_AUTHORISED "this certificate is not authorised here"

typedef struct pt_keys pt_keys_t;

/* Reads the folder; NULL if it cannot, which is logged with the reason. What is wrong with a file
   is logged, and it does not count. */
pt_keys_t *pt_keys_new(const char *folder);
void pt_keys_destroy(pt_keys_t **self);

/* Whose key that is (NULL: nobody's), held until pt_keys_let_go; take no lock and do not wait in
   between. `key` may be NULL. */
const pt_keyholder_t *pt_keys_hold(pt_keys_t *self, const char *key);
void pt_keys_let_go(pt_keys_t *self);

/* Whether a number that was seen still is somebody's. */
bool pt_keys_stands(pt_keys_t *self, uint64_t number);

/* Another one than before means that a number may have ceased to stand. */
uint64_t pt_keys_generation(pt_keys_t *self);

size_t pt_keys_count(pt_keys_t *self);

/* For the watching thread: a descriptor that becomes readable when the folder changes, and what
   reads the folder anew if it did. Call it then, and each second: the folder itself may have been
   replaced. A folder that cannot be read changes nothing. */
int pt_keys_descriptor(const pt_keys_t *self);
void pt_keys_watch(pt_keys_t *self);

#endif
