#include "broker/key_folder.h"

#include "broker/right.h"
#include "proto/program/certificate.h"

#include <sys/stat.h>

#define NAME_LENGTH 63
#define SECRET PT_CERTIFICATE_SUFFIX "_secret"

static bool fail(const char *what, const char *why)
{
    fprintf(stderr, "paratope-keys: %s: %s\n", what, why);
    return false;
}

/* ---- paths and files --------------------------------------------------------------------- */

/* To be freed. */
static char *path_of(const char *folder, const char *place, const char *name, const char *suffix)
{
    return zsys_sprintf("%s/%s%s%s", folder, place, name, suffix);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static bool make_folder(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST || fail(path, strerror(errno));
}

/* With its secret or without. */
static bool write_certificate(zcert_t *certificate, const char *path, bool secret)
{
    char *draft = zsys_sprintf("%s.new", path);
    int rc = secret ? zcert_save_secret(certificate, draft) : zcert_save_public(certificate, draft);
    bool written = rc == 0 && chmod(draft, 0600) == 0 && rename(draft, path) == 0;
    if (!written)
        fail(path, strerror(errno));
    zstr_free(&draft);
    return written;
}

static bool remove_file(const char *path)
{
    return unlink(path) == 0 || errno == ENOENT || fail(path, strerror(errno));
}

/* ---- init -------------------------------------------------------------------------------- */

static bool make_folders(const char *folder)
{
    char *authorised = path_of(folder, "authorised", "", "");
    char *machines = path_of(folder, "machines", "", "");
    bool made = make_folder(folder) && make_folder(authorised) && make_folder(machines);
    zstr_free(&authorised);
    zstr_free(&machines);
    return made;
}

bool pt_key_folder_init(const char *folder)
{
    if (!make_folders(folder))
        return false;
    char *open = path_of(folder, "broker", "", PT_CERTIFICATE_SUFFIX);
    char *secret = path_of(folder, "broker", "", SECRET);
    zcert_t *certificate = zcert_new();
    bool done = !exists(secret) || fail(secret, "is there already");
    done = done && write_certificate(certificate, secret, true) &&
           write_certificate(certificate, open, false);
    if (done)
        printf("%s is the brokers' certificate; start them with --keys %s\n", secret, folder);
    zcert_destroy(&certificate);
    zstr_free(&open);
    zstr_free(&secret);
    return done;
}

/* ---- all that are authorised ------------------------------------------------------------- */

/* Calls `visit` for each until it returns false; `name` is the file's. */
static bool visit_all(const char *folder,
                      bool (*visit)(void *arg, const char *name, pt_certificate_t *certificate),
                      void *arg)
{
    char *authorised = path_of(folder, "authorised", "", "");
    struct dirent **entries;
    int n = pt_certificate_scan(authorised, &entries);
    bool going = n >= 0 || fail(authorised, "cannot be read; paratope-keys init makes it");
    for (int i = 0; i < n; i++) {
        pt_certificate_t certificate;
        char *path = path_of(authorised, entries[i]->d_name, "", "");
        if (going && !pt_certificate_read(&certificate, path)) {
            fail(path, "not a certificate");
        } else if (going) {
            going = visit(arg, entries[i]->d_name, &certificate);
            pt_certificate_clear(&certificate);
        }
        zstr_free(&path);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    zstr_free(&authorised);
    return going;
}

static bool print_one(void *arg, const char *name, pt_certificate_t *certificate)
{
    (void)arg;
    const char *role = pt_certificate_meta(certificate, "role");
    const char *types = pt_certificate_meta(certificate, "job_types");
    const char *org = pt_certificate_meta(certificate, "org");
    pt_right_t right;
    const char *why = pt_right_read(&right, role, types, org);
    printf("%-24.*s %-11s %-40s %s%s%s\n", (int)(strlen(name) - strlen(PT_CERTIFICATE_SUFFIX)),
           name, role ? role : "-",
           types ? types
           : org ? org
                 : "",
           certificate->public_key, why ? "  does not count: " : "", why ? why : "");
    return true;
}

bool pt_key_folder_list(const char *folder)
{
    return visit_all(folder, print_one, NULL);
}

static bool is_other_key(void *key, const char *name, pt_certificate_t *certificate)
{
    return !streq(certificate->public_key, key) || fail(name, "has that key already");
}

/* ---- add --------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t size = strlen(name);
    return (size > 0 && size <= NAME_LENGTH && name[0] != '.' && strspn(name, allowed) == size) ||
           fail(name, "a name has letters, digits, dots, dashes and underscores, at most 63");
}

static void set_metadata(zcert_t *certificate, const char *name, const pt_grant_t *grant)
{
    zcert_set_meta(certificate, "name", "%s", name);
    zcert_set_meta(certificate, "role", "%s", grant->role);
    if (grant->job_types)
        zcert_set_meta(certificate, "job_types", "%s", grant->job_types);
    if (grant->org)
        zcert_set_meta(certificate, "org", "%s", grant->org);
}

/* The public key in that file, NULL after a word about why not. */
static zcert_t *read_public(const char *folder, const char *file)
{
    pt_certificate_t certificate;
    uint8_t public_key[32], none[32] = {0};
    if (!pt_certificate_read(&certificate, file)) {
        fail(file, "not a certificate");
        return NULL;
    }
    zmq_z85_decode(public_key, certificate.public_key);
    bool is_new = visit_all(folder, is_other_key, certificate.public_key);
    pt_certificate_clear(&certificate);
    return is_new ? zcert_new_from(public_key, none) : NULL;
}

/* broker.key, once more in the machine's folder. */
static bool copy_brokers(const char *folder, const char *machine)
{
    char *from = path_of(folder, "broker", "", PT_CERTIFICATE_SUFFIX),
         *to = path_of(machine, "broker", "", PT_CERTIFICATE_SUFFIX);
    pt_certificate_t read;
    bool copied = pt_certificate_read(&read, from) ||
                  fail(from, "not a certificate; paratope-keys init makes it");
    if (copied) {
        uint8_t public_key[32], none[32] = {0};
        zmq_z85_decode(public_key, read.public_key);
        zcert_t *brokers = zcert_new_from(public_key, none);
        copied = write_certificate(brokers, to, false);
        zcert_destroy(&brokers);
        pt_certificate_clear(&read);
    }
    zstr_free(&from);
    zstr_free(&to);
    return copied;
}

/* What the machine is to be given. */
static bool write_machine(const char *folder, const char *name, const char *role,
                          zcert_t *certificate)
{
    char *machine = path_of(folder, "machines/", name, "");
    char *secret = path_of(machine, role, "", SECRET);
    bool written = make_folder(machine) && copy_brokers(folder, machine) &&
                   write_certificate(certificate, secret, true);
    zstr_free(&secret);
    zstr_free(&machine);
    return written;
}

bool pt_key_folder_add(const char *folder, const char *name, const pt_grant_t *grant,
                       const char *public_file)
{
    pt_right_t right;
    const char *why = pt_right_read(&right, grant->role, grant->job_types, grant->org);
    if (why)
        return fail(name, why);
    char *path = path_of(folder, "authorised/", name, PT_CERTIFICATE_SUFFIX);
    bool added =
        is_name(name) && (!exists(path) || fail(name, "is there already; remove it first"));
    zcert_t *certificate = !added        ? NULL
                           : public_file ? read_public(folder, public_file)
                                         : zcert_new();
    if (certificate) /* authorised last, when all else is there */
        set_metadata(certificate, name, grant);
    added = certificate && (public_file || write_machine(folder, name, grant->role, certificate)) &&
            write_certificate(certificate, path, false);
    if (added)
        printf("%s is authorised as %s\n", name, grant->role);
    if (added && !public_file)
        printf("give that machine the folder %s/machines/%s, for --keys\n", folder, name);
    zcert_destroy(&certificate);
    zstr_free(&path);
    return added;
}

/* ---- remove ------------------------------------------------------------------------------ */

static bool remove_machine(const char *folder, const char *name)
{
    char *machine = path_of(folder, "machines/", name, "");
    char *brokers = path_of(machine, "broker", "", PT_CERTIFICATE_SUFFIX);
    bool removed = remove_file(brokers);
    for (int role = 0; role < PT_ROLES; role++) {
        char *secret = path_of(machine, pt_role_name((pt_role_t)role), "", SECRET);
        removed = remove_file(secret) && removed;
        zstr_free(&secret);
    }
    if (rmdir(machine) != 0 && errno != ENOENT)
        removed = fail(machine, strerror(errno));
    zstr_free(&brokers);
    zstr_free(&machine);
    return removed;
}

bool pt_key_folder_remove(const char *folder, const char *name)
{
    if (!is_name(name))
        return false;
    char *path = path_of(folder, "authorised/", name, PT_CERTIFICATE_SUFFIX);
    bool removed = unlink(path) == 0 ||
                   (errno == ENOENT ? fail(name, "no such machine is authorised here; see list")
                                    : fail(path, strerror(errno)));
    removed = removed && remove_machine(folder, name);
    if (removed)
        printf("%s is authorised no more\n", name);
    zstr_free(&path);
    return removed;
}
