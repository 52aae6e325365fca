#include "proto/program/certificate.h"

#include "proto/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>

#define FILE_MAX 16384 /* bytes; 64 job types are 2,048 */

/* ---- files ------------------------------------------------------------------------------- */

static bool take_key(char key[PT_KEY_TEXT], const char *text)
{
    uint8_t bytes[32];
    bool is_key = text && strlen(text) == PT_KEY_TEXT - 1 && zmq_z85_decode(bytes, text);
    snprintf(key, PT_KEY_TEXT, "%s", is_key ? text : "");
    return is_key;
}

/* NULL if it is no file, or longer than any certificate. zconfig_load would lose memory then. */
static zconfig_t *load(const char *path)
{
    char text[FILE_MAX + 1];
    struct stat stat;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t size = -1;
    if (file >= 0 && fstat(file, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size <= FILE_MAX)
        size = read(file, text, FILE_MAX);
    if (file >= 0)
        close(file);
    if (size < 0)
        return NULL;
    text[size] = 0;
    return zconfig_str_load(text);
}

bool pt_certificate_read(pt_certificate_t *self, const char *path)
{
    memset(self, 0, sizeof *self);
    self->file = load(path);
    if (self->file &&
        take_key(self->public_key, zconfig_get(self->file, "/curve/public-key", NULL))) {
        take_key(self->secret_key, zconfig_get(self->file, "/curve/secret-key", NULL));
        return true;
    }
    pt_certificate_clear(self);
    return false;
}

void pt_certificate_clear(pt_certificate_t *self)
{
    zconfig_destroy(&self->file);
    memset(self, 0, sizeof *self);
}

const char *pt_certificate_meta(pt_certificate_t *self, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/metadata/%s", name);
    return zconfig_get(self->file, path, NULL);
}

static int is_certificate(const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t size = strlen(name), suffix = strlen(PT_CERTIFICATE_SUFFIX);
    return name[0] != '.' && size > suffix && streq(name + size - suffix, PT_CERTIFICATE_SUFFIX);
}

int pt_certificate_scan(const char *folder, struct dirent ***entries)
{
    return scandir(folder, entries, is_certificate, alphasort);
}

/* ---- what needs no keys ------------------------------------------------------------------ */

static bool is_loopback(const char *host, size_t size)
{
    static const char *const names[] = {"localhost", "[::1]"};
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i]) == size && memcmp(names[i], host, size) == 0)
            return true;
    if (size >= sizeof text)
        return false;
    memcpy(text, host, size);
    text[size] = 0;
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool pt_endpoint_is_local(const char *endpoint)
{
    if (strncmp(endpoint, "ipc://", 6) == 0 || strncmp(endpoint, "inproc://", 9) == 0)
        return true;
    const char *port = strrchr(endpoint, ':');
    if (strncmp(endpoint, "tcp://", 6) != 0 || port < endpoint + 6)
        return false;
    return is_loopback(endpoint + 6, (size_t)(port - endpoint - 6));
}

/* ---- a program's keys -------------------------------------------------------------------- */

static void refuse(const char *program, const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program, what, why);
    exit(2);
}

static void check_endpoints(const char *program, const char *endpoints)
{
    char *copy = strdup(endpoints), *rest = NULL;
    for (char *one = strtok_r(copy, " \t", &rest); one; one = strtok_r(NULL, " \t", &rest))
        if (!pt_endpoint_is_local(one))
            refuse(program, one,
                   "that is beyond this machine: give --keys DIR (paratope-keys makes it), use a "
                   "loopback address or ipc://, or say --insecure");
    free(copy);
}

/* DIR/FILE; the certificate to be cleared. */
static void read_file(pt_certificate_t *certificate, const char *program, const char *folder,
                      const char *file)
{
    char *path = zsys_sprintf("%s/%s", folder, file);
    if (access(path, R_OK) != 0)
        refuse(program, path, strerror(errno));
    if (!pt_certificate_read(certificate, path))
        refuse(program, path, "not a certificate");
    zstr_free(&path);
}

static void read_own(pt_keyring_t *self, const char *program, const char *folder, const char *name)
{
    pt_certificate_t own;
    char *file = zsys_sprintf("%s.key_secret", name);
    read_file(&own, program, folder, file);
    if (!*own.secret_key)
        refuse(program, file, "there is no secret key in it");
    memcpy(self->public_key, own.public_key, sizeof self->public_key);
    memcpy(self->secret_key, own.secret_key, sizeof self->secret_key);
    pt_certificate_clear(&own);
    zstr_free(&file);
}

static void read_brokers(pt_keyring_t *self, const char *program, const char *folder)
{
    pt_certificate_t broker;
    read_file(&broker, program, folder, "broker.key");
    memcpy(self->broker_key, broker.public_key, sizeof self->broker_key);
    pt_certificate_clear(&broker);
}

void pt_keyring_read(pt_keyring_t *self, const char *program, const char *folder, const char *name)
{
    if (!zmq_has("curve"))
        refuse(program, folder, "this libzmq was built without CURVE");
    memset(self, 0, sizeof *self);
    read_own(self, program, folder, name);
    if (!streq(name, "broker"))
        read_brokers(self, program, folder);
}

void pt_keyring_open(pt_keyring_t *self, const pt_options_t *options, const char *program,
                     const char *name, const char *const *endpoints)
{
    memset(self, 0, sizeof *self);
    const char *folder = pt_options_get(options, "keys");
    if (folder)
        pt_keyring_read(self, program, folder, name);
    else if (!pt_options_flag(options, "insecure"))
        for (; *endpoints; endpoints++)
            check_endpoints(program, pt_options_demand(options, *endpoints));
}

bool pt_keyring_has(const pt_keyring_t *self)
{
    return *self->secret_key != 0;
}

static void apply_own(const pt_keyring_t *self, zsock_t *socket)
{
    zsock_set_curve_publickey(socket, self->public_key);
    zsock_set_curve_secretkey(socket, self->secret_key);
    if (zsock_maxmsgsize(socket) > 0) /* it is the wire's bytes that libzmq counts */
        zsock_set_maxmsgsize(socket, zsock_maxmsgsize(socket) + PT_CURVE_OVERHEAD);
}

void pt_keyring_connect(const pt_keyring_t *self, zsock_t *socket)
{
    if (!pt_keyring_has(self))
        return;
    apply_own(self, socket);
    zsock_set_curve_serverkey(socket, self->broker_key);
}

void pt_keyring_serve(const pt_keyring_t *self, zsock_t *socket, const char *domain)
{
    if (!pt_keyring_has(self))
        return;
    apply_own(self, socket);
    zsock_set_curve_server(socket, 1);
    zsock_set_zap_domain(socket, domain);
}
