/* CURVE for our sockets: a machine's own certificate, the brokers' public key, and where neither is
 * needed. Files are zcert's: ZPL with /curve/public-key, /curve/secret-key and /metadata.
 */
#ifndef PT_CERTIFICATE_H
#define PT_CERTIFICATE_H

#include "proto/program/options.h"

#include <czmq.h>
#include <dirent.h>

#define PT_KEY_TEXT 41 /* a key in Z85, and the NUL */

/* How much longer a frame is on the wire than what is in it. */
#define PT_CURVE_OVERHEAD 64

/* Of one file. A key is "" where the file has none. */
typedef struct {
    char public_key[PT_KEY_TEXT], secret_key[PT_KEY_TEXT];
    zconfig_t *file; /* for what else it says */
} pt_certificate_t;

/* Reads the file; false if it is none, or has no public key. Release it with _clear. */
bool pt_certificate_read(pt_certificate_t *self, const char *path);
void pt_certificate_clear(pt_certificate_t *self);

/* What the certificate's metadata says of `name` (role, job_types, org), or NULL. */
const char *pt_certificate_meta(pt_certificate_t *self, const char *name);

#define PT_CERTIFICATE_SUFFIX ".key" /* of the files that are certificates of a folder */

/* The names of a folder's certificates, sorted; hidden files are none. Returns how many, or -1 and
   errno; the array and each of its entries are to be freed. */
int pt_certificate_scan(const char *folder, struct dirent ***entries);

/* Whether only this machine can be at the other end: ipc, inproc, a loopback address, localhost. */
bool pt_endpoint_is_local(const char *endpoint);

/* The keys that a program has; all "" if it has none, and then sockets stay as they are. */
typedef struct {
    char public_key[PT_KEY_TEXT], secret_key[PT_KEY_TEXT];
    char broker_key[PT_KEY_TEXT]; /* of the other side, for who connects */
} pt_keyring_t;

/* Reads FOLDER/NAME.key_secret, and FOLDER/broker.key unless NAME is broker. What is wrong is said
   in a line, and ends the program with 2. */
void pt_keyring_read(pt_keyring_t *self, const char *program, const char *folder, const char *name);

/* Reads the folder that --keys names, in the same way. Without --keys every
   endpoint that the options `endpoints` name must be local, or --insecure be said. Anything else is
   said in a line, and ends the program with 2. `endpoints` ends with NULL. */
void pt_keyring_open(pt_keyring_t *self, const pt_options_t *options, const char *program,
                     const char *name, const char *const *endpoints);
bool pt_keyring_has(const pt_keyring_t *self);

/* Before a socket connects. */
void pt_keyring_connect(const pt_keyring_t *self, zsock_t *socket);
/* Before a socket is bound; `domain` is what the ZAP handler is told. */
void pt_keyring_serve(const pt_keyring_t *self, zsock_t *socket, const char *domain);

/* The rows of both in a program's table of options. */
#define PT_OPTION_KEYS                                                                             \
    "keys", "PARATOPE_KEYS", NULL, PT_OPTION_ONE, "DIR",                                           \
        "encrypt with the certificate in this folder, see paratope-keys"
#define PT_OPTION_INSECURE                                                                         \
    "insecure", NULL, NULL, PT_OPTION_FLAG, NULL, "go beyond this machine without encryption"

#endif
