/* SPDX-License-Identifier: MIT */
/* random.h - Marsaglia's xorshift; the numbers are the same in every run. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

/* @state must not be 0, and never becomes 0. */
static inline uint32_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 24);
}

#endif /* RANDOM_H */
