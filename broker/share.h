/* How a broker divides the room of a job type among its gateways.
 *
 * Room is the slots of its workers plus PT_SLACK. What is not held (queued or leased) is free, and
 * each gateway is offered an equal share of it: gateways that have less unused credit are filled
 * up first, to one common level, and never is more given than is free.
 *
 * But credit that was given cannot be taken back, so a gateway that does nothing could sit on all
 * of it, and the one that leads would have nothing to hand out, for ever. Therefore a gateway may
 * always have PT_SHARE_MIN unused, as long as less is held than there is room. With one gateway
 * the sum of held and unused never exceeds the room; with n it stays below 2 × room + n ×
 * PT_SHARE_MIN, however the others came by theirs.
 */
#ifndef PT_SHARE_H
#define PT_SHARE_H

#include <stddef.h>
#include <stdint.h>

#define PT_SHARE_MIN 16

/* The unused credit up to which each of `n` gateways is to be filled, given what each has unused
   now. A gateway that has more keeps it. */
uint64_t pt_share_level(uint64_t room, uint64_t held, const uint64_t *unused, size_t n);

#endif
