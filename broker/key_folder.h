/* The folder of certificates that paratope-keys keeps and brokers read:
 *
 *   broker.key, broker.key_secret    the brokers' certificate
 *   authorised/NAME.key              who is let in: a public key, and as metadata what it may do
 *   machines/NAME/                   for that machine to be given: its secret, and broker.key
 *
 * Files are 0600 and written by rename, so that a broker never reads half of one. Each function
 * returns false after it has said on standard error what is wrong.
 */
#ifndef PT_KEY_FOLDER_H
#define PT_KEY_FOLDER_H

#include <stdbool.h>

/* What a certificate is to say; NULL where it says nothing. */
typedef struct {
    const char *role, *job_types, *org;
} pt_grant_t;

/* The brokers' certificate, in a folder that is made if need be; never over one that is there. */
bool pt_key_folder_init(const char *folder);

/* A new certificate, or the public key in the file `public_file` if that is not NULL. */
bool pt_key_folder_add(const char *folder, const char *name, const pt_grant_t *grant,
                       const char *public_file);
bool pt_key_folder_remove(const char *folder, const char *name);
/* On standard output, a line each. */
bool pt_key_folder_list(const char *folder);

#endif
