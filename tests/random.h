/* SPDX-License-Identifier: MIT */
/* random.h - numbers that are the same in every run: Marsaglia's xorshift. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

/* @state is not 0, and never will be. */
static inline uint32_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 24);
}

#endif /* RANDOM_H */
