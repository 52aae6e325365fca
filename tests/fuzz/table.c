/* Results as CSV and as FASTA. Bytes: of which type; how many of the results make columns; JSON
   texts with NULs between them. */
#include "fuzz.h"
#include "gateway/molecules/fasta.h"
#include "gateway/results/fasta.h"
#include "gateway/results/table_csv.h"

#define RESULTS_MAX 4

/* Reads a field of RFC 4180 and what ends it: ',', '\n' for CRLF, or 0 for what is none. */
static char next_field(const char **at, const char *end, bool *formula)
{
    bool quoted = *at < end && **at == '"';
    *formula = *at + quoted < end && strchr(quoted ? "=+-@\t\r" : "=+-@\t", (*at)[quoted]) &&
               (*at)[quoted];
    if (quoted) {
        for (++*at; *at < end && (**at != '"' || (*at + 1 < end && (*at)[1] == '"')); ++*at)
            *at += **at == '"';
        CHECK(*at < end);
        ++*at;
    }
    for (; !quoted && *at < end && **at != ',' && **at != '\r' && **at != '\n'; ++*at)
        CHECK(**at != '"');
    if (*at < end && **at == ',')
        return *(*at)++;
    bool line = *at + 1 < end && (*at)[0] == '\r' && (*at)[1] == '\n';
    *at += line ? 2 : 0;
    return line ? '\n' : 0;
}

/* Every row has as many fields as the first, and only numbers begin as a formula does. */
static void check_table(const char *at, size_t size)
{
    size_t columns = 0;
    for (const char *end = at + size; at < end;) {
        size_t fields = 0;
        char stop;
        do {
            bool formula;
            const char *field = at;
            stop = next_field(&at, end, &formula);
            CHECK(stop);
            CHECK(!formula || (*field == '-' && field[1] >= '0' && field[1] <= '9'));
            fields++;
        } while (stop == ',');
        CHECK(columns == 0 || fields == columns);
        columns = fields;
    }
}

static void check_fasta(const char *job_type, const json_t *results)
{
    msgpack_sbuffer text;
    pt_fasta_t fasta;
    msgpack_sbuffer_init(&text);
    pt_result_fasta(job_type, "a name", "j", results, &text);
    if (text.size > 0) {
        CHECK(pt_fasta_read(&fasta, text.data, text.size) == NULL);
        pt_fasta_clear(&fasta);
    }
    msgpack_sbuffer_destroy(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"humanization", "codon_export", "stability"};
    const pt_table_job_t job = {"=name, \"x\"", "v", "j", "completed", NULL, NULL};
    reader_t reader = {data, size};
    const char *type = types[below(&reader, 3)];
    size_t learnt = below(&reader, RESULTS_MAX + 1), count = 0;
    json_t *results[RESULTS_MAX];
    while (count < RESULTS_MAX && reader.left > 0) {
        size_t length = strnlen((const char *)reader.at, reader.left);
        results[count] = json_loadb((const char *)reader.at, length, JSON_DECODE_ANY, NULL);
        count += results[count] != NULL;
        reader.at += length < reader.left ? length + 1 : length;
        reader.left -= length < reader.left ? length + 1 : length;
    }
    msgpack_sbuffer out;
    pt_table_t *table = pt_table_new(pt_result_list(type));
    msgpack_sbuffer_init(&out);
    for (size_t i = 0; i < count && i < learnt; i++)
        pt_table_learn(table, results[i]);
    pt_table_header(table, &out);
    for (size_t i = 0; i < count; i++) {
        for (size_t row = 0; (row = pt_table_rows(table, &job, results[i], row, NULL, &out)) > 0;)
            ;
        check_fasta(type, results[i]);
        json_decref(results[i]);
    }
    check_table(out.data, out.size);
    msgpack_sbuffer_destroy(&out);
    pt_table_destroy(&table);
    return 0;
}
