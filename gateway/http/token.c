#include "gateway/http/token.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

static const char prefix[] = "ab_";
static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

void pt_token_make(char token[PT_TOKEN_SIZE + 1])
{
    memcpy(token, prefix, sizeof prefix);
    for (size_t i = sizeof prefix - 1; i < PT_TOKEN_SIZE; i++)
        token[i] = letters[randombytes_uniform(sizeof letters - 1)];
    token[PT_TOKEN_SIZE] = 0;
}

bool pt_token_is_formed(const char *text, size_t size)
{
    return size == PT_TOKEN_SIZE && memcmp(text, prefix, sizeof prefix - 1) == 0 &&
           strspn(text + sizeof prefix - 1, letters) == PT_TOKEN_SIZE - (sizeof prefix - 1);
}

bool pt_token_is_within(const char *text)
{
    for (const char *at = text; (at = strstr(at, prefix)) != NULL; at++)
        if (strspn(at + sizeof prefix - 1, letters) >= PT_TOKEN_SIZE - (sizeof prefix - 1))
            return true;
    return false;
}

void pt_token_hash(const char *token, size_t size, uint8_t hash[PT_TOKEN_HASH])
{
    crypto_hash_sha256(hash, (const unsigned char *)token, size);
}

const char *pt_token_in(const char *authorization)
{
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    const char *token = authorization + 7 + strspn(authorization + 7, " ");
    return pt_token_is_formed(token, strlen(token)) ? token : NULL;
}
