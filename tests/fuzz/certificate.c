/* Files of certificates, and the right that one gives. Bytes: the file. */
#include "proto/program/certificate.h"
#include "broker/right.h"
#include "file.h"

static void check_key(const char *key)
{
    uint8_t bytes[32];
    CHECK(key[0] == 0 || (strlen(key) == PT_KEY_TEXT - 1 && zmq_z85_decode(bytes, key)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pt_certificate_t certificate;
    pt_right_t right;
    int file = make_file(data, size);
    if (pt_certificate_read(&certificate, path_of(file))) {
        CHECK(certificate.public_key[0]);
        check_key(certificate.public_key);
        check_key(certificate.secret_key);
        pt_right_read(&right, pt_certificate_meta(&certificate, "role"),
                      pt_certificate_meta(&certificate, "job_types"),
                      pt_certificate_meta(&certificate, "org"));
        pt_certificate_clear(&certificate);
    }
    close(file);
    return 0;
}
