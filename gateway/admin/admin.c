#include "gateway/admin/admin.h"

#include "gateway/admin/import.h"
#include "gateway/admin/settings.h"
#include "gateway/http/token.h"
#include "gateway/store/admin.h"
#include "proto/program/process.h"
#include "proto/wire.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 200
#define ARGUMENTS_MAX 9 /* of a command */

typedef struct {
    const char *name, *arguments;
    int min, max; /* how many arguments */
    int (*run)(pt_pool_t *pool, const char *const *arguments);
} command_t;

int pt_admin_fail(const char *why)
{
    fprintf(stderr, "%s\n", why);
    return 1;
}

int pt_admin_fail_outcome(pt_pg_outcome_t outcome)
{
    return pt_admin_fail(outcome == PT_PG_REFUSED
                             ? "the database refused it; are the values right, and is its "
                               "schema up to date (paratope-gateway --migrate)?"
                             : "the database does not answer");
}

static int print(json_t *answer)
{
    char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    json_decref(answer);
    if (!text)
        return pt_admin_fail("out of memory");
    int written = printf("%s\n", text);
    free(text);
    return written > 0 && fflush(stdout) == 0
               ? 0
               : pt_admin_fail("standard output does not take the answer");
}

static bool read_id(const char *text, pt_uuid_t *id)
{
    if (pt_uuid_parse(id, text, strlen(text)))
        return true;
    fprintf(stderr, "%s is no UUID\n", text);
    return false;
}

static bool is_name(const char *text)
{
    size_t size = strlen(text);
    if (size > 0 && size <= NAME_MAX_BYTES && pt_text_valid(text, size))
        return true;
    fprintf(stderr, "a name is 1 to %d bytes of UTF-8\n", NAME_MAX_BYTES);
    return false;
}

static int create_organisation(pt_pool_t *pool, const char *const *arguments)
{
    pt_uuid_t id = pt_uuid_new(pt_wall_us());
    char text[PT_UUID_TEXT];
    if (!is_name(arguments[0]))
        return 1;
    pt_pg_outcome_t outcome = pt_store_make_organisation(pool, &id, arguments[0]);
    if (outcome != PT_PG_OK)
        return pt_admin_fail_outcome(outcome);
    return print(json_pack("{s:s}", "org_id", pt_uuid_format(&id, text)));
}

static int create_token(pt_pool_t *pool, const char *const *arguments)
{
    const char *name = arguments[1] ? arguments[1] : "token";
    pt_uuid_t org, id = pt_uuid_new(pt_wall_us());
    char token[PT_TOKEN_SIZE + 1], id_text[PT_UUID_TEXT];
    uint8_t hash[PT_TOKEN_HASH];
    bool found;
    if (!read_id(arguments[0], &org) || !is_name(name))
        return 1;
    pt_token_make(token);
    pt_token_hash(token, PT_TOKEN_SIZE, hash);
    pt_pg_outcome_t outcome = pt_store_make_token(pool, &id, &org, name, hash, &found);
    int status = outcome != PT_PG_OK ? pt_admin_fail_outcome(outcome)
                 : !found            ? pt_admin_fail("there is no such organisation")
                                     : print(json_pack("{s:s, s:s}", "token", token, "token_id",
                                                       pt_uuid_format(&id, id_text)));
    sodium_memzero(token, sizeof token);
    return status;
}

static int revoke_token(pt_pool_t *pool, const char *const *arguments)
{
    pt_uuid_t id;
    bool found;
    char text[PT_UUID_TEXT];
    if (!read_id(arguments[0], &id))
        return 1;
    pt_pg_outcome_t outcome = pt_store_revoke_token(pool, &id, &found);
    if (outcome != PT_PG_OK)
        return pt_admin_fail_outcome(outcome);
    if (!found)
        return pt_admin_fail("there is no such token");
    return print(json_pack("{s:s, s:b}", "token_id", pt_uuid_format(&id, text), "revoked", 1));
}

static int import_variants(pt_pool_t *pool, const char *const *arguments)
{
    pt_uuid_t org;
    bool found;
    if (!read_id(arguments[0], &org))
        return 1;
    pt_pg_outcome_t outcome = pt_store_has_organisation(pool, &org, &found);
    if (outcome != PT_PG_OK)
        return pt_admin_fail_outcome(outcome);
    if (!found)
        return pt_admin_fail("there is no such organisation");
    return pt_import_variants(pool, &org, arguments[1], stdout);
}

static const command_t commands[] = {
    {"create-organisation", "NAME", 1, 1, create_organisation},
    {"create-token", "ORG_ID [NAME]", 1, 2, create_token},
    {"revoke-token", "TOKEN_ID", 1, 1, revoke_token},
    {"import-variants", "ORG_ID FASTA", 2, 2, import_variants},
    {"job-type", "TYPE [--max-tries N] [--retry-after S] [--retry-most S] [--queue-timeout S]", 1,
     9, pt_admin_job_type},
    {"forget", "TYPE", 1, 1, pt_admin_forget},
    {"limit", "N|none [--org ORG_ID] [--job-type TYPE]", 3, 5, pt_admin_limit},
    {"weight", "ORG_ID N", 2, 2, pt_admin_weight},
    {"show", "", 0, 0, pt_admin_show},
    {"resubmit", "--error-code CODE [--job-type TYPE] [--org ORG_ID] [--since TIME]", 2, 8,
     pt_admin_resubmit},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static const command_t *find_command(int argc, const char *const *argv)
{
    for (const command_t *command = commands; command < commands + COMMANDS; command++)
        if (argc > 0 && strcmp(argv[0], command->name) == 0 && argc - 1 >= command->min &&
            argc - 1 <= command->max)
            return command;
    return NULL;
}

static int explain(FILE *to, int status)
{
    fprintf(to, "usage: paratope-gateway admin [--database URI] COMMAND …\n"
                "without --database, the environment's DATABASE_URL; the commands:\n");
    for (const command_t *command = commands; command < commands + COMMANDS; command++)
        fprintf(to, "  %s%s%s\n", command->name, *command->arguments ? " " : "",
                command->arguments);
    return status;
}

int pt_admin_run(const char *database_uri, int argc, const char *const *argv)
{
    if (argc > 0 && strcmp(argv[0], "--help") == 0)
        return explain(stdout, 0);
    const command_t *command = find_command(argc, argv);
    if (!command)
        return explain(stderr, 2);
    if (!database_uri || !*database_uri)
        return pt_admin_fail("this option is needed: --database URI, or DATABASE_URL");
    if (sodium_init() < 0)
        return pt_admin_fail("libsodium does not start");
    const char *arguments[ARGUMENTS_MAX + 1] = {NULL};
    for (int i = 1; i < argc; i++)
        arguments[i - 1] = argv[i];
    pt_pool_t *pool = pt_pool_new(database_uri, 1);
    int status = command->run(pool, arguments);
    pt_pool_destroy(&pool);
    return status;
}
