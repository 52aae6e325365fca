/* Tokens: ab_ and 48 letters and digits from the kernel's random source (285 bits). Only their
   SHA-256 is ever stored, and neither is ever logged. */
#ifndef PT_TOKEN_H
#define PT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PT_TOKEN_SIZE 51
#define PT_TOKEN_HASH 32

void pt_token_make(char token[PT_TOKEN_SIZE + 1]);

/* Whether the text could be a token at all. */
bool pt_token_is_formed(const char *text, size_t size);

/* Whether a token stands anywhere in the text: it must not be logged then. */
bool pt_token_is_within(const char *text);

void pt_token_hash(const char *token, size_t size, uint8_t hash[PT_TOKEN_HASH]);

/* The token in an Authorization header's value ("Bearer ab_…"), borrowed; NULL if it has none. */
const char *pt_token_in(const char *authorization);

#endif
