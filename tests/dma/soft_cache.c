// SPDX-License-Identifier: MIT
#include "soft_cache.h"

#include <string.h>

static struct soft_line *set_of(struct soft_cache *c, struct soft_place at)
{
	const uintptr_t addr = c->kind == PKMAP_CACHE_PIPT ? at.phys : at.virt;

	return &c->lines[addr / SOFT_LINE % c->sets * SOFT_WAYS];
}

static uintptr_t tag_of(const struct soft_cache *c, struct soft_place at)
{
	return (c->kind == PKMAP_CACHE_VIVT ? at.virt : at.phys) / SOFT_LINE;
}

static struct soft_line *find(struct soft_cache *c, struct soft_place at)
{
	struct soft_line *line = set_of(c, at);
	uint32_t way;

	for (way = 0; way < SOFT_WAYS; way++, line++)
		if (line->valid && line->tag == tag_of(c, at))
			return line;
	return NULL;
}

static void write_further(struct soft_cache *c, size_t phys, const void *data,
			  size_t bytes)
{
	if (c->outer)
		soft_cache_write(c->outer, (struct soft_place){ phys, phys },
				 data, bytes);
	else
		memcpy(c->memory + phys, data, bytes);
}

static void clean(struct soft_cache *c, struct soft_line *line)
{
	if (line->valid && line->dirty)
		write_further(c, line->phys, line->data, SOFT_LINE);
	line->dirty = false;
}

static void evict(struct soft_cache *c, struct soft_line *line)
{
	clean(c, line);
	line->valid = false;
}

static struct soft_line *choose_victim(struct soft_cache *c,
				       struct soft_place at)
{
	struct soft_line *set = set_of(c, at);
	uint32_t way;

	for (way = 0; way < SOFT_WAYS; way++)
		if (!set[way].valid)
			return &set[way];
	return &set[random_next(c->random) % SOFT_WAYS];
}

static struct soft_line *fill(struct soft_cache *c, struct soft_place at)
{
	const size_t phys = at.phys & ~((size_t)SOFT_LINE - 1);
	struct soft_line *line = choose_victim(c, at);

	evict(c, line);
	if (c->outer)
		soft_cache_read(c->outer, (struct soft_place){ phys, phys },
				line->data, SOFT_LINE);
	else
		memcpy(line->data, c->memory + phys, SOFT_LINE);
	line->tag = tag_of(c, at);
	line->phys = phys;
	line->valid = true;
	return line;
}

void soft_cache_fill(struct soft_cache *c, struct soft_place at)
{
	if (!find(c, at))
		fill(c, at);
}

void soft_cache_read(struct soft_cache *c, struct soft_place at, void *data,
		     size_t bytes)
{
	struct soft_line *line = find(c, at);

	if (!line)
		line = fill(c, at);
	memcpy(data, line->data + at.phys % SOFT_LINE, bytes);
}

void soft_cache_write(struct soft_cache *c, struct soft_place at,
		      const void *data, size_t bytes)
{
	struct soft_line *line = find(c, at);

	if (!line && !c->write_allocate) {
		write_further(c, at.phys, data, bytes);
		return;
	}
	if (!line)
		line = fill(c, at);
	memcpy(line->data + at.phys % SOFT_LINE, data, bytes);
	line->dirty = true;
}

void soft_cache_op(struct soft_cache *c, enum pkmap_cache_op op,
		   struct soft_place at)
{
	struct soft_line *line = find(c, at);

	if (!line)
		return;
	if (op == PKMAP_CACHE_CLEAN || op == PKMAP_CACHE_CLEAN_INVAL)
		clean(c, line);
	if (op == PKMAP_CACHE_INVAL || op == PKMAP_CACHE_CLEAN_INVAL)
		line->valid = false;
}

void soft_cache_op_phys(struct soft_cache *c, enum pkmap_cache_op op,
			size_t phys)
{
	uintptr_t virt;

	for (virt = phys % SOFT_PAGE; virt < c->sets * SOFT_LINE;
	     virt += SOFT_PAGE)
		soft_cache_op(c, op, (struct soft_place){ virt, phys });
}

void soft_cache_evict(struct soft_cache *c, uint32_t n)
{
	while (n--)
		evict(c,
		      &c->lines[random_next(c->random) % (c->sets * SOFT_WAYS)]);
}

void soft_cache_clean_all(struct soft_cache *c)
{
	uint32_t k;

	for (k = 0; k < c->sets * SOFT_WAYS; k++)
		clean(c, &c->lines[k]);
}
