/*
 *  An antibody as a pipeline gets it: some chains of stated kinds, checked and numbered, heavy and
 * light variable domain told apart.
 */
#ifndef PT_MOLECULE_H
#define PT_MOLECULE_H

#include "worker/pipelines/antibody/antibody.h"

typedef enum {
    PT_KIND_ANY, /* a lone sequence: nanobody or single chain, as its domains say */
    PT_KIND_HEAVY,
    PT_KIND_LIGHT,
    PT_KIND_VHH,
    PT_KIND_SCFV
} pt_chain_kind_t;

#define PT_CHAINS_MAX 8

typedef struct {
    pt_chain_kind_t kind;
    const char *sequence; /* borrowed */
    size_t length;
} pt_chain_t;

#define PT_POINTER_MAX 96 /* bytes of a JSON pointer with its NUL; a longer one is cut */

/* Why a job cannot be computed, as PIPELINE.md has it. */
typedef struct {
    char code[32];
    char message[512];
    int chain; /* which of the chains that were given is at fault, from 0; -1 if none alone is */
    char option[PT_POINTER_MAX]; /* the option at fault, a JSON pointer into the options; or "" */
    bool retry;
} pt_error_t;

/* One variable domain and the chain that it was found in (borrowed). */
typedef struct {
    bool there;
    const pt_chain_t *chain;
    pt_domain_t domain;
} pt_part_t;

typedef struct {
    pt_part_t heavy, light;
    bool nanobody; /* a heavy domain that works alone */
    bool scfv;     /* both domains in one chain */
} pt_molecule_t;

/* What of the job's inputs is at fault, a JSON pointer into them: the error's chain or option, else
 * `otherwise`. */
const char *pt_error_pointer(const pt_error_t *error, const char *otherwise,
                             char text[PT_POINTER_MAX]);

/* false for a word that is no kind. */
bool pt_chain_kind_parse(const char *word, size_t length, pt_chain_kind_t *kind);

/*
 *  Reads the chains of one antibody; `lone_heavy` allows a heavy chain without its light chain.
 * False with *error when they are no antibody: a bad sequence, or chains that do not make one.
 */
bool pt_molecule_read(const pt_chain_t *chains, size_t count, bool lone_heavy,
                      pt_molecule_t *molecule, pt_error_t *error);

/* Fills *error; always false, so that a check can end with it. */
bool pt_error_set(pt_error_t *error, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
