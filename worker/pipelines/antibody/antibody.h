/*
 *  The antibody core: which part of a sequence is an antibody variable domain, and which residue of
 * it stands where. Pure functions: no files, no globals that change, no allocation that outlives a
 * call, so any thread may call anything here. Tables (germlines, profiles, repertoire frequencies)
 * are compiled in.
 *
 *  Positions in a *sequence* count from 0 in this interface, ends are exclusive; text for people
 * (reasons, mutations such as "Q5V") counts from 1. Positions in a *domain* are IMGT numbers, 1 to
 * 128, with an insertion letter or 0.
 */
#ifndef PT_ANTIBODY_H
#define PT_ANTIBODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_SEQUENCE_MAX 5000 /* residues; anything longer is refused */
#define PT_DOMAIN_MAX 256    /* residues of one variable domain; a longer one is refused */
#define PT_DOMAINS_MAX 8     /* more than any real molecule has in one chain */
#define PT_REASON_MAX 256    /* bytes of a reason, with the final 0 */
#define PT_IMGT_COUNT 128
#define PT_NUMBERING_VERSION "1" /* of profiles and rules; stands in every result */

/* Why a sequence was refused. The names that pt_fault_name gives are part of the programs' output.
 */
typedef enum {
    PT_FAULT_NONE,
    PT_FAULT_EMPTY,        /* empty_sequence */
    PT_FAULT_TOO_LONG,     /* sequence_too_long */
    PT_FAULT_BAD_RESIDUE,  /* invalid_residue: position says where */
    PT_FAULT_NOT_ANTIBODY, /* not_an_antibody */
    PT_FAULT_NO_MEMORY     /* out_of_memory: the only one where trying again can help */
} pt_fault_code_t;

typedef struct {
    pt_fault_code_t code;
    size_t position;            /* of a bad residue, from 0; else 0 */
    char reason[PT_REASON_MAX]; /* for people, UTF-8, says what to do; counts from 1 */
} pt_fault_t;

/* An IMGT position: 111 with letter 'A' is 111A; letter 0 is the plain position. */
typedef struct {
    uint8_t number;
    char letter;
} pt_position_t;

/* One variable domain in a sequence. It borrows nothing: residues are copied. */
typedef struct {
    char chain;   /* 'H', 'K' or 'L' */
    size_t start; /* the domain is sequence [start, end) */
    size_t end;
    double score;  /* bits above a random sequence of the same length */
    size_t length; /* end - start */
    char residues[PT_DOMAIN_MAX + 1];
    pt_position_t positions[PT_DOMAIN_MAX]; /* IMGT, one for each residue, strictly rising in the
                                               scheme's order */
} pt_domain_t;

/*
 *  The check at the door. Finds the variable domains in a sequence of the 20 amino acids (capital
 * letters), in sequence order, up to `max` of them, and returns how many there are; 0 means that
 * the sequence is refused and *fault says why. A Fab heavy chain gives one domain, an scFv two.
 */
size_t pt_antibody_check(const char *sequence, size_t length, pt_domain_t *domains, size_t max,
                         pt_fault_t *fault);

/* "invalid_residue", "not_an_antibody" …: never NULL. */
const char *pt_fault_name(pt_fault_code_t code);

/* Heavy or light? ('K' and 'L' are light.) */
bool pt_is_heavy(const pt_domain_t *domain);

/* Index in the domain of the residue at an IMGT position, or -1 where the domain has a gap there.
 */
int pt_domain_find(const pt_domain_t *domain, pt_position_t position);

/* "111A" into text (at least 8 bytes). Returns text. */
char *pt_position_text(pt_position_t position, char *text);

/* <0, 0, >0: order in which positions follow each other along a chain (112B before 112A before
 * 112). */
int pt_position_compare(pt_position_t a, pt_position_t b);

#endif
