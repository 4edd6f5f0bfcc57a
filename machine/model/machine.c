// SPDX-License-Identifier: MIT
/*
 * machine.c - the machine, and how it is set up.
 */
#include "model_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct machine m;

void broken(int invariant, enum verdict verdict, const char *format, ...)
{
	va_list args;

	if (m.broken.invariant)
		return;
	m.broken.invariant = invariant;
	m.broken.verdict = verdict;
	va_start(args, format);
	vsnprintf(m.broken.text, sizeof(m.broken.text), format, args);
	va_end(args);
	log_event(m.current, EVENT_BROKEN, "%s", m.broken.text);
}

void *machine_alloc(size_t bytes)
{
	void *mem = m.memory + m.memory_used;

	m.memory_used += (bytes + PKMAP_ALIGN - 1) & ~(PKMAP_ALIGN - 1ull);
	return m.memory_used <= MAX_MEMORY ? mem : NULL;
}

void machine_has_counters(const void *begin, const void *end)
{
	const int nr = m.ignored[0] ? 1 : 0;

	m.ignored[nr] = begin;
	m.ignored_end[nr] = end;
}

void machine_has_locked(const void *begin, const void *end)
{
	m.locked = begin;
	m.locked_end = end;
}

void machine_has_private(const void *begin, const void *end)
{
	m.private_to_cpu = begin;
	m.private_end = end;
}

void machine_has_no_private(void)
{
	m.private_end = m.private_to_cpu;
}

void machine_init(const struct machine_config *config)
{
	uint32_t page;
	uint32_t k;

	memset(&m, 0, sizeof(m));
	m.config = *config;
	m.ncaches = config->own_caches ? config->ncpus : 1;
	m.nslots = all_slots(config);
	m.hw_bytes =
		sizeof(m.hw) - (MAX_CPUS - m.ncaches) * sizeof(struct cache);
	m.hw.lock_owner = NOBODY;
	weak_init();
	for (page = 0; page < config->npages; page++) {
		for (k = 0; k < page_bytes(); k++) {
			m.hw.memory[page][k] = (uint8_t)(0x10 * (page + 1));
			m.hw.written[page][k] = m.hw.memory[page][k];
		}
	}
}
