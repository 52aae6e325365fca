/* paratope-keys: makes the certificates of brokers, gateways, workers and subscribers, and says who
 * is let in. */
#include "broker/key_folder.h"
#include "proto/program/options.h"

#include <czmq.h>
#include <sys/stat.h>

static const char usage[] =
    "paratope-keys init DIR\n"
    "       paratope-keys add DIR NAME --role gateway\n"
    "       paratope-keys add DIR NAME --role worker --job-types 'TYPE …'\n"
    "       paratope-keys add DIR NAME --role subscriber --org ID\n"
    "       paratope-keys remove DIR NAME\n"
    "       paratope-keys list DIR\n\n"
    "init makes the brokers' certificate. add makes one for a machine, in DIR/machines/NAME, and\n"
    "authorises it; remove takes that back. Brokers that run with --keys DIR follow within a "
    "second.";

static const pt_option_t options_table[] = {
    {"role", NULL, NULL, PT_OPTION_ONE, "ROLE", "gateway, worker or subscriber"},
    {"job-types", NULL, NULL, PT_OPTION_ONE, "'TYPE …'", "what a worker may serve; '*' for all"},
    {"org", NULL, NULL, PT_OPTION_ONE, "ID",
     "the organisation whose events a subscriber may hear; '*' for all"},
    {"public", NULL, NULL, PT_OPTION_ONE, "FILE",
     "authorise the public key in this file, whose secret stays where it was made"},
    {NULL}};

static int refuse(const char *what)
{
    fprintf(stderr, "paratope-keys: %s; see paratope-keys --help\n", what);
    return 2;
}

static bool add(const pt_options_t *options, const char *folder, const char *name)
{
    pt_grant_t grant = {pt_options_demand(options, "role"), pt_options_get(options, "job-types"),
                        pt_options_get(options, "org")};
    return pt_key_folder_add(folder, name, &grant, pt_options_get(options, "public"));
}

static int run(const pt_options_t *options)
{
    const char *command = pt_options_argument(options, 0),
               *folder = pt_options_argument(options, 1), *name = pt_options_argument(options, 2);
    if (!command)
        return refuse("a command is missing: init, add, remove or list");
    bool named = streq(command, "add") || streq(command, "remove");
    if (!named && !streq(command, "init") && !streq(command, "list"))
        return refuse("there is no such command");
    if (!folder || (named && !name) || pt_options_argument(options, named ? 3 : 2))
        return refuse(named ? "it takes a folder and a name" : "it takes a folder");
    bool done = streq(command, "init")  ? pt_key_folder_init(folder)
                : streq(command, "add") ? add(options, folder, name)
                : named                 ? pt_key_folder_remove(folder, name)
                                        : pt_key_folder_list(folder);
    return done ? 0 : 1;
}

int main(int argc, char **argv)
{
    umask(077);
    pt_options_t *options = pt_options_new("paratope-keys", usage, options_table, argc, argv);
    int status = run(options);
    pt_options_destroy(&options);
    return status;
}
