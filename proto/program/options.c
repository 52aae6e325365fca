#include "proto/program/options.h"

#include <czmq.h>

struct pt_options {
    const char *program, *summary;
    const pt_option_t *table;
    zlistx_t **values; /* one list an option, copies */
    zlistx_t *arguments;
};

static zlistx_t *new_texts(void)
{
    zlistx_t *list = zlistx_new();
    zlistx_set_duplicator(list, (zlistx_duplicator_fn *)strdup);
    zlistx_set_destructor(list, (zlistx_destructor_fn *)zstr_free);
    return list;
}

static size_t count(const pt_option_t *table)
{
    size_t n = 0;
    while (table[n].name)
        n++;
    return n;
}

static int find(const pt_options_t *self, const char *name, size_t size)
{
    for (int i = 0; self->table[i].name; i++)
        if (strlen(self->table[i].name) == size && strncmp(self->table[i].name, name, size) == 0)
            return i;
    return -1;
}

static void fail(const pt_options_t *self, const char *what, const char *which)
{
    fprintf(stderr, "%s: %s%s; see %s --help\n", self->program, what, which, self->program);
    exit(2);
}

static void add(pt_options_t *self, int option, const char *value)
{
    if (self->table[option].kind != PT_OPTION_MANY && self->table[option].kind != PT_OPTION_TREE)
        zlistx_purge(self->values[option]);
    zlistx_add_end(self->values[option], (void *)value);
}

static void print_help(const pt_options_t *self)
{
    printf("usage: %s\n\n", self->summary);
    for (const pt_option_t *option = self->table; option->name; option++) {
        char left[64];
        snprintf(left, sizeof left, "--%s %s", option->name, option->value ? option->value : "");
        printf("  %-34s %s", left, option->help);
        if (option->def)
            printf(" [%s]", option->def);
        if (option->env)
            printf(" (%s)", option->env);
        printf("\n");
    }
    printf("  %-34s %s\n  %-34s %s\n  %-34s %s\n", "--config FILE",
           "a ZPL file with the options' names as keys", "--help", "this text", "--version",
           "the version");
}

/* One flag; returns how many arguments it took. */
static int read_flag(pt_options_t *self, int argc, char **argv, int i)
{
    const char *name = argv[i] + 2, *equals = strchr(name, '=');
    size_t size = equals ? (size_t)(equals - name) : strlen(name);
    int option = find(self, name, size);
    if (option < 0)
        fail(self, "unknown option ", argv[i]);
    if (self->table[option].kind == PT_OPTION_FLAG) {
        add(self, option, "yes");
        return 1;
    }
    if (!equals && i + 1 == argc)
        fail(self, "a value is missing after ", argv[i]);
    add(self, option, equals ? equals + 1 : argv[i + 1]);
    return equals ? 1 : 2;
}

static void read_arguments(pt_options_t *self, int argc, char **argv)
{
    for (int i = 1; i < argc;) {
        if (streq(argv[i], "--config")) {
            i += 2; /* read before, by read_file */
        } else if (strncmp(argv[i], "--", 2) == 0) {
            i += read_flag(self, argc, argv, i);
        } else {
            zlistx_add_end(self->arguments, argv[i++]);
        }
    }
}

/* KEY = VALUE of a section, behind `prefix`. */
static void read_pairs(pt_options_t *self, int option, const char *prefix, zconfig_t *section)
{
    for (zconfig_t *child = zconfig_child(section); child; child = zconfig_next(child)) {
        char *both = zsys_sprintf("%s%s=%s", prefix, zconfig_name(child), zconfig_value(child));
        add(self, option, both);
        zstr_free(&both);
    }
}

static void read_tree(pt_options_t *self, int option, zconfig_t *section)
{
    for (zconfig_t *child = zconfig_child(section); child; child = zconfig_next(child)) {
        if (!zconfig_child(child))
            fail(self,
                 "a section of KEY = VALUE, each line four spaces further in, is missing for ",
                 zconfig_name(child));
        char *prefix = zsys_sprintf("%s.", zconfig_name(child));
        read_pairs(self, option, prefix, child);
        zstr_free(&prefix);
    }
}

static void read_section(pt_options_t *self, int option, zconfig_t *section)
{
    pt_option_kind_t kind = self->table[option].kind;
    const char *own = zconfig_value(section); /* of a single one, as it is on the command line */
    if ((kind != PT_OPTION_MANY && kind != PT_OPTION_TREE) || (own && *own))
        add(self, option, own);
    if (kind == PT_OPTION_MANY)
        read_pairs(self, option, "", section);
    if (kind == PT_OPTION_TREE)
        read_tree(self, option, section);
}

static void read_file(pt_options_t *self, const char *path)
{
    zconfig_t *root = zconfig_load(path);
    if (!root)
        fail(self, "cannot read the configuration ", path);
    for (zconfig_t *child = zconfig_child(root); child; child = zconfig_next(child)) {
        int option = find(self, zconfig_name(child), strlen(zconfig_name(child)));
        if (option < 0)
            fail(self, "unknown key in the configuration: ", zconfig_name(child));
        read_section(self, option, child);
    }
    zconfig_destroy(&root);
}

static void read_environment(pt_options_t *self)
{
    for (int i = 0; self->table[i].name; i++) {
        const char *value = self->table[i].env ? getenv(self->table[i].env) : NULL;
        if (value && *value)
            add(self, i, value);
    }
}

static void read_common(pt_options_t *self, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (streq(argv[i], "--help")) {
            print_help(self);
            exit(0);
        }
        if (streq(argv[i], "--version")) {
            printf("%s %s\n", self->program, PT_RELEASE);
            exit(0);
        }
        if (streq(argv[i], "--config")) {
            if (i + 1 == argc)
                fail(self, "a file is missing after ", argv[i]);
            read_file(self, argv[++i]);
        }
    }
}

pt_options_t *pt_options_new(const char *program, const char *summary, const pt_option_t *table,
                             int argc, char **argv)
{
    pt_options_t *self = zmalloc(sizeof *self);
    self->program = program;
    self->summary = summary;
    self->table = table;
    self->arguments = new_texts();
    size_t n = count(table);
    self->values = zmalloc((n + 1) * sizeof *self->values);
    for (size_t i = 0; i < n; i++)
        self->values[i] = new_texts();
    read_common(self, argc, argv);
    read_environment(self);
    read_arguments(self, argc, argv);
    return self;
}

void pt_options_destroy(pt_options_t **self_p)
{
    pt_options_t *self = *self_p;
    if (!self)
        return;
    for (size_t i = 0; self->table[i].name; i++)
        zlistx_destroy(&self->values[i]);
    zlistx_destroy(&self->arguments);
    free(self->values);
    free(self);
    *self_p = NULL;
}

static const char *nth(zlistx_t *list, size_t n)
{
    void *value = zlistx_first(list);
    while (value && n-- > 0)
        value = zlistx_next(list);
    return value;
}

const char *pt_options_nth(const pt_options_t *self, const char *name, size_t n)
{
    int option = find(self, name, strlen(name));
    assert(option >= 0);
    return nth(self->values[option], n);
}

const char *pt_options_get(const pt_options_t *self, const char *name)
{
    const char *value = pt_options_nth(self, name, 0);
    return value ? value : self->table[find(self, name, strlen(name))].def;
}

bool pt_options_flag(const pt_options_t *self, const char *name)
{
    return pt_options_nth(self, name, 0) != NULL;
}

void pt_options_take_none(const pt_options_t *self)
{
    if (pt_options_argument(self, 0))
        fail(self, "unexpected argument: ", pt_options_argument(self, 0));
}

const char *pt_options_argument(const pt_options_t *self, size_t n)
{
    return nth(self->arguments, n);
}

const char *pt_options_demand(const pt_options_t *self, const char *name)
{
    const char *value = pt_options_get(self, name);
    if (!value || !*value)
        fail(self, "this option is needed: --", name);
    return value;
}

bool pt_word(const char *text, size_t n, char *word, size_t size)
{
    for (;;) {
        text += strspn(text, " \t");
        size_t length = strcspn(text, " \t");
        if (length == 0)
            return false;
        if (n-- == 0) {
            if (length >= size)
                return false;
            memcpy(word, text, length);
            word[length] = 0;
            return true;
        }
        text += length;
    }
}
