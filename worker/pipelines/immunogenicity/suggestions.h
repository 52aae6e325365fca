/*
 *  Deimmunisation: single substitutions by residues of human germlines that take away foreign
 * 9-mers which MHC class II binds. Each is checked by looking at the mutated antibody anew.
 */
#ifndef PT_IMMUNOGENICITY_SUGGESTIONS_H
#define PT_IMMUNOGENICITY_SUGGESTIONS_H

#include "worker/pipelines/immunogenicity/immunogenicity.h"

#define PT_SUGGESTIONS_MAX 20

/* What is wanted of them. */
typedef struct {
    unsigned most;               /* up to PT_SUGGESTIONS_MAX */
    bool keep[2][PT_DOMAIN_MAX]; /* residues of the domains that are not touched */
} pt_suggestion_choice_t;

typedef struct {
    size_t stretch, place; /* which residue, of that stretch */
    char from, to;
    bool cdr;           /* in a CDR (Kabat or IMGT): it may cost affinity */
    bool vernier;       /* in the Vernier zone: it may, too */
    const char *allele; /* the human gene that has it: the nearest one where it does */
    bool nearest;
    uint64_t gone[PT_CORE]; /* of the foreign 9-mers that begin at place - 8 … place: which class II
                               alleles no longer have one of them to bind */
    unsigned removed, created; /* pairs of a foreign 9-mer's place and an allele that binds it, over
                                  all the antibody */
    pt_risk_t risk;            /* of the mutated antibody */
    double humanness;
} pt_suggestion_t;

/*
 *  At most `choice->most` that remove more pairs than they create and bring in no liability:
 * framework before CDR, the nearest human gene's residue before others', then by how many pairs go.
 * `scans` are the antigen's. False when memory is out.
 */
bool pt_suggest(const pt_antigen_t *antigen, const pt_panel_t *panel, const pt_scan_t scans[2],
                const pt_suggestion_choice_t *choice, pt_suggestion_t found[PT_SUGGESTIONS_MAX],
                size_t *count);

#endif
