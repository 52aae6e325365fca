#include "worker/pipelines/humanization/oasis.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 *  As BioPhi asks: only people with at least 10,000 sequences of the chain; one study, whose
 * sequences are cut short, is not searched, though its people are counted.
 */
#define ENOUGH "10000"
#define ALL_OF(chain) "SELECT COUNT(*) FROM subjects WHERE Complete" chain "Seqs >= " ENOUGH
#define WHO_HAS(chain)                                                                             \
    "SELECT COUNT(*) FROM peptides JOIN subjects ON peptides.subject = subjects.id "               \
    "WHERE peptide = ? AND subjects.StudyPath <> 'Corcoran_2016' AND Complete" chain               \
    "Seqs >= " ENOUGH

enum { PEPTIDE = 9, CHAINS = 2, PEPTIDES_MAX = 2 * PT_DOMAIN_MAX };

const char *const pt_oasis_threshold_names[PT_OASIS_THRESHOLDS] = {"loose", "relaxed", "medium",
                                                                   "strict"};
static const double thresholds[PT_OASIS_THRESHOLDS] = {0.01, 0.1, 0.5, 0.9};

struct pt_oasis {
    sqlite3 *database;
    sqlite3_stmt *who_has[CHAINS]; /* heavy, light */
    double people[CHAINS];
    char version[160];
};

static bool fail(const pt_oasis_t *self, const char *what, pt_error_t *error)
{
    pt_error_set(error, "oasis_unavailable", "%s: %s", what,
                 self && self->database ? sqlite3_errmsg(self->database) : "out of memory");
    error->retry = true; /* an operator can mend it */
    return false;
}

static bool count_people(pt_oasis_t *self, int chain, pt_error_t *error)
{
    static const char *const asked[CHAINS] = {ALL_OF("Heavy"), ALL_OF("Light")};
    static const char *const later[CHAINS] = {WHO_HAS("Heavy"), WHO_HAS("Light")};
    sqlite3_stmt *all = NULL;
    bool ok = sqlite3_prepare_v2(self->database, asked[chain], -1, &all, NULL) == SQLITE_OK &&
              sqlite3_step(all) == SQLITE_ROW &&
              sqlite3_prepare_v2(self->database, later[chain], -1, &self->who_has[chain], NULL) ==
                  SQLITE_OK;
    if (!ok)
        fail(self, "the OASis database", error);
    else
        self->people[chain] = sqlite3_column_double(all, 0);
    sqlite3_finalize(all);
    return ok;
}

pt_oasis_t *pt_oasis_open(const char *path, pt_error_t *error)
{
    pt_oasis_t *self = calloc(1, sizeof *self);
    if (!self) {
        fail(NULL, path, error);
        return NULL;
    }
    bool ok = sqlite3_open_v2(path, &self->database, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK ||
              fail(self, path, error);
    for (int chain = 0; ok && chain < CHAINS; chain++)
        ok = count_people(self, chain, error);
    if (!ok) {
        pt_oasis_close(&self);
        return NULL;
    }
    const char *slash = strrchr(path, '/');
    snprintf(self->version, sizeof self->version, "%.64s, %.0f people (heavy), %.0f (light)",
             slash ? slash + 1 : path, self->people[0], self->people[1]);
    return self;
}

void pt_oasis_close(pt_oasis_t **self)
{
    if (!*self)
        return;
    for (int chain = 0; chain < CHAINS; chain++)
        sqlite3_finalize((*self)->who_has[chain]);
    sqlite3_close((*self)->database);
    free(*self);
    *self = NULL;
}

const char *pt_oasis_version(const pt_oasis_t *self)
{
    return self->version;
}

/* Share of people who have the 9-mer. */
static bool share_of(pt_oasis_t *self, int chain, const char *peptide, double *share)
{
    sqlite3_stmt *who = self->who_has[chain];
    if (sqlite3_bind_text(who, 1, peptide, PEPTIDE, SQLITE_STATIC) != SQLITE_OK ||
        sqlite3_step(who) != SQLITE_ROW)
        return false;
    *share = self->people[chain] > 0 ? sqlite3_column_double(who, 0) / self->people[chain] : 0;
    sqlite3_reset(who);
    return true;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static pt_oasis_score_t summarise(double *shares, size_t count)
{
    pt_oasis_score_t score = {0};
    qsort(shares, count, sizeof *shares, by_value);
    for (size_t i = 0; i < count; i++) {
        score.mean += shares[i] / (double)count;
        for (int t = 0; t < PT_OASIS_THRESHOLDS; t++)
            score.identity[t] += (shares[i] >= thresholds[t]) / (double)count;
    }
    if (count > 0)
        score.median = (shares[(count - 1) / 2] + shares[count / 2]) / 2;
    return score;
}

bool pt_oasis_score(pt_oasis_t *self, const pt_domain_t *const domains[], size_t count,
                    pt_oasis_score_t *score, pt_error_t *error)
{
    double shares[PEPTIDES_MAX];
    size_t n = 0;
    for (size_t d = 0; d < count; d++)
        for (size_t i = 0; i + PEPTIDE <= domains[d]->length && n < PEPTIDES_MAX; i++)
            if (!share_of(self, pt_is_heavy(domains[d]) ? 0 : 1, domains[d]->residues + i,
                          &shares[n++]))
                return fail(self, "the OASis database", error);
    *score = summarise(shares, n);
    return true;
}
