#include "broker/share.h"

static uint64_t missing(uint64_t level, const uint64_t *unused, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += unused[i] < level ? level - unused[i] : 0;
    return sum;
}

/* The highest level to which `free` more fill everybody, as water finds its level. */
static uint64_t water_level(uint64_t free, uint64_t room, const uint64_t *unused, size_t n)
{
    uint64_t low = 0, high = room;
    while (low < high) {
        uint64_t middle = low + (high - low + 1) / 2;
        if (missing(middle, unused, n) <= free)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

uint64_t pt_share_level(uint64_t room, uint64_t held, const uint64_t *unused, size_t n)
{
    if (held >= room)
        return 0;
    uint64_t left = room - held, given = 0;
    for (size_t i = 0; i < n; i++)
        given += unused[i];
    uint64_t least = left < PT_SHARE_MIN ? left : PT_SHARE_MIN;
    uint64_t level = given < left ? water_level(left - given, room, unused, n) : 0;
    return level > least ? level : least;
}
