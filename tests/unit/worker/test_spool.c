/* The spool: real files in a folder of the test's own. */
#include "tests/unit/unit.h"

#include "worker/spool.h"

#include "proto/chunks.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 2500000 /* three pieces */

static const pt_uuid_t job = {{1, 2, 3}};

typedef struct {
    pt_spool_t *spool;
    char folder[64], file[128];
    size_t written, failed, turns;
    uint8_t digest[PT_DIGEST_SIZE];
    char why[200];
} bench_t;

static void tell(void *context, const pt_uuid_t *job_id, uint32_t attempt, const uint8_t *digest,
                 const char *why)
{
    bench_t *bench = context;
    assert_true(pt_uuid_equal(job_id, &job));
    assert_int_equal(attempt, 7);
    bench->written += why == NULL;
    bench->failed += why != NULL;
    snprintf(bench->why, sizeof bench->why, "%s", why ? why : "");
    if (digest)
        memcpy(bench->digest, digest, sizeof bench->digest);
}

static void open_bench(bench_t *bench)
{
    memset(bench, 0, sizeof *bench);
    strcpy(bench->folder, "/tmp/pt-spool-test-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    snprintf(bench->file, sizeof bench->file, "%s/01020300-0000-0000-0000-000000000000.7",
             bench->folder);
    bench->spool = pt_spool_new(bench->folder, tell, bench);
    assert_non_null(bench->spool);
}

static void close_bench(bench_t *bench)
{
    pt_spool_destroy(&bench->spool);
    assert_int_equal(rmdir(bench->folder), 0); /* nothing is left in it */
}

static uint8_t *bytes_of(size_t size)
{
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(i * 31 + i / 4093);
    return bytes;
}

static void put_bytes(bench_t *bench, size_t size)
{
    pt_spool_put(bench->spool, &job, 7, bytes_of(size), size);
    for (; pt_spool_busy(bench->spool); bench->turns++)
        pt_spool_run(bench->spool);
}

static void put(bench_t *bench)
{
    put_bytes(bench, SIZE);
}

static void what_is_put_is_read_in_pieces(void **state)
{
    bench_t bench;
    (void)state;
    uint8_t *right = bytes_of(SIZE), digest[PT_DIGEST_SIZE], piece[1000];
    pt_digest(right, SIZE, digest);
    open_bench(&bench);
    put(&bench);
    assert_int_equal(bench.written, 1);
    assert_int_equal(bench.turns, 3); /* none of them long */
    assert_memory_equal(bench.digest, digest, sizeof digest);
    assert_null(pt_spool_read(bench.spool, &job, 7, 1234567, piece, sizeof piece));
    assert_memory_equal(piece, right + 1234567, sizeof piece);
    close_bench(&bench);
    free(right);
}

static void what_is_dropped_is_not_there_any_more(void **state)
{
    bench_t bench;
    uint8_t piece[10];
    (void)state;
    open_bench(&bench);
    put(&bench);
    pt_spool_drop(bench.spool, &job, 7);
    assert_int_not_equal(access(bench.file, F_OK), 0);
    assert_non_null(pt_spool_read(bench.spool, &job, 7, 0, piece, sizeof piece));
    pt_spool_put(bench.spool, &job, 7, bytes_of(SIZE), SIZE);
    pt_spool_run(bench.spool);
    pt_spool_drop(bench.spool, &job, 7); /* in the middle of writing */
    assert_false(pt_spool_busy(bench.spool));
    assert_int_not_equal(access(bench.file, F_OK), 0);
    close_bench(&bench);
}

static void file_that_was_cut_says_so(void **state)
{
    bench_t bench;
    uint8_t piece[10];
    (void)state;
    open_bench(&bench);
    put(&bench);
    assert_int_equal(truncate(bench.file, 5), 0);
    assert_non_null(strstr(pt_spool_read(bench.spool, &job, 7, 0, piece, sizeof piece), "shorter"));
    close_bench(&bench);
}

static void what_cannot_be_written_is_told_with_the_reason(void **state)
{
    bench_t bench;
    (void)state;
    open_bench(&bench);
    assert_int_equal(symlink("/dev/full", bench.file), 0); /* a link is not followed */
    put(&bench);
    assert_int_equal(bench.failed, 1);
    assert_true(bench.why[0]);
    assert_int_not_equal(access(bench.file, F_OK), 0);
    close_bench(&bench);
}

static void folder_belongs_to_one_and_is_empty_at_the_start(void **state)
{
    bench_t bench;
    char other[128];
    (void)state;
    open_bench(&bench);
    put(&bench);
    assert_null(pt_spool_new(bench.folder, tell, &bench));
    assert_int_equal(access(bench.file, F_OK), 0);
    pt_spool_destroy(&bench.spool);
    snprintf(other, sizeof other, "%s/notes.txt", bench.folder);
    close(open(bench.file, O_CREAT | O_WRONLY, 0600)); /* as one that was killed leaves it */
    close(open(other, O_CREAT | O_WRONLY, 0600));
    bench.spool = pt_spool_new(bench.folder, tell, &bench);
    assert_int_not_equal(access(bench.file, F_OK), 0);
    assert_int_equal(unlink(other), 0); /* what is not ours stays */
    close_bench(&bench);
}

static size_t entries(const char *folder)
{
    size_t n = 0;
    DIR *list = opendir(folder);
    assert_non_null(list);
    while (readdir(list))
        n++;
    closedir(list);
    return n - 2;
}

static void private_folder_goes_with_its_spool_or_the_next(void **state)
{
    char base[] = "/tmp/pt-spool-test-XXXXXX", abandoned[128];
    bench_t bench = {0};
    (void)state;
    assert_non_null(mkdtemp(base));
    setenv("TMPDIR", base, 1);
    snprintf(abandoned, sizeof abandoned, "%s/paratope-spool-killed", base);
    assert_int_equal(mkdir(abandoned, 0700), 0);
    pt_spool_t *first = pt_spool_new(NULL, tell, &bench);
    bench.spool = pt_spool_new(NULL, tell, &bench); /* two workers on a machine */
    assert_non_null(first);
    assert_non_null(bench.spool);
    assert_int_not_equal(access(abandoned, F_OK), 0);
    assert_int_equal(entries(base), 2);
    put(&bench);
    pt_spool_destroy(&bench.spool);
    assert_int_equal(entries(base), 1);
    pt_spool_destroy(&first);
    assert_int_equal(rmdir(base), 0);
    unsetenv("TMPDIR");
}

/* In a process of its own; its exit status is 0 if the spool works. */
static pid_t start_and_put(void)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    bench_t bench = {0};
    bench.spool = pt_spool_new(NULL, tell, &bench);
    if (bench.spool)
        put_bytes(&bench, 100);
    pt_spool_destroy(&bench.spool);
    _exit(bench.written == 1 ? 0 : 1);
}

static void private_folders_of_workers_that_start_together(void **state)
{
    char base[] = "/tmp/pt-spool-test-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(base));
    setenv("TMPDIR", base, 1);
    for (int round = 0; round < 60; round++) {
        int status, failed = 0;
        for (int i = 0; i < 16; i++)
            assert_true(start_and_put() > 0);
        while (wait(&status) > 0)
            failed += status != 0;
        assert_int_equal(failed, 0);
    }
    assert_int_equal(rmdir(base), 0);
    unsetenv("TMPDIR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_read_in_pieces),
        cmocka_unit_test(what_is_dropped_is_not_there_any_more),
        cmocka_unit_test(file_that_was_cut_says_so),
        cmocka_unit_test(what_cannot_be_written_is_told_with_the_reason),
        cmocka_unit_test(folder_belongs_to_one_and_is_empty_at_the_start),
        cmocka_unit_test(private_folder_goes_with_its_spool_or_the_next),
        cmocka_unit_test(private_folders_of_workers_that_start_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
